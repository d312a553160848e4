# SPDX-License-Identifier: Apache-2.0
"""Messages that we serialise, against two other serialisations of the same: that of ROS, and that of rosbags.

ROS leaves the padding between fields as it finds it in memory, so only rosbags' can be compared to the last byte.
"""

from __future__ import annotations

import array
from typing import Any

import numpy as np
import pytest
import torch
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Image, PointCloud2
from std_msgs.msg import Header

from depthpro_ros.node.cdr import ALIGNMENT, ROOM, SerialisedMessage
from depthpro_ros.node.messages import CloudWriter, ColourWriter, DepthWriter

FRAMES = ["", "a", "ab", "abc", "abcd", "camera_optical_frame", "Kamera für Tiefe", "x" * (2 * ROOM)]
"""Every padding that a string can make necessary, characters of several bytes, and one that needs more room."""


def header(frame_id: str) -> Header:
    result = Header(frame_id=frame_id)
    result.stamp.sec, result.stamp.nanosec = -5, 4_000_000_000
    return result


def of_rosbags(message: Any) -> bytes:
    """A ROS message as rosbags serialises it."""
    typesys = pytest.importorskip("rosbags.typesys", reason="rosbags is not installed: pip install .[test]")
    store = typesys.get_typestore(typesys.Stores.ROS2_HUMBLE)

    def converted(value: Any) -> Any:
        if hasattr(value, "get_fields_and_field_types"):
            name = f"{type(value).__module__.split('.')[0]}/msg/{type(value).__name__}"
            return store.types[name](**{n: converted(getattr(value, n)) for n in value.get_fields_and_field_types()})
        if isinstance(value, array.array):
            return np.frombuffer(value, np.uint8)
        return [converted(v) for v in value] if isinstance(value, list) else value

    name = f"sensor_msgs/msg/{type(message).__name__}"
    return bytes(store.serialize_cdr(converted(message), name))


def check(message: Any, serialised: SerialisedMessage) -> None:
    """Both must say the same."""
    ours, theirs = bytes(serialised), serialize_message(message)
    assert ours == of_rosbags(message)
    assert len(ours) == len(theirs)
    assert all(a == b or a == 0 for a, b in zip(ours, theirs, strict=True)), "more than padding differs"
    assert deserialize_message(ours, type(message)) == message


@pytest.mark.parametrize("frame_id", FRAMES)
@pytest.mark.parametrize("encoding", ["32FC1", "16UC1"])
def test_depth_is_serialised_as_others_do_it(frame_id: str, encoding: str) -> None:
    depth = torch.rand(3, 5) * 20
    usual, serialised = (DepthWriter(serialised=s).message(depth, header(frame_id), encoding) for s in (False, True))
    check(usual, serialised)


@pytest.mark.parametrize("frame_id", FRAMES)
@pytest.mark.parametrize("shape", [(3, 5, 4), (7, 4), (0, 4)])
def test_a_cloud_is_serialised_as_others_do_it(frame_id: str, shape: tuple[int, ...]) -> None:
    cloud = torch.rand(*shape)
    usual, serialised = (CloudWriter(serialised=s).message(cloud, header(frame_id)) for s in (False, True))
    check(usual, serialised)


def test_a_picture_is_serialised_as_others_do_it() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (3, 5, 3), np.uint8)
    usual, serialised = (ColourWriter(serialised=s).message(rgb, header("optical")) for s in (False, True))
    check(usual, serialised)


def test_a_message_that_was_never_filled_is_serialised() -> None:
    check(Image(), SerialisedMessage(Image()).sealed())
    check(PointCloud2(), SerialisedMessage(PointCloud2()).sealed())


def test_ros_reads_what_was_written_into_the_memory() -> None:
    writer = CloudWriter(serialised=True)
    memory = writer.memory(2, 3)
    memory.copy_(torch.arange(24.0).reshape(2, 3, 4))
    message = deserialize_message(bytes(writer.message(memory, header("optical"))), PointCloud2)
    assert (message.height, message.width, message.row_step, message.is_dense) == (2, 3, 48, False)
    assert message.header == header("optical")
    np.testing.assert_array_equal(np.frombuffer(message.data, np.float32), np.arange(24))


def test_memory_is_used_again_though_the_fields_change_their_length() -> None:
    writer = CloudWriter(serialised=True)
    memory = writer.memory(2, 3)
    data = writer.message(memory, header("short")).data
    again = writer.memory(2, 3)
    again.fill_(7)
    message = writer.message(again, header("a longer name"))
    assert message.data is data and again.data_ptr() == memory.data_ptr()
    points = deserialize_message(bytes(message), PointCloud2)
    assert np.frombuffer(points.data, np.float32).tolist() == [7.0] * 24


def test_another_size_gets_other_memory() -> None:
    writer = DepthWriter(serialised=True)
    writer.message(torch.zeros(3, 4), header("a"), "32FC1")
    message = deserialize_message(bytes(writer.message(torch.ones(3, 5), header("a"), "32FC1")), Image)
    assert (message.height, message.width, message.step) == (3, 5, 20)
    assert message.data == array.array("B", np.ones(15, np.float32).tobytes())


def test_the_data_begins_with_a_cache_line() -> None:
    for columns in range(1, 20):
        assert CloudWriter(serialised=True).memory(1, columns).data_ptr() % ALIGNMENT == 0
