# SPDX-License-Identifier: Apache-2.0
"""A point cloud as a picture, for people to look at. NumPy only."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.visualise import PAPER_RGB, RgbImage, blank, captioned


def cloud_view(
    cloud: NDArray[np.float32],
    *,
    width: int = 480,
    height: int = 360,
    yaw_deg: float = 25.0,
    pitch_deg: float = 15.0,
    point_px: int | None = None,
) -> RgbImage:
    """See a point cloud from beside the camera that made it.

    The viewpoint orbits the median point, at the camera's distance, and the picture is zoomed so that
    nearly all points are in it.

    Args:
        cloud: float32 [..., 4]: x, y, z in metres in an optical frame, and colour bits 0x00RRGGBB, as
            `depthpro_ros.cloud` packs them. Points that are not finite are left out.
        width, height: size of the picture, pixels.
        yaw_deg, pitch_deg: how far the viewpoint moves to the right and up.
        point_px: side of the square that a point is drawn as; chosen by the number of points if None.
    """
    points = np.ascontiguousarray(cloud, dtype=np.float32).reshape(-1, 4)
    points = points[np.isfinite(points[:, :3]).all(axis=1)]
    if not len(points):
        return captioned(blank(height, width), "no finite points")
    xyz, colour_bits = points[:, :3].astype(np.float64), points[:, 3].copy().view(np.uint32) & 0xFFFFFF

    pivot = np.median(xyz, axis=0)
    distance = float(np.linalg.norm(pivot)) or 1.0
    xyz = (xyz - pivot) @ _orbit(yaw_deg, pitch_deg).T
    xyz[:, 2] += distance
    seen = xyz[:, 2] > 0.1 * distance
    xyz, colour_bits = xyz[seen], colour_bits[seen]
    if not len(xyz):
        return captioned(blank(height, width), "no points in view")

    plane = xyz[:, :2] / xyz[:, 2:]
    low, high = np.percentile(plane, (1, 99), axis=0)
    zoom = 0.95 * float(np.min((width, height) / np.maximum(high - low, 1e-6)))
    pixels = (plane - (low + high) / 2) * zoom + ((width - 1) / 2, (height - 1) / 2)
    side = point_px or max(1, math.ceil(1.3 * math.sqrt(width * height / len(xyz))))
    return _splat(pixels, xyz[:, 2], colour_bits, width, height, min(side, 12))


def _splat(
    pixels: NDArray[np.float64],
    depth: NDArray[np.float64],
    colour_bits: NDArray[np.uint32],
    width: int,
    height: int,
    side: int,
) -> RgbImage:
    """Draw points as squares with a z-buffer.

    Depth and colour share one 64-bit number, depth above: the smallest number is the nearest point, since
    the bits of positive floats are ordered as the floats are.
    """
    keys = (depth.astype(np.float32).view(np.uint32).astype(np.uint64) << np.uint64(32)) | colour_bits
    empty = np.uint64(0xFFFFFFFFFFFFFFFF)
    buffer = np.full(height * width, empty, dtype=np.uint64)
    corner = np.floor(pixels - (side - 1) / 2 + 0.5).astype(np.int64)
    for dy in range(side):
        for dx in range(side):
            u, v = corner[:, 0] + dx, corner[:, 1] + dy
            inside = (u >= 0) & (u < width) & (v >= 0) & (v < height)
            np.minimum.at(buffer, v[inside] * width + u[inside], keys[inside])
    bits = (buffer & np.uint64(0xFFFFFF)).astype(np.uint32)
    picture = np.stack([bits >> 16, (bits >> 8) & 255, bits & 255], axis=-1).astype(np.uint8)
    picture[buffer == empty] = PAPER_RGB
    return picture.reshape(height, width, 3)


def _orbit(yaw_deg: float, pitch_deg: float) -> NDArray[np.float64]:
    """Rows right, down, forward of a viewpoint that moved right and up and still looks at the pivot."""
    yaw, pitch = math.radians(yaw_deg), math.radians(pitch_deg)
    forward = np.array([-math.sin(yaw) * math.cos(pitch), math.sin(pitch), math.cos(yaw) * math.cos(pitch)])
    right = np.array([math.cos(yaw), 0.0, math.sin(yaw)])
    return np.stack([right, np.cross(forward, right), forward])
