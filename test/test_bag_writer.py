# SPDX-License-Identifier: Apache-2.0
"""Messages of bags, read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rosbags")

from rosbags.highlevel import AnyReader

from depthpro_ros.bag_messages import camera_model, depth_metres, rgb_pixels
from depthpro_ros.bag_writer import (
    BagWriter,
    RawMessage,
    camera_info_message,
    header,
    image_message,
    is_bag,
)
from depthpro_ros.camera import CameraModel

STAMP_NS = 12 * 10**9 + 34
DISTORTED = CameraModel(
    640,
    480,
    k=(500.5, 0, 320.25, 0, 501.5, 240.75, 0, 0, 1),
    d=(0.1, -0.2, 0.001, 0.002, 0.05),
    distortion_model="plumb_bob",
    r=(0, 1, 0, -1, 0, 0, 0, 0, 1),
    p=(400, 0, 310, -40, 0, 400, 230, 0, 0, 0, 1, 0),
    binning_x=2,
    binning_y=2,
    roi=(10, 20, 300, 200),
    frame_id="left",
)


def only_message(path: Path) -> object:
    with AnyReader([path]) as reader:
        ((connection, time_ns, raw),) = reader.messages()
        assert time_ns == STAMP_NS
        return reader.deserialize(raw, connection.msgtype)


def test_a_calibration_survives_whole(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        bag.write("/info", camera_info_message(header(STAMP_NS, "left"), DISTORTED), STAMP_NS)
    assert camera_model(only_message(tmp_path / "bag"), is_ros2=True) == DISTORTED


def test_parts_of_larger_images_are_written_without_the_rest(tmp_path: Path) -> None:
    pixels = np.arange(10 * 12 * 3, dtype=np.uint8).reshape(10, 12, 3)[2:7, 3:9]
    with BagWriter(tmp_path / "rgb") as bag:
        bag.write("/image", image_message(header(STAMP_NS, "left"), pixels, "rgb8"), STAMP_NS)
    np.testing.assert_array_equal(rgb_pixels(only_message(tmp_path / "rgb")), pixels)
    millimetres = np.arange(1, 61, dtype=np.uint16).reshape(6, 10).T
    with BagWriter(tmp_path / "depth") as bag:
        bag.write("/depth", image_message(header(STAMP_NS, "left"), millimetres, "16UC1"), STAMP_NS)
    np.testing.assert_allclose(depth_metres(only_message(tmp_path / "depth")), millimetres / 1000, rtol=1e-6)


def test_serialised_messages_are_written_as_they_are(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        bag.write("/info", camera_info_message(header(STAMP_NS, "left"), DISTORTED), STAMP_NS)
    with AnyReader([tmp_path / "bag"]) as reader:
        ((connection, time_ns, data),) = reader.messages()
        message: RawMessage = (connection.topic, connection.msgtype, time_ns, bytes(data))
    with BagWriter(tmp_path / "copy") as copy:
        copy.write_raw(message)
    with AnyReader([tmp_path / "copy"]) as reader:
        ((connection, time_ns, data),) = reader.messages()
        assert (connection.topic, connection.msgtype, time_ns, bytes(data)) == message


def test_a_bag_is_metadata_and_mcap_files_only(tmp_path: Path) -> None:
    (tmp_path / "a.mcap").touch()
    assert is_bag(tmp_path)  # a recorder that was killed leaves no metadata
    (tmp_path / "metadata.yaml").touch()
    assert is_bag(tmp_path)
    assert not is_bag(tmp_path / "a.mcap")
    (tmp_path / "notes.txt").touch()
    assert not is_bag(tmp_path)
