# SPDX-License-Identifier: Apache-2.0
"""Messages to arrays, by nothing but what the message definitions say."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from . import Refused

DEPTH_TYPES = {"32FC1": np.float32, "16UC1": np.uint16}
FIELD_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
"""sensor_msgs/PointField's numbers of types."""


def stamp(message: Any) -> tuple[int, int]:
    """Seconds and nanoseconds."""
    return message.header.stamp.sec, message.header.stamp.nanosec


def depth_values(image: Any) -> np.ndarray:
    """The values of a depth image as they are, [H, W]."""
    if image.encoding not in DEPTH_TYPES:
        raise Refused(f"encoding {image.encoding!r}")
    dtype = np.dtype(DEPTH_TYPES[image.encoding]).newbyteorder(">" if image.is_bigendian else "<")
    _check_size(image, dtype.itemsize)
    rows = np.frombuffer(image.data, np.uint8).reshape(image.height, image.step)
    return np.ascontiguousarray(rows[:, : image.width * dtype.itemsize]).view(dtype)


def rgb_values(image: Any) -> np.ndarray:
    """The colours of an image, uint8 [H, W, 3]."""
    if image.encoding not in ("rgb8", "bgr8"):
        raise Refused(f"encoding {image.encoding!r}")
    _check_size(image, 3)
    rows = np.frombuffer(image.data, np.uint8).reshape(image.height, image.step)[:, : 3 * image.width]
    colours = rows.reshape(image.height, image.width, 3)
    return colours if image.encoding == "rgb8" else colours[..., ::-1]


def _check_size(image: Any, bytes_a_pixel: int) -> None:
    if image.step < image.width * bytes_a_pixel or len(image.data) != image.step * image.height:
        raise Refused(f"{len(image.data)} bytes, step {image.step}, for {image.width} x {image.height}")


def cloud_fields(cloud: Any) -> np.ndarray:
    """The points of a cloud, a structured array [height, width]."""
    order = ">" if cloud.is_bigendian else "<"
    dtype = np.dtype(
        {
            "names": [f.name for f in cloud.fields],
            "formats": [order + FIELD_TYPES[f.datatype] for f in cloud.fields],
            "offsets": [f.offset for f in cloud.fields],
            "itemsize": cloud.point_step,
        }
    )
    if cloud.row_step != cloud.width * cloud.point_step or len(cloud.data) != cloud.row_step * cloud.height:
        raise Refused(f"{len(cloud.data)} bytes for {cloud.width} x {cloud.height} points of {cloud.point_step}")
    return np.frombuffer(cloud.data, dtype).reshape(cloud.height, cloud.width)


def positions(cloud: Any) -> np.ndarray:
    """x, y, z of all points, float64 [N, 3], row by row; what is not finite stays."""
    points = cloud_fields(cloud)
    for name in "xyz":
        if name not in (points.dtype.names or ()) or points.dtype[name].kind != "f":
            raise Refused(f"no float {name} among {points.dtype.names}")
    return np.stack([points[name].ravel() for name in "xyz"], -1).astype(np.float64)


def colours(cloud: Any) -> np.ndarray:
    """Red, green and blue of all points, uint8 [N, 3], from a field rgb of four bytes: 0x00RRGGBB."""
    points = cloud_fields(cloud)
    if "rgb" not in (points.dtype.names or ()) or points.dtype["rgb"].itemsize != 4:
        raise Refused(f"no rgb of four bytes among {points.dtype.names}")
    packed = np.ascontiguousarray(points["rgb"]).view(np.uint32).ravel()
    packed = packed.byteswap() if cloud.is_bigendian != (sys.byteorder == "big") else packed
    return np.stack([packed >> 16 & 255, packed >> 8 & 255, packed & 255], -1).astype(np.uint8)
