# SPDX-License-Identifier: Apache-2.0
"""A cloud as most Python nodes make it, to compare with."""

from __future__ import annotations

import array
from typing import Any

import numpy as np

from depthpro_ros.bench.pictures import Picture


def usual_cloud(picture: Picture) -> Any:
    """A PointCloud2 of a flat wall, back-projected into a structured array as in sensor_msgs_py's examples."""
    from sensor_msgs.msg import PointCloud2, PointField

    height, width = picture.rgb.shape[:2]
    depth = np.full((height, width), 2.0, np.float32)
    u, v = np.meshgrid(np.arange(width), np.arange(height))
    points = np.empty((height, width), np.dtype([(n, np.float32) for n in "xyz"] + [("rgb", np.uint32)]))
    fx = picture.focal_px
    points["x"], points["y"] = (u - (width - 1) / 2) * depth / fx, (v - (height - 1) / 2) * depth / fx
    points["z"] = depth
    r, g, b = (picture.rgb[..., i].astype(np.uint32) for i in range(3))
    points["rgb"] = r << 16 | g << 8 | b
    cloud = PointCloud2(height=height, width=width, point_step=16, row_step=16 * width)
    cloud.fields = [PointField(name=n, offset=4 * i, datatype=7, count=1) for i, n in enumerate("xyz")]
    data = array.array("B")
    data.frombytes(memoryview(points).cast("B"))  # type: ignore[arg-type]
    cloud.data = data
    return cloud
