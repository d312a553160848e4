# SPDX-License-Identifier: Apache-2.0
"""MATLAB files of version 5: variables, lists of texts, and of indices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.formats.files import MissingFile, read_bytes
from depthpro_ros.evaluation.datasets.formats.matlab_v5 import parse_mat


def read_mat(path: Path) -> dict[str, NDArray[Any]]:
    """Variables by name.

    Raises:
        InputError: missing, or no MATLAB file of version 5.
    """
    try:
        return parse_mat(read_bytes(path))
    except MissingFile:
        raise
    except InputError as error:
        raise InputError(f"{path} is no MATLAB file of version 5: {error}") from error


def variable(variables: dict[str, NDArray[Any]], name: str, path: Path) -> NDArray[Any]:
    """One of a file's variables.

    Raises:
        InputError: the file has none of this name.
    """
    if name not in variables:
        known = sorted(key for key in variables if not key.startswith("__"))
        raise InputError(f"{path} has {known}, expected {name!r}")
    return variables[name]


def read_strings(path: Path, name: str) -> list[str]:
    """A cell array of strings.

    Raises:
        InputError: the file has none of this name, or it holds something else.
    """
    cells = [np.asarray(cell) for cell in variable(read_mat(path), name, path).ravel()]
    if not all(cell.size == 1 and cell.dtype.kind == "U" for cell in cells):
        raise InputError(f"{path}: {name} is no list of texts")
    return [str(cell.item()) for cell in cells]


def read_indices(path: Path, name: str) -> list[int]:
    """A list of MATLAB indices, which count from 1, as positions, which count from 0.

    Raises:
        InputError: the file has none of this name, or it holds something else.
    """
    numbers = variable(read_mat(path), name, path).ravel()
    if numbers.dtype.kind not in "iuf" or not np.isfinite(numbers).all():
        raise InputError(f"{path}: {name} is no list of indices")
    return [int(number) - 1 for number in numbers]
