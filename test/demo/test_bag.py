# SPDX-License-Identifier: Apache-2.0
"""The demo's bags, read back with rosbags' own reader."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("skimage")
pytest.importorskip("rosbags")
yaml = pytest.importorskip("yaml")

from rosbags.highlevel import AnyReader  # noqa: E402

from depthpro_ros.demo import bag  # noqa: E402
from depthpro_ros.demo.photographs import DemoFrame, motorcycle_view, window_path  # noqa: E402
from depthpro_ros.errors import InputError  # noqa: E402
from depthpro_ros.evaluation.motorcycle import motorcycle  # noqa: E402


@pytest.fixture(scope="module")
def frames() -> list[DemoFrame]:
    scene = motorcycle()
    views = [motorcycle_view(*scene, window) for window in window_path(3)]
    strip = np.arange(30 * 41 * 3, dtype=np.uint8).reshape(30, 41, 3)
    return [*views, DemoFrame("strip", strip, None, None)]


@pytest.fixture(scope="module")
def written(frames, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("bag") / "input"
    bag.write_input(path, frames)
    return path


@pytest.fixture(scope="module")
def messages(written) -> dict[str, list]:
    found: dict[str, list] = {}
    with AnyReader([written]) as reader:
        for connection, time_ns, raw in reader.messages():
            found.setdefault(connection.topic, []).append((time_ns, reader.deserialize(raw, connection.msgtype)))
    return found


def test_storage_is_mcap_and_metadata_is_read_by_every_distribution(written):
    information = yaml.safe_load((written / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert information["storage_identifier"] == "mcap"
    assert information["version"] == 8
    # a string, not a sequence: Humble refuses a sequence
    assert all(isinstance(t["topic_metadata"]["offered_qos_profiles"], str)
               for t in information["topics_with_message_count"])  # fmt: skip
    assert next(written.glob("*.mcap")).read_bytes()[:5] == b"\x89MCAP"


def test_topics_stamps_and_frame_ids(messages, frames):
    assert {t: len(m) for t, m in messages.items()} == {
        "/camera/image_raw": 4,
        "/camera/camera_info": 4,
        "/camera/depth_truth/image": 3,
    }
    for found in messages.values():
        for time_ns, message in found:
            assert message.header.frame_id == "camera_optical_frame"
            assert message.header.stamp.sec * 10**9 + message.header.stamp.nanosec == time_ns
    times = [t for t, _ in messages["/camera/image_raw"]]
    assert np.diff(times).tolist() == [10**8] * 3
    assert times == [t for t, _ in messages["/camera/camera_info"]]


def test_pixels_depths_and_intrinsics_survive(messages, frames):
    for (_, image), (_, info), frame in zip(
        messages["/camera/image_raw"], messages["/camera/camera_info"], frames, strict=True
    ):
        assert (image.encoding, image.step) == ("rgb8", 3 * image.width)
        assert np.array_equal(image.data.reshape(frame.rgb.shape), frame.rgb)
        assert (info.width, info.height) == (image.width, image.height)
        expected = np.zeros((3, 3)) if frame.camera is None else frame.camera.matrix
        assert np.array_equal(info.k.reshape(3, 3), expected)
        assert np.array_equal(info.p.reshape(3, 4)[:, :3], expected)
    for (_, truth), frame in zip(messages["/camera/depth_truth/image"], frames[:3], strict=True):
        assert truth.encoding == "32FC1"
        assert np.array_equal(truth.data.view("<f4").reshape(frame.truth_m.shape), frame.truth_m, equal_nan=True)


def test_messages_pass_through_unchanged(written, tmp_path, messages):
    copy = tmp_path / "copy"
    with bag.bag_writer(copy) as write:
        for message in bag.read_messages(written):
            write(message)
    assert list(bag.read_messages(copy)) == list(bag.read_messages(written))
    only = list(bag.read_messages(written, [bag.TRUTH]))
    assert len(only) == 3


def test_a_folder_that_is_no_bag_is_not_replaced(tmp_path):
    (tmp_path / "precious.txt").write_text("keep me")
    with pytest.raises(InputError, match="is no bag"), bag.bag_writer(tmp_path):
        pass
    assert (tmp_path / "precious.txt").exists()


def test_an_unfinished_bag_is_replaced(tmp_path, written):
    broken = tmp_path / "bag"
    broken.mkdir()
    (broken / "bag.mcap").write_bytes(b"cut off")
    with bag.bag_writer(broken) as write:
        for message in bag.read_messages(written, [bag.CAMERA_INFO]):
            write(message)
    assert len(list(bag.read_messages(broken))) == 4
