# SPDX-License-Identifier: Apache-2.0
"""nvblox: what isaac_ros_nvblox (release 4.3) takes, and what its core (public branch, 2023) makes of a pixel.

Depth and calibration are joined by equal stamps. Depth is 32FC1 in metres or 16UC1 in millimetres, the latter read as
a signed number; colour is rgb8 or bgra8; the camera is K. A voxel projects into a pixel; one that is not above 0 says
nothing. Otherwise the voxel moves towards the distance from it to the surface, along the axis, unless it is farther
behind than the truncation distance; voxels beyond the largest integration distance are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import Refused
from .reading import depth_values, stamp


@dataclass(frozen=True)
class Frame:
    """What nvblox has of a frame: depth [H, W] in metres, and the camera."""

    depth_m: np.ndarray
    fx: float
    fy: float
    cx: float
    cy: float


def depth_frame(depth: Any, info: Any) -> Frame:
    """A depth image and its calibration."""
    if stamp(depth) != stamp(info):
        raise Refused("an exact synchroniser joins equal stamps only")
    values = depth_values(depth)
    if (info.width, info.height) != (depth.width, depth.height):
        raise Refused(f"camera of {info.width} x {info.height}, image of {depth.width} x {depth.height}")
    metres = values.view(np.int16) / 1000.0 if depth.encoding == "16UC1" else values
    return Frame(metres, info.k[0], info.k[4], info.k[2], info.k[5])


def check_colour(rgb: Any, info: Any) -> None:
    """Raise `Refused` for a colour image that is not taken."""
    if rgb.encoding not in ("rgb8", "bgra8"):
        raise Refused(f"colour of encoding {rgb.encoding!r}")
    if stamp(rgb) != stamp(info):
        raise Refused("an exact synchroniser joins equal stamps only")


def voxel_distance(frame: Frame, voxel: np.ndarray, *, truncation_m: float, most_m: float) -> float | None:
    """The signed distance that a new voxel at a place in the optical frame gets; None where it learns nothing."""
    x, y, z = voxel
    if not 0 < z <= most_m:
        return None
    u, v = round(frame.fx * x / z + frame.cx), round(frame.fy * y / z + frame.cy)
    if not (0 <= v < frame.depth_m.shape[0] and 0 <= u < frame.depth_m.shape[1]):
        return None
    measured = float(frame.depth_m[v, u])
    if not measured > 1e-6 or measured - z < -truncation_m:
        return None
    return float(np.clip(measured - z, -truncation_m, truncation_m))
