# SPDX-License-Identifier: Apache-2.0
"""Our clouds, read by ROS's own library."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from std_msgs.msg import Header

from depthpro_ros.camera import Intrinsics
from depthpro_ros.cloud import Projector
from depthpro_ros.node.messages import CloudWriter

point_cloud2 = pytest.importorskip(
    "sensor_msgs_py.point_cloud2", reason="sensor_msgs_py comes with a ROS distribution, not from PyPI"
)


def test_sensor_msgs_py_reads_the_same_points_and_colours() -> None:
    generator = torch.Generator().manual_seed(0)
    depth = torch.rand(3, 5, generator=generator) + 1
    depth[1, 2] = torch.inf
    rgb = torch.randint(0, 256, (3, 5, 3), generator=generator, dtype=torch.uint8)
    camera = Intrinsics(5, 3, 4.0, 4.5, 2.0, 1.0)
    message = CloudWriter().message(Projector(camera, 1, torch.device("cpu")).pack(depth, rgb), Header())

    # not with reshape_organized_cloud, which takes (width, height) for the shape
    points = point_cloud2.read_points(message).reshape(3, 5)
    assert len(point_cloud2.read_points(message, field_names=["x", "y", "z"], skip_nans=True)) == 14
    np.testing.assert_array_equal(points["z"][2, 4], depth[2, 4].numpy())
    assert points["x"][2, 4] == pytest.approx((4 - camera.cx) / camera.fx * float(depth[2, 4]))
    r, g, b = (int(c) for c in rgb[2, 4])
    assert int(points["rgb"][2, 4].view(np.uint32)) == r << 16 | g << 8 | b
