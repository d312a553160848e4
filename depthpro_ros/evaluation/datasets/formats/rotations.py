# SPDX-License-Identifier: Apache-2.0
"""Unit quaternions, which data sets write in two orders."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError


def quaternion_to_matrix(w: float, x: float, y: float, z: float) -> NDArray[np.float64]:
    """Rotation, float64 [3, 3], of w + xi + yj + zk, which need not be of length 1.

    Raises:
        InputError: all four are 0, or one is not finite.
    """
    length = float(np.sqrt(w * w + x * x + y * y + z * z))
    if not (np.isfinite(length) and length > 0):
        raise InputError(f"quaternion w={w}, x={x}, y={y}, z={z} is no rotation")
    w, x, y, z = w / length, x / length, y / length, z / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
