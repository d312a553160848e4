# SPDX-License-Identifier: Apache-2.0
"""Serialised images, as ROS writes them and as a machine of the other byte order would."""

from __future__ import annotations

import array
import struct

import numpy as np
import pytest
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from depthpro_ros.bench.received_image import read_image
from depthpro_ros.errors import InputError
from depthpro_ros.node.decoding import ImageDecoder

FIELDS = ("header", "height", "width", "encoding", "is_bigendian", "step")


def image(frame_id: str = "cam", encoding: str = "bgr8") -> Image:
    header = Header(frame_id=frame_id)
    header.stamp.sec, header.stamp.nanosec = -7, 3_999_999_999
    pixels = np.arange(4 * 5 * 3, dtype=np.uint8)
    data = array.array("B", pixels.tobytes())
    return Image(header=header, height=4, width=5, encoding=encoding, step=15, is_bigendian=1, data=data)


def memory(serialised: bytes) -> np.ndarray:
    return np.frombuffer(serialised, np.uint8)


@pytest.mark.parametrize("frame_id", ["", "a", "ab", "abc", "abcd", "camera_optical_frame", "Tür"])
@pytest.mark.parametrize("encoding", ["bgr8", "mono8", "32FC1", "bayer_rggb8", ""])
def test_what_ros_has_serialised_is_read(frame_id: str, encoding: str) -> None:
    sent = image(frame_id, encoding)
    received = read_image(memory(serialize_message(sent)))
    assert [getattr(received, name) for name in FIELDS] == [getattr(sent, name) for name in FIELDS]
    assert received.data.tobytes() == sent.data.tobytes()


def test_the_data_is_not_copied() -> None:
    serialised = memory(serialize_message(image()))
    assert np.shares_memory(read_image(serialised).data, serialised)


def test_the_other_byte_order_is_read() -> None:
    # in the order of the OMG's CDR: stamp, frame_id "o", height 1, width 2, encoding "mono8", is_bigendian, step, data
    big = b"\0\0\0\0" + struct.pack(
        ">iI I2s2x II I6s B x I I2s", 1, 2, 2, b"o\0", 1, 2, 6, b"mono8\0", 1, 2, 2, b"\7\x09"
    )
    received = read_image(memory(big))
    assert (received.header.stamp.sec, received.header.stamp.nanosec, received.header.frame_id) == (1, 2, "o")
    assert (received.height, received.width, received.encoding, received.step) == (1, 2, "mono8", 2)
    assert received.data.tolist() == [7, 9]


def test_the_decoder_takes_it_for_an_image() -> None:
    sent = image()
    received = read_image(memory(serialize_message(sent)))
    np.testing.assert_array_equal(ImageDecoder().rgb(received), ImageDecoder().rgb(sent))


@pytest.mark.parametrize("size", [4, 9, 30, 80])
def test_a_message_that_ends_too_early_is_refused(size: int) -> None:
    with pytest.raises(InputError, match=f"ends after {size} bytes"):
        read_image(memory(serialize_message(image())[:size]))
