# SPDX-License-Identifier: Apache-2.0
"""The output bag, read back with rosbags and with the readers of the MCAP project, which share no code."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("rosbags")
yaml = pytest.importorskip("yaml")
mcap_reader = pytest.importorskip("mcap.reader")
mcap_ros2 = pytest.importorskip("mcap_ros2.decoder")

from rosbags.highlevel import AnyReader  # noqa: E402

from depthpro_ros import bag_writer  # noqa: E402
from depthpro_ros.camera import Intrinsics  # noqa: E402
from depthpro_ros.cloud import Projector  # noqa: E402
from depthpro_ros.errors import InputError  # noqa: E402
from depthpro_ros.evaluation.bags.output import OutputBag, OutputFrame, figure_topic, signed_error  # noqa: E402

WIDTH, HEIGHT = 12, 9
CAMERA = Intrinsics(WIDTH, HEIGHT, 11.5, 11.25, 5.75, 4.125)
FIRST_NS, PERIOD_NS = 1_735_689_600 * 10**9 + 999_999_999, 33_333_333
TYPES = {
    "/camera/image": "sensor_msgs/msg/Image",
    "/depth/image": "sensor_msgs/msg/Image",
    "/depth/camera_info": "sensor_msgs/msg/CameraInfo",
    "/depth/points": "sensor_msgs/msg/PointCloud2",
    "/truth/image": "sensor_msgs/msg/Image",
    "/error/image": "sensor_msgs/msg/Image",
    "/evaluation/abs_rel": "std_msgs/msg/Float64",
    "/evaluation/abs_rel_median_scale": "std_msgs/msg/Float64",
}
Messages = dict[str, list[tuple[int, Any]]]


def frame(number: int) -> OutputFrame:
    """Every pixel another value; some without truth, some without prediction, some sky."""
    rng = np.random.default_rng(number)
    depth_m, truth_m = rng.uniform(0.5, 20, (2, HEIGHT, WIDTH)).astype(np.float32)
    truth_m[0], depth_m[1], truth_m[2] = np.nan, np.nan, np.inf
    rgb = rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    cloud = Projector(CAMERA, 2, torch.device("cpu")).pack(torch.from_numpy(depth_m), torch.from_numpy(rgb)).numpy()
    return OutputFrame(
        stamp_ns=FIRST_NS + number * PERIOD_NS,
        frame_id="camera_optical_frame",
        depth_m=depth_m,
        intrinsics=CAMERA,
        rgb=rgb,
        truth_m=truth_m,
        cloud=cloud,
        figures={"abs_rel": 0.1 + number, "abs_rel@median_scale": math.nan if number else 0.05},
    )


FRAMES = [frame(number) for number in range(3)]


def by_rosbags(path: Path) -> Messages:
    found: Messages = defaultdict(list)
    with AnyReader([path]) as reader:
        for connection, time_ns, raw in reader.messages():
            found[connection.topic].append((time_ns, reader.deserialize(raw, connection.msgtype)))
    return found


def by_mcap(path: Path) -> Messages:
    found: Messages = defaultdict(list)
    with next(path.glob("*.mcap")).open("rb") as file:
        reader = mcap_reader.make_reader(file, decoder_factories=[mcap_ros2.DecoderFactory()])
        for _, channel, message, decoded in reader.iter_decoded_messages():
            found[channel.topic].append((message.log_time, decoded))
    return found


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("out") / "bag"
    with OutputBag(path) as bag:
        for each in FRAMES:
            bag.write(each)
    return path


@pytest.fixture(params=[by_rosbags, by_mcap])
def messages(request: pytest.FixtureRequest, written: Path) -> Messages:
    read: Callable[[Path], Messages] = request.param
    return read(written)


def pixels(message: Any, dtype: str, *shape: int) -> np.ndarray:
    return np.frombuffer(bytes(message.data), dtype).reshape(shape)


def test_metadata_is_what_humble_reads(written: Path) -> None:
    information = yaml.safe_load((written / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert (information["version"], information["storage_identifier"]) == (8, "mcap")
    topics = [topic["topic_metadata"] for topic in information["topics_with_message_count"]]
    assert {topic["name"]: topic["type"] for topic in topics} == TYPES
    # a string, not a sequence: Humble refuses a sequence
    assert all(isinstance(topic["offered_qos_profiles"], str) for topic in topics)


def test_types_are_declared_in_the_file_itself(written: Path) -> None:
    with next(written.glob("*.mcap")).open("rb") as file:
        summary = mcap_reader.make_reader(file).get_summary()
    kinds = {channel.topic: summary.schemas[channel.schema_id] for channel in summary.channels.values()}
    assert {topic: schema.name for topic, schema in kinds.items()} == TYPES
    assert {schema.encoding for schema in kinds.values()} == {"ros2msg"}
    assert {channel.message_encoding for channel in summary.channels.values()} == {"cdr"}


def test_every_message_has_its_frame_s_time(messages: Messages) -> None:
    assert messages.keys() == TYPES.keys()
    for topic, found in messages.items():
        assert [time_ns for time_ns, _ in found] == [each.stamp_ns for each in FRAMES], topic
        for time_ns, message in found:
            if TYPES[topic].startswith("sensor_msgs"):
                stamp = message.header.stamp
                assert stamp.sec * 10**9 + stamp.nanosec == time_ns
                assert message.header.frame_id == "camera_optical_frame"


@pytest.mark.parametrize(("topic", "field"), [("/depth/image", "depth_m"), ("/truth/image", "truth_m")])
def test_depth_is_in_metres_with_nan_and_inf_as_they_are(messages: Messages, topic: str, field: str) -> None:
    for (_, message), each in zip(messages[topic], FRAMES, strict=True):
        assert (message.encoding, message.is_bigendian, message.step) == ("32FC1", 0, 4 * WIDTH)
        np.testing.assert_array_equal(pixels(message, "<f4", HEIGHT, WIDTH), getattr(each, field))


def test_colours_are_those_of_the_image(messages: Messages) -> None:
    for (_, message), each in zip(messages["/camera/image"], FRAMES, strict=True):
        assert (message.encoding, message.step, message.height, message.width) == ("rgb8", 3 * WIDTH, HEIGHT, WIDTH)
        np.testing.assert_array_equal(pixels(message, "u1", HEIGHT, WIDTH, 3), each.rgb)


def test_error_is_relative_signed_and_unknown_without_truth_or_prediction(messages: Messages) -> None:
    for (_, message), each in zip(messages["/error/image"], FRAMES, strict=True):
        error = pixels(message, "<f4", HEIGHT, WIDTH)
        assert np.isnan(error[:3]).all()
        np.testing.assert_allclose(error[3:], each.depth_m[3:] / each.truth_m[3:] - 1, rtol=1e-4, atol=1e-6)


def test_camera_info_is_of_the_depth(messages: Messages) -> None:
    for _, info in messages["/depth/camera_info"]:
        assert (info.width, info.height, info.distortion_model) == (WIDTH, HEIGHT, "plumb_bob")
        assert list(info.k) == [11.5, 0, 5.75, 0, 11.25, 4.125, 0, 0, 1]
        assert list(info.p) == [11.5, 0, 5.75, 0, 0, 11.25, 4.125, 0, 0, 0, 1, 0]
        assert list(info.r) == np.eye(3).ravel().tolist()
        assert list(info.d) == [0] * 5


def test_points_are_laid_out_as_the_node_publishes_them(messages: Messages) -> None:
    for (_, message), each in zip(messages["/depth/points"], FRAMES, strict=True):
        fields = [(field.name, field.offset, field.datatype, field.count) for field in message.fields]
        assert fields == [("x", 0, 7, 1), ("y", 4, 7, 1), ("z", 8, 7, 1), ("rgb", 12, 7, 1)]
        assert (message.point_step, message.row_step, message.is_dense) == (16, 16 * message.width, False)
        points = pixels(message, "<f4", message.height, message.width, 4)
        np.testing.assert_array_equal(points[..., :3], each.cloud[..., :3])
        # X = (u - cx) Z / fx of every second pixel, and 0x00RRGGBB
        u = np.arange(0, WIDTH, 2)
        np.testing.assert_allclose(points[..., 0], (u - CAMERA.cx) * each.depth_m[::2, ::2] / CAMERA.fx, rtol=1e-5)
        red, green, blue = np.moveaxis(each.rgb[::2, ::2].astype(np.uint32), 2, 0)
        np.testing.assert_array_equal(pixels(message, "<u4", *points.shape)[..., 3], red << 16 | green << 8 | blue)


def test_figures_are_numbers_over_time(messages: Messages) -> None:
    assert [message.data for _, message in messages["/evaluation/abs_rel"]] == [0.1, 1.1, 2.1]
    aligned = [message.data for _, message in messages["/evaluation/abs_rel_median_scale"]]
    np.testing.assert_array_equal(aligned, [0.05, math.nan, math.nan])


def test_a_frame_without_truth_image_cloud_and_figures(tmp_path: Path) -> None:
    bare = dataclasses.replace(FRAMES[0], rgb=None, truth_m=None, cloud=None, figures={})
    with OutputBag(tmp_path / "bag") as bag:
        bag.write(bare)
    assert by_mcap(tmp_path / "bag").keys() == {"/depth/image", "/depth/camera_info"}


def test_an_interrupted_bag_holds_what_was_written(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), OutputBag(tmp_path / "bag") as bag:
        bag.write(FRAMES[0])
        raise KeyboardInterrupt
    assert len(by_rosbags(tmp_path / "bag")["/depth/image"]) == 1


def test_nothing_is_replaced_unless_asked_for(tmp_path: Path, written: Path) -> None:
    content = (written / "metadata.yaml").read_bytes()
    with pytest.raises(InputError, match="not replaced"), OutputBag(written):
        pass
    assert (written / "metadata.yaml").read_bytes() == content
    (tmp_path / "precious.txt").write_text("keep me")
    with pytest.raises(InputError, match="is no bag"), OutputBag(tmp_path, replace=True):
        pass
    assert (tmp_path / "precious.txt").read_text() == "keep me"


def test_a_bag_is_replaced_when_asked_for(tmp_path: Path) -> None:
    for count in (2, 1):
        with OutputBag(tmp_path / "bag", replace=True) as bag:
            for each in FRAMES[:count]:
                bag.write(each)
    assert len(by_rosbags(tmp_path / "bag")["/depth/image"]) == 1


@pytest.mark.parametrize(
    ("figure", "topic"),
    [
        ("abs_rel", "/evaluation/abs_rel"),
        ("abs_rel@median_scale", "/evaluation/abs_rel_median_scale"),
        ("delta_1.25", "/evaluation/delta_1_25"),
        ("f_score_1pc@", "/evaluation/f_score_1pc"),
        ("25_percent", "/evaluation/figure_25_percent"),
    ],
)
def test_topics_of_figures_are_valid_names(figure: str, topic: str) -> None:
    assert figure_topic(figure) == topic


def test_two_figures_cannot_share_a_topic(tmp_path: Path) -> None:
    twins = dataclasses.replace(FRAMES[0], figures={"a@b": 1.0, "a.b": 2.0})
    with pytest.raises(InputError, match="a@b and a.b"), OutputBag(tmp_path / "bag") as bag:
        bag.write(twins)


def test_too_far_is_above_zero() -> None:
    error = signed_error(np.array([[3.0, 1.0, 0.0]], np.float32), np.array([[2.0, 2.0, 2.0]], np.float32))
    np.testing.assert_array_equal(error, np.array([[0.5, -0.5, np.nan]], np.float32))


@pytest.mark.parametrize(
    "wrong",
    [
        {"truth_m": np.ones((4, 5), np.float32)},
        {"intrinsics": CAMERA.resized(24, 18)},
        {"cloud": np.ones((7, 4), np.float32)},
    ],
)
def test_maps_of_different_sizes(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="expected"):
        dataclasses.replace(FRAMES[0], **wrong)


def test_missing_rosbags_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bag_writer.message_types.cache_clear()
    monkeypatch.setitem(sys.modules, "rosbags.typesys", None)
    with pytest.raises(InputError, match=r"depthpro_ros\[evaluate\]"), OutputBag(tmp_path / "bag"):
        pass
    assert not list(tmp_path.iterdir())
