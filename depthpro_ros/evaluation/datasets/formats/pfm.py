# SPDX-License-Identifier: Apache-2.0
"""Portable float maps: three lines of text, then float32, the bottom row first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.formats.files import read_bytes


def read_pfm(path: Path) -> NDArray[np.float32]:
    """A map of one channel, float32 [H, W], the top row first; infinities stay.

    Raises:
        InputError: missing, no PFM of one channel, or cut off.
    """
    content = read_bytes(path)
    parts = content.split(b"\n", 3)
    try:
        kind, size, scale, pixels = parts
        width, height = (int(word) for word in size.split())
        # the sign of the scale tells the byte order
        byte_order = "<" if float(scale) < 0 else ">"
    except ValueError as error:
        raise InputError(f"{path} is no PFM file: its header is {content[:40]!r}") from error
    if kind.strip() != b"Pf":
        raise InputError(f"{path} is of kind {kind!r}, expected b'Pf': a PFM of one channel")
    if len(pixels) != 4 * width * height:
        raise InputError(f"{path} has {len(pixels)} bytes of pixels, {width}x{height} need {4 * width * height}")
    rows = np.frombuffer(pixels, f"{byte_order}f4").reshape(height, width)
    return np.ascontiguousarray(rows[::-1], np.float32)
