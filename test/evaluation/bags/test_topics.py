# SPDX-License-Identifier: Apache-2.0
"""Which topics are found."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("rosbags")

from depthpro_ros.bag_messages import COMPRESSED, IMAGE, INFO
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.bags.messages import CLOUD
from depthpro_ros.evaluation.bags.presets import PRESETS
from depthpro_ros.evaluation.bags.recording import Recording
from depthpro_ros.evaluation.bags.topic_info import TopicInfo, list_topics
from depthpro_ros.evaluation.bags.topics import Wanted, choose_depth, choose_topics, topic_table
from test.bag_writer import BagWriter

RGB = np.zeros((4, 6, 3), np.uint8)
DEPTH = np.ones((4, 6), np.float32)


def image(name: str, encoding: str = "rgb8", frame: str = "camera", size: tuple[int, int] = (6, 4)) -> TopicInfo:
    return TopicInfo(name, IMAGE, 5, encoding, *size, frame)


def info(name: str, frame: str = "camera") -> TopicInfo:
    return TopicInfo(name, INFO, 5, "", 6, 4, frame)


def packed(name: str, kind: str, frame: str = "camera") -> TopicInfo:
    return TopicInfo(name, COMPRESSED, 5, kind, frame_id=frame)


def cloud(name: str) -> TopicInfo:
    return TopicInfo(name, CLOUD, 5, frame_id="lidar")


@pytest.mark.parametrize("storage", ["mcap", "sqlite", "ros1"])
def test_what_a_bag_shows(tmp_path: Path, storage: str) -> None:
    with BagWriter(tmp_path / "bag", storage) as bag:
        bag.info("/c/camera_info", 0, 5.0)
        bag.image("/c/image_raw", 0, RGB, "bgr8", frame_id="/openni_rgb_optical_frame")
        bag.compressed("/c/image_raw/compressed", 0, cv2.imencode(".png", RGB)[1].tobytes(), "bgr8; png compressed")
        depth = struct.pack("<iff", 0, 0, 0) + cv2.imencode(".png", np.ones((4, 6), np.uint16))[1].tobytes()
        bag.compressed("/d/image/compressedDepth", 0, depth, "16UC1; compressedDepth png")
        bag.cloud("/points", 0, np.ones((3, 3)))
        bag.transform(0, "base", "camera", (0, 0, 0), static=True)
    with Recording(bag.path) as recording:
        topics = list_topics(recording)
    assert {topic.name: topic.kind for topic in topics} == {
        "/c/camera_info": "camera_info",
        "/c/image_raw": "colour",
        "/c/image_raw/compressed": "colour",
        "/d/image/compressedDepth": "depth",
        "/points": "cloud",
        "/tf_static": "other",
    }
    raw = topics[1]
    assert (raw.encoding, raw.width, raw.height, raw.frame_id) == ("bgr8", 6, 4, "openni_rgb_optical_frame")
    choice = choose_topics(topics)
    assert (choice.image, choice.camera_info) == ("/c/image_raw", "/c/camera_info")
    assert choice.truth == "/d/image/compressedDepth"
    table = topic_table(topics, choice).splitlines()
    assert table[0].split() == ["topic", "type", "messages", "encoding", "size", "frame", "used", "as"]
    assert table[2].split() == ["/c/image_raw", "sensor_msgs/Image", "1", "bgr8", "6x4", raw.frame_id, "image"]


@pytest.mark.parametrize("name", list(PRESETS))
def test_recorders_are_recognised(name: str) -> None:
    preset = PRESETS[name]
    truth = cloud(preset.truth[0]) if preset.truth_kind == "cloud" else image(preset.truth[0], "16UC1", "depth")
    topics = [image("/other/image"), image(preset.image[0]), info(preset.camera_info[0]), truth]
    topics += [info(topic, "depth") for topic in preset.truth_info]
    for asked in (None, name):
        choice = choose_topics(topics, preset=asked)
        assert (choice.image, choice.camera_info) == (preset.image[0], preset.camera_info[0])
        assert (choice.truth, choice.truth_kind) == (truth.name, preset.truth_kind)
        assert choice.truth_info == (preset.truth_info[0] if preset.truth_info else None)
        assert choice.reason == f"preset {name}"


def test_a_preset_takes_the_compressed_transport_too() -> None:
    topics = [
        packed("/camera/camera/color/image_raw/compressed", "rgb8; jpeg compressed bgr8"),
        info("/camera/camera/color/camera_info"),
        packed("/camera/camera/aligned_depth_to_color/image_raw/compressedDepth", "16UC1; compressedDepth png"),
    ]
    choice = choose_topics(topics)
    assert choice.image == topics[0].name and choice.truth == topics[2].name
    assert (choice.truth_kind, choice.reason) == ("registered", "preset realsense_ros2")


def test_what_is_told_wins() -> None:
    topics = [
        image("/camera/rgb/image_color"),
        info("/camera/rgb/camera_info"),
        image("/camera/depth/image", "32FC1"),
        image("/my/depth", "32FC1", "elsewhere"),
        info("/my/camera_info", "elsewhere"),
    ]
    choice = choose_topics(topics, Wanted(truth="/my/depth"))
    assert (choice.image, choice.truth, choice.truth_kind) == ("/camera/rgb/image_color", "/my/depth", "depth")
    assert choice.truth_info == "/my/camera_info"
    assert choice.reason == "preset tum; as told: truth"
    assert choose_topics(topics, Wanted(truth_kind="depth")).truth_kind == "depth"


@pytest.mark.parametrize(
    ("truth", "kind"),
    [
        (image("/d/image", "32FC1"), "registered"),  # same frame and size
        (image("/d/image", "32FC1", size=(3, 2)), "depth"),  # another size
        (image("/d/image", "16UC1", "depth"), "depth"),  # another frame
        (image("/d/aligned_depth_to_color/image", "16UC1", "depth"), "registered"),
        (image("/d/depth/image", "mono16"), "registered"),
        (cloud("/velodyne_points"), "cloud"),
    ],
)
def test_what_kind_of_truth(truth: TopicInfo, kind: str) -> None:
    choice = choose_topics([image("/c/image"), info("/c/camera_info"), truth])
    assert (choice.truth, choice.truth_kind) == (truth.name, kind)


def test_better_candidates_come_first() -> None:
    topics = [
        image("/infra1/image_rect_raw", "mono8"),
        info("/infra1/camera_info"),
        image("/front/left/image_rect"),
        info("/front/left/camera_info"),
        image("/front/right/image_rect"),
        info("/front/right/camera_info"),
        image("/overlay/image"),
        image("/front/depth", "32FC1", "elsewhere"),
        image("/front/left/depth", "32FC1"),
        cloud("/points"),
    ]
    choice = choose_topics(topics)
    assert (choice.image, choice.truth) == ("/front/left/image_rect", "/front/left/depth")


def test_a_bag_without_truth_or_calibration_has_an_image() -> None:
    choice = choose_topics([image("/image")])
    assert (choice.image, choice.camera_info, choice.truth, choice.truth_kind) == ("/image", None, None, None)


@pytest.mark.parametrize(
    ("topics", "wanted", "preset", "problem"),
    [
        ([cloud("/points")], None, None, "no colour images; topics are /points"),
        ([image("/a/image"), image("/b/image")], None, None, "2 topics may be the image: /a/image, /b/image"),
        ([image("/c/image"), cloud("/a"), cloud("/b")], None, None, "2 topics may be the ground truth: /a, /b"),
        ([image("/c/image")], Wanted(truth="/none"), None, "no messages on /none; there are on /c/image"),
        ([image("/c/image")], None, "kinect", "no preset 'kinect'; there are tum"),
        ([image("/c/image")], None, "tum", "preset tum expects images on /camera/rgb/image_color"),
    ],
)
def test_what_cannot_be_chosen(
    topics: list[TopicInfo], wanted: Wanted | None, preset: str | None, problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        choose_topics(topics, wanted, preset)


def test_the_topic_of_a_prediction() -> None:
    assert choose_depth([image("/depth/image", "32FC1"), image("/image")]) == "/depth/image"
    both = [image("/depth/image", "32FC1"), packed("/depth/image/compressedDepth", "32FC1; compressedDepth png")]
    assert choose_depth(both) == "/depth/image"
    assert choose_depth(both[1:]) == "/depth/image/compressedDepth"
    several = [image("/a", "32FC1"), image("/b", "32FC1")]
    assert choose_depth(several, "/b") == "/b"
    with pytest.raises(InputError, match="2 topics have depth images"):
        choose_depth(several)
    with pytest.raises(InputError, match="no depth images on /image"):
        choose_depth([image("/image")], "/image")
