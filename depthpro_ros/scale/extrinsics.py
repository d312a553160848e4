# SPDX-License-Identifier: Apache-2.0
"""Where a sensor is, as seen from the camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError

UNIT_TOLERANCE = 1e-3
"""A quaternion written with four digits is off by as much."""


@dataclass(frozen=True)
class Extrinsics:
    """The transform from a sensor's frame to the camera's optical frame: p_optical = R p_sensor + t.

    The numbers of `ros2 run tf2_ros tf2_echo OPTICAL_FRAME SENSOR_FRAME`.

    Attributes:
        translation: the sensor's origin in the optical frame (x right, y down, z forward; REP 103), metres.
        quaternion: the sensor's orientation in the optical frame, (x, y, z, w).

    Raises:
        InputError: not finite, or the quaternion's length is not 1.
    """

    translation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    quaternion: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        if len(self.translation) != 3 or len(self.quaternion) != 4:
            raise InputError(
                f"extrinsics have {len(self.translation)} + {len(self.quaternion)} numbers, expected a translation "
                "(x, y, z) and a quaternion (x, y, z, w)"
            )
        if not np.isfinite([*self.translation, *self.quaternion]).all():
            raise InputError(f"extrinsics {self.translation}, {self.quaternion} must be finite")
        length = float(np.linalg.norm(self.quaternion))
        if abs(length - 1) > UNIT_TOLERANCE:
            raise InputError(
                f"quaternion {self.quaternion} (x, y, z, w) has the length {length:.4g}, expected 1: "
                "check the order of its numbers"
            )

    @classmethod
    def from_list(cls, numbers: Sequence[float]) -> Extrinsics:
        """From x, y, z (metres) and qx, qy, qz, qw, as a parameter holds them.

        Raises:
            InputError: not seven numbers, not finite, or no unit quaternion.
        """
        if len(numbers) != 7:
            raise InputError(f"extrinsics have {len(numbers)} numbers, expected seven: x y z qx qy qz qw")
        x, y, z, qx, qy, qz, qw = (float(number) for number in numbers)
        return cls((x, y, z), (qx, qy, qz, qw))

    @cached_property
    def rotation(self) -> NDArray[np.float64]:
        """R, float64 [3, 3]."""
        x, y, z, w = np.array(self.quaternion, np.float64) / np.linalg.norm(self.quaternion)
        return np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        )

    def apply(self, points: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Points [N, 3] of the sensor's frame in the optical frame, float32 [N, 3], metres.

        Raises:
            InputError: not [N, 3].
        """
        if points.ndim != 2 or points.shape[1] != 3:
            raise InputError(f"points have the shape {list(points.shape)}, expected [N, 3]")
        moved = points.astype(np.float64) @ self.rotation.T + np.array(self.translation)
        return moved.astype(np.float32)
