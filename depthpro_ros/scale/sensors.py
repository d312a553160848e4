# SPDX-License-Identifier: Apache-2.0
"""Readings of range sensors as points in the sensor's own frame (REP 103: x forward, y left, z up). No ROS."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError


def scan_points(
    ranges: NDArray[np.floating[Any]] | Sequence[float],
    angle_min: float,
    angle_increment: float,
    range_min: float,
    range_max: float,
) -> NDArray[np.float32]:
    """The end points of a sensor_msgs/LaserScan's rays.

    Args:
        ranges: [N] metres; NaN, infinite (REP 117) and those outside [range_min, range_max] are left out.
        angle_min, angle_increment: radians, of the first ray and from ray to ray, anticlockwise from x.
        range_min, range_max: metres.

    Returns:
        float32 [M, 3], metres; M is 0 if the scan saw nothing.

    Raises:
        InputError: angles that are not finite.
    """
    if not (math.isfinite(angle_min) and math.isfinite(angle_increment)):
        raise InputError(f"scan angles {angle_min}, {angle_increment} must be finite radians: check the driver")
    r = np.asarray(ranges, dtype=np.float64).ravel()
    angle = angle_min + angle_increment * np.arange(len(r))
    seen = np.isfinite(r) & (r > 0) & (r >= range_min) & (r <= range_max)
    r, angle = r[seen], angle[seen]
    return np.stack([r * np.cos(angle), r * np.sin(angle), np.zeros_like(r)], axis=1).astype(np.float32)


def range_point(range_m: float, min_range: float = 0.0, max_range: float = math.inf) -> NDArray[np.float32]:
    """The point on its axis at which a sensor_msgs/Range reading ends.

    The reading is of the nearest thing in a cone, which need not be on the axis: give the point to `RangeCones`, with
    half of the message's field_of_view.

    Args:
        range_m: metres; NaN, infinite (REP 117) or outside [min_range, max_range] gives no point. A sensor of fixed
            distance (min_range == max_range) says -Inf or Inf, so it gives none.
        min_range, max_range: metres.

    Returns:
        float32 [1, 3], or [0, 3].
    """
    if not (math.isfinite(range_m) and range_m > 0 and min_range <= range_m <= max_range):
        return np.empty((0, 3), np.float32)
    return np.array([[range_m, 0.0, 0.0]], np.float32)


def cloud_points(
    data: bytes | bytearray | memoryview | NDArray[np.uint8],
    *,
    width: int,
    height: int,
    point_step: int,
    row_step: int,
    offsets: tuple[int, int, int],
    float64: bool = False,
    is_bigendian: bool = False,
    at_most: int | None = None,
) -> NDArray[np.float32]:
    """The finite points of a sensor_msgs/PointCloud2, in its frame.

    Args:
        data: the message's bytes.
        width, height: points in a row, rows.
        point_step, row_step: bytes of a point, of a row.
        offsets: bytes from a point's start to its x, y and z.
        float64: the fields are FLOAT64 rather than FLOAT32.
        is_bigendian: byte order of the message.
        at_most: take evenly spaced points where there are more than this.

    Returns:
        float32 [N, 3], metres.

    Raises:
        InputError: the sizes contradict each other, or the bytes are too few.
    """
    size = 8 if float64 else 4
    if width < 0 or height < 0 or min(offsets) < 0 or max(offsets) + size > point_step or row_step < width * point_step:
        raise InputError(
            f"cloud of {width}x{height} points, point_step {point_step}, row_step {row_step} and fields at {offsets} "
            "contradicts itself: check its publisher"
        )
    flat = np.frombuffer(data, dtype=np.uint8)
    if width == 0 or height == 0:
        return np.empty((0, 3), np.float32)
    needed = (height - 1) * row_step + width * point_step
    if len(flat) < needed:
        raise InputError(f"cloud has {len(flat)} bytes, expected {needed} for {width}x{height} points")
    kind = np.dtype((">" if is_bigendian else "<") + ("f8" if float64 else "f4"))
    fields = [
        np.ndarray((height, width), kind, buffer=flat, offset=offset, strides=(row_step, point_step))
        for offset in offsets
    ]
    every = 1 if at_most is None else max(1, -(-width * height // at_most))
    points = np.stack([field.ravel()[::every].astype(np.float32) for field in fields], axis=1)
    return points[np.isfinite(points).all(1)]
