# SPDX-License-Identifier: Apache-2.0
"""A picture of each depth map of a camera for people, whose colours do not flicker."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.visualise import RgbImage, colour_depth, robust_limits

FOLLOWED = 0.1
"""Share of the way to a frame's own limits that the limits go with it."""
SAMPLES = 20_000
"""About as many pixels say what a frame's limits are."""
NARROWEST = 1.05
"""Far limit over near limit at least."""

LONGEST_JPEG = 65500
"""Pixels of a side, by libjpeg's JPEG_MAX_DIMENSION."""


class Preview:
    """Colours depth maps, red near and blue far, in the limits of the last ones."""

    def __init__(self) -> None:
        self._log_limits: NDArray[np.float64] | None = None

    def limits(self, depth_m: NDArray[np.float32], near_m: float, far_m: float) -> tuple[float, float]:
        """Depths that have the nearest and the farthest colour, metres; to be called once for each frame.

        Args:
            depth_m: float32 [H, W], metres.
            near_m, far_m: the limits where they are above 0; else the 2nd and 98th percentile, whose logarithms
                are smoothed exponentially over the frames.

        Returns:
            (near, far) with 0 < near < far.
        """
        every = max(1, math.isqrt(depth_m.size // SAMPLES))
        sample = depth_m[::every, ::every]
        if np.any(np.isfinite(sample) & (sample > 0)):
            own = np.log(robust_limits(sample))
            last = own if self._log_limits is None else self._log_limits
            self._log_limits = last + FOLLOWED * (own - last)
        followed = (1.0, 10.0) if self._log_limits is None else np.exp(self._log_limits).tolist()
        far = far_m or max(followed[1], NARROWEST * near_m)
        return near_m or min(followed[0], far / NARROWEST), far

    def picture(self, depth_m: NDArray[np.float32], near_m: float = 0.0, far_m: float = 0.0) -> RgbImage:
        """The picture of one frame.

        Args:
            depth_m, near_m, far_m: see `limits`.

        Returns:
            uint8 [H, W, 3]; black where there is no finite depth.
        """
        picture = colour_depth(depth_m, *self.limits(depth_m, near_m, far_m))
        picture[~(np.isfinite(depth_m) & (depth_m > 0))] = 0
        return picture


def jpeg(rgb: RgbImage, quality: int) -> NDArray[np.uint8]:
    """A picture as JPEG, uint8 [N].

    Args:
        rgb: uint8 [H, W, 3].
        quality: 1 to 100.

    Raises:
        InputError: libjpeg does not know such a size.
    """
    if max(rgb.shape) > LONGEST_JPEG:
        raise InputError(
            f"a picture of {rgb.shape[1]}x{rgb.shape[0]} pixels cannot be written as JPEG: no side may be above "
            f"{LONGEST_JPEG}"
        )
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.reshape(-1)
