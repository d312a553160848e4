# SPDX-License-Identifier: Apache-2.0
"""The scale from sensors that report the nearest thing in a cone (sensor_msgs/Range: ultrasound, infrared)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.scale.estimate import MIN_RELATIVE, Gates, NoScale, ScaleEstimate, judged_scale, weighted_median
from depthpro_ros.scale.ranges import RangePoints, project
from depthpro_ros.scale.samples import MAX_SAMPLES, check_camera, sample_grid

NEAR_PERCENTILE = 10.0
"""Of the ranges in a cone: the nearest thing, unless it is so small that it is as likely an error of the depth."""

MIN_RADIUS_PX = 8
"""A beam is taken for at least as wide: a network's depth has no finer detail to be trusted."""

MAX_HALF_ANGLE_RAD = math.radians(60)

WIDEST_RAD = 1.5
"""What a pinhole camera sees of a cone ends before 90 degrees."""


@dataclass(frozen=True)
class RangeCones(RangePoints):
    """Readings of cones. The sensor must sit at the camera: nearer to it than about a tenth of what it measures.

    Attributes:
        xyz_m: float32 [N, 3], each the end of one reading on its cone's axis (`range_point`), in the optical frame.
        stamp_s: when they were measured, seconds.
        half_angle_rad: from a cone's axis to its side: half of sensor_msgs/Range's field_of_view.

    Raises:
        InputError: as `RangePoints`, or an angle that is negative or above 60 degrees.
    """

    half_angle_rad: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.half_angle_rad <= MAX_HALF_ANGLE_RAD:
            raise InputError(
                f"half_angle_rad is {self.half_angle_rad}, expected 0 to {MAX_HALF_ANGLE_RAD:.2f}: half of the "
                "message's field_of_view, in radians"
            )


def scale_from_cones(
    relative: Tensor, intrinsics: Intrinsics, cones: RangeCones, gates: Gates | None = None
) -> ScaleEstimate:
    """Each reading over the `NEAR_PERCENTILE`th percentile of the relative range of the pixels in its cone.

    Range here is the distance from the camera along a pixel's ray, not z-depth. One reading cannot contradict itself,
    so the pixels are the samples: a scale is only believed where most of the cone is about as far as its nearest part,
    for then it hardly matters which part the sensor saw.

    Args:
        relative: float [H, W], on any device; NaN where there is none.
        intrinsics: of the same image, without distortion.
        cones: of about the same time.
        gates: what the scale must fulfil; None takes the defaults.

    Raises:
        InputError: intrinsics of another size.
        NoScale: no reading in view, or cones that hold things at many distances, or contradict each other.
    """
    check_camera(relative, intrinsics)
    _, _, ends = project(cones.xyz_m, intrinsics)
    if not len(ends):
        raise NoScale(f"none of {len(cones.xyz_m)} range readings is in view: check the extrinsics")
    scales, samples = [], []
    for end in ends:
        reading_m = float(np.linalg.norm(end))
        ranges = _ranges_in_cone(relative, intrinsics, end / reading_m, cones.half_angle_rad)
        if len(ranges):
            scales.append(reading_m / float(np.percentile(ranges, NEAR_PERCENTILE)))
            samples.append(reading_m / ranges)
    if not scales:
        raise NoScale("no pixel in the cone of a range reading has a depth")
    return judged_scale(
        weighted_median(np.array(scales)),
        np.concatenate(samples),
        source="ranges",
        gates=gates or Gates(),
        what="pixels in the cones of range readings",
    )


def _ranges_in_cone(
    relative: Tensor, intrinsics: Intrinsics, axis: NDArray[np.float64], half_angle_rad: float
) -> NDArray[np.float64]:
    """Relative ranges [N] of pixels whose rays are within an angle of an axis [3]."""
    i = intrinsics
    half = max(half_angle_rad, math.atan(MIN_RADIUS_PX / min(i.fx, i.fy)))
    left, right = _span(axis[0], axis[2], half, i.fx, i.cx, i.width)
    top, bottom = _span(axis[1], axis[2], half, i.fy, i.cy, i.height)
    window = i.cropped(left, top, right - left, bottom - top)
    grid = sample_grid(window.height, window.width, MAX_SAMPLES)
    rays = grid.rays(window).astype(np.float64)
    length = np.sqrt((rays * rays).sum(2))
    depth = grid.values(relative[top:bottom, left:right])
    inside = (rays @ axis >= math.cos(half) * length) & np.isfinite(depth) & (depth > MIN_RELATIVE)
    return depth[inside] * length[inside]


def _span(across: float, ahead: float, half: float, focal_px: float, centre_px: float, size: int) -> tuple[int, int]:
    """First pixel and end of the part of an image's side that holds a cone."""
    # seen from above, a cone that points up or down is wider: sin(turn) = sin(half) / cos(elevation)
    turn = math.asin(min(1.0, math.sin(half) / math.hypot(across, ahead)))
    middle = math.atan2(across, ahead)
    first = math.floor(centre_px + focal_px * math.tan(max(-WIDEST_RAD, middle - turn)))
    end = math.ceil(centre_px + focal_px * math.tan(min(WIDEST_RAD, middle + turn))) + 1
    first = max(0, min(size - 1, first))
    return first, max(first + 1, min(size, end))
