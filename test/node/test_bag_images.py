# SPDX-License-Identifier: Apache-2.0
"""Images of bags as messages that are ready to be published."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage

from depthpro_ros.bag_messages import sibling_info_topic
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.run.frames import Selection
from depthpro_ros.node.bag_images import BagImages
from depthpro_ros.node.pairing import stamp_ns
from depthpro_ros.node.replay_base import topic_of
from test.bag_writer import BagWriter

from .test_replay import FRAMES, HEIGHT, WIDTH, focal, write_bag

S = 10**9
PIXELS = np.zeros((4, 6, 3), np.uint8)


@pytest.mark.parametrize("ros1", [False, True], ids=["rosbag2", "ros1"])
def test_images_come_with_their_calibration(tmp_path: Path, ros1: bool) -> None:
    path = tmp_path / ("bag.bag" if ros1 else "bag")
    write_bag(path, ros1)
    with BagImages(path) as bag:
        assert (bag.image_topic, len(bag)) == ("/cam/image", FRAMES)
        items = list(bag)
    for n, item in enumerate(items):
        assert item.camera_info is not None
        image, info = item.image.message, item.camera_info.message
        assert image.header == info.header
        assert stamp_ns(image.header) == item.image.stamp_ns == (1_700_000_000 + n) * 10**9 + 7
        assert (image.encoding, image.step, set(image.data)) == ("rgb8", 3 * WIDTH, {10 * n})
        assert (info.width, info.height, info.distortion_model) == (WIDTH, HEIGHT, "plumb_bob")
        assert info.k[0] == info.p[0] == focal(n)


def test_a_bag_that_is_none_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no .*nothing"):
        BagImages(tmp_path / "nothing")
    write_bag(tmp_path / "bag")
    with pytest.raises(InputError, match=r"no images on /other; it has them on \['/cam/image'\]"):
        BagImages(tmp_path / "bag", "/other")


def test_siblings() -> None:
    assert sibling_info_topic("/cam/image_raw") == "/cam/camera_info"
    assert sibling_info_topic("/cam/image_raw/compressed") == "/cam/camera_info"


def infos_of(path: Path, **options: Selection) -> list[float | None]:
    """Focal lengths of the calibrations that go with the images."""
    with BagImages(path, **options) as images:
        return [None if i.camera_info is None else float(i.camera_info.message.k[0]) for i in images]


def test_an_image_has_the_calibration_of_its_stamp_or_the_last_before_or_the_first(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        for second in range(5):
            bag.image("/cam/image", (10 + second) * S, PIXELS, "rgb8")
        for second, fx in ((11, 20.0), (13, 30.0)):
            bag.info("/cam/camera_info", second * S, fx)
    assert infos_of(tmp_path / "bag") == [20, 20, 20, 30, 30]
    with BagImages(tmp_path / "bag") as images:
        assert [i.camera_info.stamp_ns // S for i in images if i.camera_info] == [11, 11, 11, 13, 13]


def test_calibrations_that_differ_in_their_stamp_alone_keep_it(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        for second in range(3):
            bag.info("/cam/camera_info", second * S + 5 * S, 20.0)
            bag.image("/cam/image", second * S + 5 * S, PIXELS, "rgb8")
    with BagImages(tmp_path / "bag") as images:
        infos = [i.camera_info for i in images]
    assert [stamp_ns(i.message.header) for i in infos if i] == [5 * S, 6 * S, 7 * S]


def test_no_calibration_is_none(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        bag.image("/cam/image", S, PIXELS, "rgb8")
    assert infos_of(tmp_path / "bag") == [None]


def test_the_timeline_is_as_recorded_and_begins_with_the_calibration_before(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        for second in range(10, 15):
            bag.info("/cam/camera_info", second * S, float(second))
            bag.image("/cam/image", second * S, PIXELS, "rgb8")  # is recorded 5 ms later
    with BagImages(tmp_path / "bag", selection=Selection(start_s=1.5, limit=2)) as images:
        timeline = [(m.is_image, m.stamp_ns // S, m.time_ns) for m in images.timeline()]
        assert images.stamps_ns.tolist() == [12 * S, 13 * S]
    late = 5_000_000
    assert timeline == [
        (False, 12, 12 * S + late), (True, 12, 12 * S + late), (False, 13, 13 * S), (True, 13, 13 * S + late)
    ]  # fmt: skip


def test_the_calibration_of_the_last_image_is_sent_where_it_was_recorded_after_it(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        for second in (10, 11, 12):
            bag.image("/cam/image", second * S, PIXELS, "rgb8", time_ns=second * S - 10**8)
            bag.info("/cam/camera_info", second * S, 20.0)
    with BagImages(tmp_path / "bag", selection=Selection(limit=2)) as images:
        assert [(m.is_image, m.stamp_ns // S) for m in images.timeline()] == [
            (True, 10), (False, 10), (True, 11), (False, 11)
        ]  # fmt: skip


def test_stamps_are_the_times_where_the_bag_has_one_time_for_all(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        for second in (10, 11, 13):
            bag.image("/cam/image", second * S, PIXELS, "rgb8", time_ns=0)
    with BagImages(tmp_path / "bag") as images:
        assert [m.time_ns // S for m in images.timeline()] == [10, 11, 13]


def test_an_image_without_stamp_gets_the_time_of_its_recording(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        bag.image("/cam/image", 0, PIXELS, "rgb8", time_ns=7 * S + 3)
    with BagImages(tmp_path / "bag") as images:
        (item,) = images
    assert stamp_ns(item.image.message.header) == item.image.stamp_ns == 7 * S + 3


def test_compressed_images_of_ros_1_are_ros_2_messages(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (8, 10, 3), np.uint8)
    with BagWriter(tmp_path / "bag", "ros1") as bag:
        data = cv2.imencode(".png", picture)[1].tobytes()
        bag.compressed("/cam/image/compressed", 3 * S, data, "png", frame_id="/cam")
        bag.info("/cam/camera_info", 3 * S, 20.0, frame_id="/cam")
    with BagImages(bag.path) as images:
        assert (images.message_type, topic_of(images)) == (CompressedImage, "/cam/image/compressed")
        (item,) = images
    message = deserialize_message(item.image.data, CompressedImage)
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(message.data, np.uint8), 1), picture)
    # ROS 2 has no slash before frames; both lose it, so that they stay the same frame
    assert item.camera_info is not None
    info = deserialize_message(item.camera_info.data, CameraInfo)
    assert (message.format, message.header.frame_id, info.header.frame_id) == ("png", "cam", "cam")
    assert (info.k[0], info.p[0], info.roi.width) == (20.0, 40.0, 0)


@pytest.mark.parametrize(
    ("recorded", "published"),
    [
        ("/cam/image_rect", "/cam/image_rect"),
        ("/0/my-cam//image~raw", "/_0/my_cam/image_raw"),
        ("cam__1/image", "/cam_1/image"),
    ],
)
def test_topics_become_names_of_ros_2(tmp_path: Path, recorded: str, published: str) -> None:
    with BagWriter(tmp_path / "bag", "ros1") as bag:
        bag.image(recorded, S, PIXELS, "rgb8")
    with BagImages(bag.path) as images:
        assert topic_of(images) == published
