# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from depthpro_ros.camera import CameraModel, Intrinsics
from depthpro_ros.cloud import Projector, finite_points
from depthpro_ros.node.messages import (
    CloudWriter,
    ColourWriter,
    DepthWriter,
    camera_info,
    camera_model,
    millimetres,
)

INTRINSICS = Intrinsics(4, 3, 5.0, 6.0, 1.25, 0.75)


def header() -> Header:
    result = Header(frame_id="optical")
    result.stamp.sec, result.stamp.nanosec = 1_700_000_000, 999_999_999
    return result


def read(cloud: object) -> np.ndarray:
    """The points of a PointCloud2, by its own description of itself."""
    types = {7: "<f4"}
    layout = np.dtype(
        {
            "names": [f.name for f in cloud.fields],  # type: ignore[attr-defined]
            "formats": [types[f.datatype] for f in cloud.fields],  # type: ignore[attr-defined]
            "offsets": [f.offset for f in cloud.fields],  # type: ignore[attr-defined]
            "itemsize": cloud.point_step,  # type: ignore[attr-defined]
        }
    )
    points = np.frombuffer(cloud.data, layout)  # type: ignore[attr-defined]
    assert cloud.row_step == cloud.width * cloud.point_step  # type: ignore[attr-defined]
    return points.reshape(cloud.height, cloud.width)  # type: ignore[attr-defined]


def test_camera_info_comes_back() -> None:
    camera = CameraModel(
        8,
        6,
        (5.0, 0.0, 4.0, 0.0, 6.0, 3.0, 0.0, 0.0, 1.0),
        (0.1, -0.2, 0.0, 0.0),
        "equidistant",
        p=tuple(float(i) for i in range(12)),
        binning_x=2,
        binning_y=3,
        roi=(1, 2, 4, 3),
        frame_id="optical",
    )
    message = camera_info(camera, header())
    assert camera_model(message) == camera
    assert message.header == header()


def test_an_empty_camera_info_is_not_calibrated() -> None:
    assert not camera_model(CameraInfo()).calibrated


def test_depth_in_metres_keeps_every_bit() -> None:
    depth = torch.tensor([[1.1, torch.nan], [torch.inf, -torch.inf], [0.0, 3.0]])
    message = DepthWriter().message(depth, header(), "32FC1")
    assert (message.height, message.width, message.encoding, message.step) == (3, 2, "32FC1", 8)
    assert message.header == header() and not message.is_bigendian
    np.testing.assert_array_equal(np.frombuffer(message.data, "<f4").reshape(3, 2), depth.numpy())


def test_depth_in_millimetres_is_zero_where_there_is_none() -> None:
    metres = [0.0004, 0.0006, 1.2344, 1.2346, 65.535, 65.536, 1e4, math.inf, -math.inf, math.nan, -1.0, 40.0]
    expected = [0, 1, 1234, 1235, 65535, 0, 0, 0, 0, 0, 0, 40000]
    message = DepthWriter().message(torch.tensor(metres).reshape(3, 4), header(), "16UC1")
    assert (message.encoding, message.step, len(message.data)) == ("16UC1", 8, 24)
    assert np.frombuffer(message.data, "<u2").tolist() == expected
    assert millimetres(torch.tensor(metres)).tolist() == expected


def test_an_organised_cloud_is_rows_by_columns() -> None:
    depth = torch.arange(1.0, 13.0).reshape(3, 4)
    depth[1, 2] = torch.nan
    rgb = torch.zeros(3, 4, 3, dtype=torch.uint8)
    rgb[0, 1] = torch.tensor([255, 128, 1], dtype=torch.uint8)
    writer = CloudWriter()
    memory = writer.memory(3, 4)
    packed = Projector(INTRINSICS, 1, torch.device("cpu")).pack(depth, rgb, memory)
    message = writer.message(packed, header())
    assert (message.height, message.width, message.is_dense, message.point_step) == (3, 4, False, 16)
    points = read(message)
    assert points["z"][2, 3] == 12
    assert points["x"][2, 3] == pytest.approx((3 - 1.25) * 12 / 5)
    assert points["y"][2, 3] == pytest.approx((2 - 0.75) * 12 / 6)
    assert all(np.isnan(points[n][1, 2]) for n in "xyz")
    assert points["rgb"].view(np.uint32)[0, 1] == 0xFF8001
    assert memory.data_ptr() == np.frombuffer(message.data, np.uint8).ctypes.data, "the points were copied"


def test_an_unorganised_cloud_is_one_dense_row() -> None:
    depth = torch.tensor([[1.0, torch.nan], [torch.inf, 4.0]])
    cloud = finite_points(Projector(Intrinsics(2, 2, 1, 1, 0, 0), 1, torch.device("cpu")).pack(depth, None))
    message = CloudWriter().message(cloud, header())
    assert (message.height, message.width, message.is_dense) == (1, 2, True)
    assert read(message)["z"].tolist() == [[1.0, 4.0]]


def test_a_cloud_without_points_is_empty() -> None:
    message = CloudWriter().message(torch.empty(0, 4), header())
    assert (message.height, message.width, len(message.data)) == (1, 0, 0)


def test_memory_is_used_again_while_the_size_stays() -> None:
    writer = DepthWriter()
    first = writer.message(torch.zeros(3, 4), header(), "32FC1").data
    assert writer.message(torch.ones(3, 4), header(), "32FC1").data is first
    assert len(writer.message(torch.ones(3, 5), header(), "32FC1").data) == 60


def test_memory_of_another_cloud_is_not_taken_for_this_one() -> None:
    writer = CloudWriter()
    memory = writer.memory(1, 2)
    memory.fill_(1)
    message = writer.message(torch.full((1, 2, 4), 2.0), header())
    assert read(message)["x"].tolist() == [[2.0, 2.0]]


def test_a_picture_is_written_as_it_is() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (3, 5, 3), np.uint8)
    writer = ColourWriter()
    message = writer.message(rgb[:, ::-1], header())
    assert (message.encoding, message.height, message.width, message.step) == ("rgb8", 3, 5, 15)
    assert message.header == header() and not message.is_bigendian
    assert message.data.tobytes() == rgb[:, ::-1].tobytes()
    assert writer.message(rgb, header()).data is message.data
