# SPDX-License-Identifier: Apache-2.0
"""RGB-D frames of bags that rosbags' own writers wrote."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rosbags")

from torch.utils.data import DataLoader, Dataset

from depthpro_ros.errors import InputError
from depthpro_ros.training.data.bag import BagSet
from test.bag_writer import BagWriter

HEIGHT, WIDTH = 4, 6
DEPTH_M = np.arange(24, dtype=np.float32).reshape(HEIGHT, WIDTH) * 0.25  # the first pixel is 0: unknown


def rgb_of(index: int) -> np.ndarray:
    return np.random.default_rng(index).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def record(path: Path, storage: str = "mcap", frames: int = 4, offset_ns: int = 3_000_000, depth_topic="/d/image"):
    with BagWriter(path, storage) as bag:
        for index in range(frames):
            stamp = 10**12 + index * 10**8
            bag.info("/c/camera_info", stamp, 5.0 + (index >= 2))
            bag.image("/c/image_raw", stamp, rgb_of(index)[..., ::-1], "bgr8", padding=2)
            bag.image(depth_topic, stamp + offset_ns, DEPTH_M + index, "32FC1", padding=8)
    return bag.path


def expected_depth(index: int) -> np.ndarray:
    depth = DEPTH_M + index
    return np.where(depth > 0, depth, np.nan)


@pytest.mark.parametrize("storage", ["mcap", "sqlite", "ros1"])
def test_frames_of_each_storage(tmp_path, storage):
    frames = BagSet(record(tmp_path / "bag", storage))
    assert len(frames) == 4
    for index in (3, 0, 2, 1):  # in any order
        frame = frames.frame(index)
        assert np.array_equal(frame.rgb, rgb_of(index))
        assert np.array_equal(frame.depth_m, expected_depth(index), equal_nan=True)
        assert frame.fx_px == 5.0 + (index >= 2)


@pytest.mark.parametrize(("encoding", "big"), [("16UC1", False), ("16UC1", True), ("mono16", False), ("32FC1", True)])
def test_depth_encodings(tmp_path, encoding, big):
    stored = DEPTH_M if encoding == "32FC1" else (DEPTH_M * 1000).astype(np.uint16)
    with BagWriter(tmp_path / "bag", "mcap") as bag:
        bag.info("/c/camera_info", 0, 5.0)
        bag.image("/c/image", 0, rgb_of(0), "rgb8")
        bag.image("/c/depth", 0, stored, encoding, big=big, padding=4)
    assert np.allclose(BagSet(tmp_path / "bag").frame(0).depth_m, expected_depth(0), atol=1e-6, equal_nan=True)


def test_a_scale_wins_over_the_encodings(tmp_path):
    frames = BagSet(record(tmp_path / "bag"), depth_scale=1000)
    assert frames.frame(1).depth_m[0, 1] == np.float32(1.25) / np.float32(1000)


def test_images_without_depth_in_time_are_left_out(tmp_path):
    with BagWriter(tmp_path / "bag", "mcap") as bag:
        bag.info("/c/camera_info", 0, 5.0)
        for index, stamp_ms in enumerate((0, 30, 60, 90)):
            bag.image("/c/image", stamp_ms * 10**6, rgb_of(index), "rgb8")
        for stamp_ms, metres in ((1, 1.0), (64, 2.0), (150, 3.0)):
            bag.image("/c/depth", stamp_ms * 10**6, np.full((HEIGHT, WIDTH), metres, np.float32), "32FC1")
    frames = BagSet(tmp_path / "bag", tolerance_s=0.01)
    assert len(frames) == 2
    assert np.array_equal(frames.frame(0).rgb, rgb_of(0))
    assert np.array_equal(frames.frame(1).rgb, rgb_of(2))
    assert (frames.frame(1).depth_m == 2).all()


def test_rectified_images_have_the_focal_of_p(tmp_path):
    with BagWriter(tmp_path / "bag", "mcap") as bag:
        bag.info("/c/camera_info", 0, 5.0)
        bag.image("/c/image_rect_color", 0, rgb_of(0), "rgb8")
        bag.image("/c/depth", 0, DEPTH_M, "32FC1")
    assert BagSet(tmp_path / "bag").frame(0).fx_px == 10.0


def test_an_open_set_can_be_sent_to_another_process(tmp_path):
    frames = BagSet(record(tmp_path / "bag"))
    first = frames.frame(1)
    again = pickle.loads(pickle.dumps(frames)).frame(1)
    assert np.array_equal(first.rgb, again.rgb)


def test_worker_processes_each_open_the_bag(tmp_path):
    frames = BagSet(record(tmp_path / "bag", frames=12))
    frames.frame(0)  # open here before the workers are forked

    class Reds(Dataset):
        def __getitem__(self, index: int) -> int:
            return int(frames.frame(index).rgb[0, 0, 0])

    loader = DataLoader(Reds(), batch_size=None, sampler=range(12), num_workers=2)
    assert list(loader) == [rgb_of(index)[0, 0, 0] for index in range(12)]
    assert np.array_equal(frames.frame(5).rgb, rgb_of(5))


def test_topics_that_are_not_unique_must_be_named(tmp_path):
    with BagWriter(tmp_path / "bag", "mcap") as bag:
        bag.info("/c/camera_info", 0, 5.0)
        bag.image("/c/image", 0, rgb_of(0), "rgb8")
        bag.image("/left/depth", 0, DEPTH_M, "32FC1")
        bag.image("/right/depth", 0, DEPTH_M + 1, "32FC1")
    with pytest.raises(InputError, match=r"2 topics to be the depth.*/left/depth.*name depth_topic"):
        BagSet(tmp_path / "bag")
    assert BagSet(tmp_path / "bag", depth_topic="/right/depth").frame(0).depth_m[0, 0] == 1


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"depth_topic": "/nothing"}, "no images on /nothing; it has them on"),
        ({"camera_info_topic": "/nothing"}, "no calibrated CameraInfo on /nothing"),
        ({"tolerance_s": 0.001}, "within 0.001 s"),
    ],
)
def test_what_a_bag_does_not_hold(tmp_path, options, problem):
    path = record(tmp_path / "bag")
    with pytest.raises(InputError, match=problem):
        BagSet(path, **options)


def test_sizes_that_differ(tmp_path):
    with BagWriter(tmp_path / "bag", "mcap") as bag:
        bag.info("/c/camera_info", 0, 5.0)
        bag.image("/c/image", 0, rgb_of(0), "rgb8")
        bag.image("/c/depth", 0, DEPTH_M[:2], "32FC1")
    with pytest.raises(InputError, match="registered"):
        BagSet(tmp_path / "bag").frame(0)


def test_no_bag(tmp_path):
    (tmp_path / "a.bag").write_bytes(b"no bag")
    for path in (tmp_path / "a.bag", tmp_path / "none", tmp_path):
        with pytest.raises(InputError, match="cannot be read as a bag"):
            BagSet(path)


def test_rclpy_is_not_imported():
    code = "import sys, depthpro_ros.training.data.bag as b; sys.exit('rclpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
