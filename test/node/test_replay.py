# SPDX-License-Identifier: Apache-2.0
"""Bags through real topics into a node in its own process, one frame after another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image

from depthpro_ros.node.bag_images import BagImages
from depthpro_ros.node.outputs import DEPTH, DEPTH_INFO, POINTS
from depthpro_ros.node.replay import LockStepReplay
from depthpro_ros.node.replay_base import ReplayError
from depthpro_ros.node.replayed_frame import ReplayedFrame

from .harness import Peer

rosbag2 = pytest.importorskip("rosbags.rosbag2", reason="rosbags is not installed")

FRAMES, HEIGHT, WIDTH = 12, 16, 24


def focal(number: int) -> float:
    """A lens that zooms, so that a calibration of another frame shows."""
    return 20.0 + number


def write_bag(path: Path, ros1: bool = False) -> None:
    """Images of one colour each, whose CameraInfo follows after them, as some drivers record it."""
    from rosbags.rosbag1 import Writer as Writer1
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS1_NOETIC if ros1 else Stores.ROS2_HUMBLE)
    types = store.types
    writer = Writer1(path) if ros1 else rosbag2.Writer(path, version=8, storage_plugin=rosbag2.StoragePlugin.MCAP)
    image_type, info_type = "sensor_msgs/msg/Image", "sensor_msgs/msg/CameraInfo"
    serialise = store.serialize_ros1 if ros1 else store.serialize_cdr
    with writer:
        images = writer.add_connection("/cam/image", image_type, typestore=store)
        infos = writer.add_connection("/cam/camera_info", info_type, typestore=store)
        for n in range(FRAMES):
            time = types["builtin_interfaces/msg/Time"](1_700_000_000 + n, 7)
            seq = {"seq": n} if ros1 else {}
            header = types["std_msgs/msg/Header"](**seq, stamp=time, frame_id="optical")
            pixels = np.full(HEIGHT * WIDTH * 3, 10 * n, np.uint8)
            image = types[image_type](header, HEIGHT, WIDTH, "rgb8", 0, 3 * WIDTH, pixels)
            k = np.array([focal(n), 0, 12, 0, focal(n), 8, 0, 0, 1], np.float64)
            p = np.array([focal(n), 0, 12, 0, 0, focal(n), 8, 0, 0, 0, 1, 0], np.float64)
            roi = types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
            matrices = (np.zeros(5), k, np.eye(3).ravel(), p)
            info = types[info_type](header, HEIGHT, WIDTH, "plumb_bob", *matrices, 0, 0, roi)
            writer.write(images, n * 10**8, serialise(image, image_type))
            writer.write(infos, n * 10**8 + 1, serialise(info, info_type))


def test_every_frame_is_answered_with_its_own_calibration(start: Callable[..., Peer], tmp_path: Path) -> None:
    write_bag(tmp_path / "bag")
    # slower than the bag: playing it in real time would lose frames
    start("replayed", "--delay", "0.15", remaps={"image": "/cam/image"})
    replay = LockStepReplay(namespace="replayed", timeout_s=20)
    frames: list[ReplayedFrame] = []
    try:
        with BagImages(tmp_path / "bag") as images:
            stats = replay.run(images, frames.append)
    finally:
        replay.close()
    assert (stats.frames_in, stats.frames_out) == (FRAMES, FRAMES)
    assert min(stats.latencies_s) > 0.15
    for n, frame in enumerate(frames):
        assert frame.attempts == 1
        assert {DEPTH, DEPTH_INFO, POINTS} == set(frame.outputs) == set(frame.arrival_s)
        assert frame.image is not None
        assert all(m.header == frame.image.message.header for m in frame.outputs.values())
        assert frame.outputs[DEPTH_INFO].k[0] == focal(n)
        recording = {topic: (time, data) for topic, _, time, data in frame.recording("/cam/image", "replayed")}
        assert deserialize_message(recording["/replayed/depth/image"][1], Image) == frame.outputs[DEPTH]
        assert recording["/replayed/depth/image"][0] - recording["/cam/image"][0] > 0.15e9
        expected = (1 + 10 * n / 64) * focal(n) / WIDTH
        np.testing.assert_allclose(np.frombuffer(frame.outputs[DEPTH].data, "<f4"), expected, rtol=1e-6)


def test_a_missing_node_is_named(tmp_path: Path, ros: None) -> None:
    write_bag(tmp_path / "bag")
    replay = LockStepReplay(namespace="nobody", image_topic="/nobody/image", ready_s=0.5)
    try:
        no_node = r"no depth node listened to /nobody/image.*-r image:=/nobody/image"
        with BagImages(tmp_path / "bag") as images, pytest.raises(ReplayError, match=no_node):
            replay.run(images, print)
    finally:
        replay.close()
