# SPDX-License-Identifier: Apache-2.0
"""depth_image_proc (image_pipeline, branches humble to rolling): point_cloud_xyz and point_cloud_xyzrgb.

An image and a CameraInfo that image_transport found beside it; the pinhole model of P; 32FC1 in metres, invalid where
not finite, and 16UC1 in millimetres, invalid where 0. With colour: the same frame (a warning) and size (an error).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Refused
from .reading import depth_values, rgb_values, stamp


def sibling_info_topic(image_topic: str) -> str:
    """Where image_transport looks for an image's calibration."""
    return image_topic.rsplit("/", 1)[0] + "/camera_info"


def point_cloud_xyz(depth: Any, info: Any) -> np.ndarray:
    """Points [H, W, 3] in the optical frame, NaN where the depth is invalid."""
    if stamp(depth) != stamp(info):
        raise Refused("image and calibration have different stamps")
    values = depth_values(depth)
    if depth.encoding == "16UC1":
        z = np.where(values != 0, values * 0.001, np.nan)
    else:
        z = np.where(np.isfinite(values), values, np.nan)
    fx, fy, cx, cy = info.p[0], info.p[5], info.p[2], info.p[6]
    v, u = np.mgrid[: depth.height, : depth.width]
    return np.stack([(u - cx) * z / fx, (v - cy) * z / fy, z], -1)


def point_cloud_xyzrgb(depth: Any, rgb: Any, info: Any) -> tuple[np.ndarray, np.ndarray]:
    """The same, and the colours, uint8 [H, W, 3]."""
    if depth.header.frame_id != rgb.header.frame_id:
        raise Refused(f"frames {depth.header.frame_id!r} and {rgb.header.frame_id!r}")
    if (depth.width, depth.height) != (rgb.width, rgb.height):
        raise Refused("depth and colour have different sizes")
    return point_cloud_xyz(depth, info), rgb_values(rgb)
