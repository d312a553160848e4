# SPDX-License-Identifier: Apache-2.0
"""RViz2 and Foxglove: what they need in order to draw a message.

RViz's PointCloud2 display wants float x, y and z, skips points that are not finite, and colours by a field rgb of
four bytes (three fields of a byte each are not drawn); its Image display knows a list of encodings; its DepthCloud
display wants the size of the depth image and of its calibration to be equal. Foxglove wants two of x, y and z at
least, a frame, and an image's calibration beside it; compressed images by the format they name.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Refused
from .reading import colours, depth_values, positions

IMAGE_ENCODINGS = ("rgb8", "bgr8", "rgba8", "bgra8", "mono8", "mono16", "16UC1", "32FC1", "8UC1", "8UC3")


def drawn_points(cloud: Any) -> tuple[np.ndarray, np.ndarray]:
    """Points [N, 3] and colours [N, 3] that are drawn."""
    if not cloud.header.frame_id:
        raise Refused("no frame")
    points = positions(cloud)
    finite = np.isfinite(points).all(-1)
    if cloud.is_dense and not finite.all():
        raise Refused("is_dense promises finite points")
    return points[finite], colours(cloud)[finite]


def check_image(image: Any) -> None:
    """Raise `Refused` for an image that cannot be shown."""
    if image.encoding not in IMAGE_ENCODINGS:
        raise Refused(f"encoding {image.encoding!r}")
    if not image.header.frame_id or len(image.data) != image.step * image.height:
        raise Refused("no frame, or not as many bytes as rows")


def check_depth_cloud(depth: Any, info: Any) -> None:
    """Raise `Refused` for a depth image that RViz's DepthCloud, or Foxglove's 3D panel, cannot project."""
    depth_values(depth)
    binning = max(1, info.binning_x), max(1, info.binning_y)
    size = (info.roi.width or info.width) // binning[0], (info.roi.height or info.height) // binning[1]
    if size != (depth.width, depth.height):
        raise Refused(f"calibration {size}, depth {(depth.width, depth.height)}")
    if depth.header.frame_id != info.header.frame_id or info.p[0] == 0:
        raise Refused("another frame, or no projection matrix")


def check_compressed(image: Any) -> None:
    """Raise `Refused` for a compressed image whose bytes are not what its format names."""
    magic = {"jpeg": b"\xff\xd8\xff", "png": b"\x89PNG"}
    kind = next((k for k in magic if k in image.format), None)
    if kind is None or not bytes(image.data[:4]).startswith(magic[kind]):
        raise Refused(f"format {image.format!r}, first bytes {bytes(image.data[:4])!r}")
