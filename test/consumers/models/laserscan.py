# SPDX-License-Identifier: Apache-2.0
"""depthimage_to_laserscan 2.5 (branch ros2): rows around the principal point become ranges by direction.

Each pixel's direction in the horizontal plane has a bin of equal angle; the range is the distance in that plane. Of
several pixels in a bin the nearest within range_min and range_max stays. Infinities are kept where nothing finite is,
NaN is where nothing at all is; and a finite range outside of the limits is dropped, which leaves NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import Refused
from .reading import depth_values


@dataclass(frozen=True)
class Scan:
    """The message: angles from the x axis of the scan's frame, to the left, radians; ranges in metres."""

    angle_min: float
    angle_increment: float
    ranges: np.ndarray

    @property
    def angles(self) -> np.ndarray:
        """The angle that a reader takes for each range."""
        return self.angle_min + self.angle_increment * np.arange(len(self.ranges))


def laser_scan(depth: Any, info: Any, *, scan_height: int, range_min: float, range_max: float) -> Scan:
    """What the node publishes."""
    values = depth_values(depth)
    fx, cx, cy = info.p[0], info.p[2], info.p[6]
    if scan_height / 2 > min(cy, depth.height - cy):
        raise Refused(f"scan_height {scan_height} is too large")
    directions = -np.arctan2(np.arange(depth.width) - cx, fx)
    angle_min, angle_max = directions[-1], directions[0]
    increment = (angle_max - angle_min) / (depth.width - 1)
    bins = ((directions - angle_min) / increment).astype(int)
    first = int(cy - scan_height / 2)
    ranges = np.full(depth.width, np.nan, np.float32)
    for row in values[first : first + scan_height]:
        unit = 0.001 if depth.encoding == "16UC1" else 1.0
        is_valid = (row != 0) if depth.encoding == "16UC1" else np.isfinite(row)
        with np.errstate(invalid="ignore"):
            far = np.where(is_valid, row * unit / np.cos(directions), row)
        for place, new in zip(bins, far, strict=True):
            if _replaces(float(new), float(ranges[place]), range_min, range_max):
                ranges[place] = new
    return Scan(float(angle_min), float(increment), ranges)


def _replaces(new: float, old: float, range_min: float, range_max: float) -> bool:
    if not np.isfinite(new) and not np.isfinite(old):
        return not np.isnan(new)
    if not range_min <= new <= range_max:
        return False
    return not np.isfinite(old) or new < old
