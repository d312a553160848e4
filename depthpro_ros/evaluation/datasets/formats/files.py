# SPDX-License-Identifier: Apache-2.0
"""Whole files: bytes, text, numbers, NumPy arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError


class MissingFile(InputError):
    """A file of the expected tree is not there."""


def existing(path: Path) -> Path:
    """The same path, of a file that is there.

    Raises:
        MissingFile: it is not.
    """
    if not path.is_file():
        raise MissingFile(f"{path} is missing")
    return path


def read_bytes(path: Path) -> bytes:
    """Everything in the file.

    Raises:
        InputError: missing or not readable.
    """
    try:
        return existing(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error}") from error


def read_text(path: Path) -> str:
    """Everything in the file, as UTF-8.

    Raises:
        InputError: missing, not readable, or no text.
    """
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no text file: {error}") from error


def read_lines(path: Path) -> list[str]:
    """Lines with something on them that are no comments, which begin with `#`, without surrounding blanks."""
    lines = (line.strip() for line in read_text(path).splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def read_numbers(path: Path, count: int | None = None) -> NDArray[np.float64]:
    """Numbers separated by blanks, commas or line ends, float64 [N].

    Raises:
        InputError: missing, another thing than numbers, or not `count` of them.
    """
    return parse_numbers(" ".join(read_lines(path)), str(path), count)


def parse_numbers(text: str, source: str, count: int | None = None) -> NDArray[np.float64]:
    """As `read_numbers`, of text; `source` is what an error calls it."""
    try:
        numbers = np.array([float(word) for word in text.replace(",", " ").split()], np.float64)
    except ValueError as error:
        raise InputError(f"{source} holds something else than numbers: {error}") from error
    if count is not None and len(numbers) != count:
        raise InputError(f"{source} holds {len(numbers)} numbers, expected {count}")
    return numbers


def read_npy(path: Path) -> NDArray[Any]:
    """An array from a .npy file, without axes of length 1 at its end.

    Raises:
        InputError: missing or damaged.
    """
    existing(path)
    try:
        # mapped first: a header that claims more than the file holds is then refused, not believed
        array = np.array(np.lib.format.open_memmap(path, mode="r"))
    except Exception as error:  # whatever a damaged header makes of NumPy's parser
        raise InputError(f"{path} is no .npy file: {error}") from error
    return array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
