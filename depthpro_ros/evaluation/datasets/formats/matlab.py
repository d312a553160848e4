# SPDX-License-Identifier: Apache-2.0
"""MATLAB files of version 5, through SciPy where it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.formats.files import existing


def read_mat(path: Path) -> dict[str, NDArray[Any]]:
    """Variables by name.

    Raises:
        InputError: SciPy is not installed, or the file is missing or no MATLAB file of version 5.
    """
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise InputError(f"{path} is a MATLAB file, which needs SciPy: pip install scipy") from error
    existing(path)
    try:
        return loadmat(path)
    # what SciPy raises for damaged files and for version 7.3
    except (OSError, ValueError, TypeError, NotImplementedError) as error:
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
    """A cell array of strings."""
    return [str(np.asarray(cell).item()) for cell in variable(read_mat(path), name, path).ravel()]


def read_indices(path: Path, name: str) -> list[int]:
    """A list of MATLAB indices, which count from 1, as positions, which count from 0."""
    return [int(number) - 1 for number in variable(read_mat(path), name, path).ravel()]
