# SPDX-License-Identifier: Apache-2.0
"""HDF5 files, through h5py where it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.formats.files import existing


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
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(f"{path} is no HDF5 file: {error}") from error
    with file:
        yield file


def field(file: Any, name: str) -> Any:
    """A data set of an open file, not yet read.

    Raises:
        InputError: the file has none of this name.
    """
    if name not in file:
        raise InputError(f"{file.filename} has {sorted(file)}, expected {name!r}")
    return file[name]


def read_dsp5(path: Path) -> NDArray[np.float32]:
    """Spring's disparity in pixels of the photograph, float32 [2H, 2W]: twice its size.

    Raises:
        InputError: h5py is not installed, or the file is missing or of another kind.
    """
    with open_hdf5(path) as file:
        return np.asarray(field(file, "disparity"), np.float32)
