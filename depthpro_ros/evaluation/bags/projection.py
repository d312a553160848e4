# SPDX-License-Identifier: Apache-2.0
"""Points seen by a camera: a z-buffer, without what is hidden."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.clouds import Points, back_project

HIDDEN_RATIO = 1.1
"""A point this many times as far as one on a pixel beside it is hidden: a surface is denser than its points."""
CLOUD_RADIUS_PX = 2
"""How far beside a lidar point things are hidden by it."""

_FIELD_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}


def project_points(
    points_m: Points, camera: Intrinsics, *, hidden_radius_px: int = 0, max_depth_m: float = math.inf
) -> NDArray[np.float32]:
    """Depth image of points, float32 [H, W]; the nearest on each pixel counts, NaN where there is none.

    Args:
        points_m: [N, 3] in the camera's optical frame.
        camera: a pinhole; rectify a lens's images first.
        hidden_radius_px: a point is left out where one that is much nearer lies within this many pixels, in both
            directions. 0 keeps what shows between the points of something nearer.
        max_depth_m: points farther than this are left out.
    """
    z = points_m[:, 2]
    ahead = (z > 0) & (z <= max_depth_m) & np.isfinite(points_m).all(axis=1)
    x, y, z = points_m[ahead].T
    u, v = np.rint(x / z * camera.fx + camera.cx), np.rint(y / z * camera.fy + camera.cy)
    inside = (u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height)
    where = (v[inside] * camera.width + u[inside]).astype(np.intp)
    nearest = np.full(camera.width * camera.height, np.inf, np.float32)
    np.minimum.at(nearest, where, z[inside].astype(np.float32))
    depth = nearest.reshape(camera.height, camera.width)
    if hidden_radius_px > 0:
        side = 2 * hidden_radius_px + 1
        around = cv2.erode(depth, np.ones((side, side), np.uint8), borderValue=math.inf)
        depth = np.where(depth > HIDDEN_RATIO * around, np.inf, depth)
    return np.where(np.isfinite(depth), depth, np.nan).astype(np.float32)


def reproject_depth(
    depth_m: NDArray[np.float32],
    source: Intrinsics,
    target: Intrinsics,
    target_from_source: NDArray[np.float64],
    max_depth_m: float = math.inf,
) -> NDArray[np.float32]:
    """A depth image as another camera sees its points, float32 [H, W]; NaN where it sees none.

    Args:
        depth_m: [H, W] metres along the source's axis; NaN, infinite or <= 0 is no point.
        source, target: pinholes, of the given and of the wanted image.
        target_from_source: [4, 4], pose of the source's optical frame in the target's.
        max_depth_m: points farther than this are left out.

    Raises:
        InputError: intrinsics of another size than the image.
    """
    points = moved(back_project(depth_m, source), target_from_source)
    spacing_px = math.ceil(max(target.fx / source.fx, target.fy / source.fy))
    return project_points(points, target, hidden_radius_px=spacing_px, max_depth_m=max_depth_m)


def moved(points_m: Points, pose: NDArray[np.float64]) -> Points:
    """Points [N, 3] in the frame that the pose [4, 4] leads to."""
    return points_m @ pose[:3, :3].T + pose[:3, 3]


def cloud_points(message: Any) -> Points:
    """Points of a PointCloud2, float64 [N, 3], metres in its own frame, without those that are not finite.

    Raises:
        InputError: no fields x, y and z, or a message cut off.
    """
    fields = {field.name: field for field in message.fields}
    missing = [name for name in "xyz" if name not in fields]
    if missing:
        raise InputError(f"point cloud has no field {missing[0]!r}, only {', '.join(fields) or 'none'}")
    order = ">" if message.is_bigendian else "<"
    width, height, step, row_step = message.width, message.height, message.point_step, message.row_step
    row_step = row_step or width * step  # some drivers leave it 0
    if row_step < width * step or len(message.data) < height * row_step:
        raise InputError(
            f"point cloud of {width}x{height} points of {step} bytes has {len(message.data)} bytes: it is cut off"
        )
    axes = []
    for name in "xyz":
        kind = np.dtype(order + _FIELD_TYPES.get(fields[name].datatype, "V1"))
        if kind.kind == "V" or fields[name].offset + kind.itemsize > step:
            raise InputError(f"point cloud's field {name!r} is of type {fields[name].datatype} or beyond its point")
        values: NDArray[Any] = np.ndarray(
            (height, width), kind, np.ascontiguousarray(message.data), fields[name].offset, (row_step, step)
        )
        axes.append(values.reshape(-1).astype(np.float64))
    points = np.stack(axes, axis=1)
    return points[np.isfinite(points).all(axis=1)]
