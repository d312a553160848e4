# SPDX-License-Identifier: Apache-2.0
"""HDF5 files, through h5py where it is installed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.formats.files import existing

MAX_VALUES = 4 * 64_000_000
"""Four maps of 64 megapixels: files claim more than they hold."""


@contextmanager
def open_hdf5(path: Path) -> Iterator[Any]:
    """An `h5py.File` for reading.

    Raises:
        InputError: h5py is not installed, or the file is missing or no HDF5.
    """
    try:
        import h5py
    except ImportError as error:
        raise InputError(f"{path} is HDF5, which needs h5py: pip install h5py") from error
    existing(path)
    try:
        with h5py.File(path, "r") as file:
            yield file
    except InputError:
        raise
    except (OSError, RuntimeError, ValueError, TypeError, LookupError, MemoryError) as error:
        # libhdf5 notices most damage when it reads, and h5py raises whatever fits
        raise InputError(f"{path} is no HDF5 file, or a damaged one: {error}") from error


def field(file: Any, name: str) -> Any:
    """A data set of an open file, not yet read.

    Raises:
        InputError: the file has none of this name.
    """
    if name not in file:
        raise InputError(f"{file.filename} has {sorted(file)}, expected {name!r}")
    return file[name]


def read_field(file: Any, name: str, index: int | None = None) -> NDArray[Any]:
    """The numbers of a data set of an open file, or of its element `index`.

    Raises:
        InputError: the file has none of this name, or it holds no numbers or more than `MAX_VALUES`.
    """
    data = field(file, name)
    shape = getattr(data, "shape", None)  # groups and named types have none
    if shape is None or data.dtype.kind not in "buif" or (index is not None and index >= (shape or (0,))[0]):
        raise InputError(f"{file.filename}: {name} holds no array of numbers, or too few")
    shape = shape if index is None else shape[1:]
    # a chunk is unpacked whole, however little of it is wanted
    values = max(math.prod(shape), math.prod(data.chunks or ()))
    if values > MAX_VALUES:
        raise InputError(f"{file.filename}: {name} says it holds {values} values, at most {MAX_VALUES} are read")
    return np.asarray(data[()] if index is None else data[index])


def read_dsp5(path: Path) -> NDArray[np.float32]:
    """Spring's disparity in pixels of the photograph, float32 [2H, 2W]: twice its size.

    Raises:
        InputError: h5py is not installed, or the file is missing or of another kind.
    """
    with open_hdf5(path) as file:
        return np.asarray(read_field(file, "disparity"), np.float32)
