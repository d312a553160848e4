# SPDX-License-Identifier: Apache-2.0
"""SUN RGB-D's depth: millimetres in 16 bits, rotated left by three."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.evaluation.datasets.formats.images import read_u16, units_to_metres


def unrotated_mm(stored: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Millimetres, uint16: the three lowest bits go to the top (SUNRGBDtoolbox, read3dPoints.m)."""
    return (stored >> np.uint16(3)) | (stored << np.uint16(13))


def read_sun_depth(path: Path) -> NDArray[np.float32]:
    """Depth in metres, float32 [H, W], NaN where the file is 0.

    Raises:
        InputError: missing, no image, or not of 16 bits.
    """
    return units_to_metres(unrotated_mm(read_u16(path)), 1000)
