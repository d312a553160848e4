# SPDX-License-Identifier: Apache-2.0
"""Ground truth of bags, against scenes that are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rosbags")

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.bags.ground_truth import GroundTruth, View, calibrations
from depthpro_ros.evaluation.bags.matching import match_stamps
from depthpro_ros.evaluation.bags.realsense import recorded_pose
from depthpro_ros.evaluation.bags.recording import Recording
from depthpro_ros.evaluation.bags.topic_info import list_topics
from depthpro_ros.evaluation.bags.topics import Choice, choose_topics
from test.bag_writer import BagWriter

SECOND = 10**9
STAMP = 100 * SECOND
WIDTH, HEIGHT = 16, 12
CAMERA = Intrinsics(WIDTH, HEIGHT, 10.0, 10.0, 7.5, 5.5)
OPTICAL = (-0.5, 0.5, -0.5, 0.5)
STORAGES = ["mcap", "sqlite", "ros1"]


def colour(bag: BagWriter, stamp_ns: int = STAMP) -> None:
    bag.info("/c/camera_info", stamp_ns, 10.0, width=WIDTH, height=HEIGHT, centre=(7.5, 5.5), frame_id="colour")
    bag.image("/c/image", stamp_ns, np.zeros((HEIGHT, WIDTH, 3), np.uint8), "rgb8", frame_id="colour")


def depth_info(bag: BagWriter) -> None:
    bag.info("/d/camera_info", STAMP, 10.0, width=WIDTH, height=HEIGHT, centre=(7.5, 5.5), frame_id="depth")


def wall(metres: float) -> np.ndarray:
    return np.full((HEIGHT, WIDTH), metres, np.float32)


def truth(path: Path, **options) -> tuple[Choice, np.ndarray]:
    """The way from a bag to the depth image of its first pair."""
    with Recording(path) as recording:
        choice = choose_topics(list_topics(recording))
        assert choice.image == "/c/image" and choice.truth is not None
        images, depths = recording.references(choice.image), recording.references(choice.truth)
        matches = match_stamps([r.place.stamp_ns for r in images], [r.place.stamp_ns for r in depths])
        i, j = matches.pairs[0]
        camera = calibrations(recording, choice.camera_info).at(images[i].place.stamp_ns)
        view = View(camera.intrinsics(WIDTH, HEIGHT, rectified=choice.rectified), "colour", images[i].place.stamp_ns)
        assert view.intrinsics == CAMERA
        return choice, GroundTruth(recording, choice, **options).depth_m(recording.read(depths[j]), view)


@pytest.mark.parametrize("storage", STORAGES)
def test_registered(tmp_path: Path, storage: str) -> None:
    millimetres = np.arange(HEIGHT * WIDTH, dtype=np.uint16).reshape(HEIGHT, WIDTH) * 100
    with BagWriter(tmp_path / "bag", storage) as bag:
        colour(bag)
        bag.image("/d/image", STAMP, millimetres, "16UC1", padding=6, frame_id="/colour")
    choice, depth = truth(bag.path, max_depth_m=15.0)
    assert choice.truth_kind == "registered"
    expected = millimetres.astype(np.float32) / np.float32(1000)
    np.testing.assert_array_equal(depth, np.where((expected > 0) & (expected <= 15), expected, np.nan))


@pytest.mark.parametrize("storage", STORAGES)
def test_a_depth_camera_beside_the_image(tmp_path: Path, storage: str) -> None:
    # 0.2 m to the left of the colour camera, at the same height: at 2 m that is one pixel
    with BagWriter(tmp_path / "bag", storage) as bag:
        colour(bag)
        depth_info(bag)
        bag.image("/d/image", STAMP, wall(2), "32FC1", frame_id="depth")
        bag.transform(STAMP, "base", "colour", (0.0, 0.0, 1.0), OPTICAL, static=True)
        bag.transform(STAMP, "base", "depth", (0.0, 0.2, 1.0), OPTICAL, static=True)
    choice, depth = truth(bag.path)
    assert (choice.truth_kind, choice.truth_info) == ("depth", "/d/camera_info")
    # what it sees lies 0.2 m further left: the image's last column is not seen by it
    assert np.isnan(depth[:, -1]).all()
    np.testing.assert_allclose(depth[:, :-1], 2, rtol=1e-6)


def test_a_depth_camera_on_a_robot_that_moves(tmp_path: Path) -> None:
    # 1 m/s towards the wall; depth is taken 10 ms after the image, with 2 m to the wall
    with BagWriter(tmp_path / "bag") as bag:
        colour(bag)
        depth_info(bag)
        bag.image("/d/image", STAMP + SECOND // 100, wall(2), "32FC1", frame_id="depth")
        bag.transform(STAMP, "base", "colour", (0, 0, 0), OPTICAL, static=True)
        bag.transform(STAMP, "base", "depth", (0, 0, 0), OPTICAL, static=True)
        for tenth in (-1, 0, 1, 2):
            bag.transform(STAMP + tenth * SECOND // 10, "odom", "base", (tenth / 10, 0, 0))
    _, depth = truth(tmp_path / "bag")
    seen = np.isfinite(depth)
    assert seen.mean() > 0.75
    np.testing.assert_allclose(depth[seen], 2.01, rtol=1e-6)


@pytest.mark.parametrize("storage", STORAGES)
def test_a_lidar_before_a_wall(tmp_path: Path, storage: str) -> None:
    # a wall 5 m before the lidar, which is 0.3 m behind and 0.2 m above the camera: Z = 4.7
    y, z = np.meshgrid(np.linspace(-6, 6, 241), np.linspace(-5, 5, 201))
    points = np.stack([np.full(y.size, 5.0), y.ravel(), z.ravel()], axis=1)
    # and a pole 2 m before the camera, in the middle of pixel (column 10, row 3)
    pole = np.array([[2.3, -2 * (10 - 7.5) / 10, -2 * (3 - 5.5) / 10 - 0.2], [-4, 0, 0], [np.nan, 0, 0]])
    with BagWriter(tmp_path / "bag", storage) as bag:
        colour(bag)
        bag.cloud("/points", STAMP, np.concatenate([points, pole]))
        bag.transform(STAMP, "lidar", "colour", (0.3, 0.0, -0.2), OPTICAL, static=True)
    choice, depth = truth(bag.path)
    assert choice.truth_kind == "cloud"
    assert depth[3, 10] == np.float32(2)
    # within two pixels of the pole the wall may be hidden by it
    beside = np.zeros((HEIGHT, WIDTH), bool)
    beside[1:6, 8:13] = True
    assert np.isnan(depth[beside]).sum() == 24
    np.testing.assert_allclose(depth[~beside], 4.7, rtol=1e-6)
    assert np.isnan(truth(bag.path, max_depth_m=4.0)[1]).sum() == HEIGHT * WIDTH - 1


def test_a_pose_that_is_given_needs_no_tf(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        colour(bag)
        depth_info(bag)
        bag.image("/d/image", STAMP, wall(2), "32FC1", frame_id="depth")
    with pytest.raises(InputError, match="tf does not connect 'colour'"):
        truth(bag.path)
    pose = np.eye(4)
    pose[2, 3] = 0.5
    depth = truth(bag.path, view_from_truth=pose)[1]
    assert (depth[np.isfinite(depth)] == 2.5).all()


def test_realsense_says_its_units(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag", "ros1") as bag:
        prefix = "/device_0/sensor_"
        bag.info(f"{prefix}1/Color_0/info/camera_info", STAMP, 10.0, width=WIDTH, height=HEIGHT)
        bag.info(f"{prefix}0/Depth_0/info/camera_info", STAMP, 10.0, width=WIDTH, height=HEIGHT, centre=(7.5, 5.5))
        bag.image(f"{prefix}1/Color_0/image/data", STAMP, np.zeros((HEIGHT, WIDTH, 3), np.uint8), "rgb8")
        bag.image(f"{prefix}0/Depth_0/image/data", STAMP, np.full((HEIGHT, WIDTH), 8000, np.uint16), "mono16")
        bag.write(f"{prefix}0/option/Depth_Units/value", bag.type("std_msgs/msg/Float32")(0.00025), STAMP)
    with Recording(bag.path) as recording:
        choice = choose_topics(list_topics(recording))
        assert (choice.reason, choice.truth_kind) == ("preset realsense_sdk", "depth")
        read = recording.read(recording.references(choice.truth)[0])
        view = View(CAMERA, "colour", STAMP)
        depth = GroundTruth(recording, choice, view_from_truth=np.eye(4)).depth_m(read, view)
        np.testing.assert_allclose(depth, 2, rtol=1e-6)
        depth = GroundTruth(recording, choice, view_from_truth=np.eye(4), depth_scale=1000).depth_m(read, view)
        np.testing.assert_allclose(depth, 8, rtol=1e-6)


def test_realsense_says_where_its_cameras_are(tmp_path: Path) -> None:
    """The reference is the depth camera turned by a quarter about its axis; the colour camera is 0.5 m before it.

    p_depth = R p_ref with R a turn about z, and p_colour = R p_ref + (0, 0, 0.5): a wall 2 m before the depth camera is
    2.5 m before the colour camera.
    """
    turn = (0.0, 0.0, 0.5**0.5, 0.5**0.5)
    with BagWriter(tmp_path / "bag", "ros1") as bag:
        prefix = "/device_0/sensor_"
        for sensor, name, shift in ((1, "Color_0", (0, 0, 0.5)), (0, "Depth_0", (0, 0, 0))):
            stream = f"{prefix}{sensor}/{name}"
            bag.info(f"{stream}/info/camera_info", STAMP, 10.0, width=WIDTH, height=HEIGHT, centre=(7.5, 5.5))
            bag.extrinsics(f"{stream}/tf/0", shift, turn, STAMP)
        bag.image(f"{prefix}1/Color_0/image/data", STAMP, np.zeros((HEIGHT, WIDTH, 3), np.uint8), "rgb8")
        bag.image(f"{prefix}0/Depth_0/image/data", STAMP, np.full((HEIGHT, WIDTH), 2000, np.uint16), "mono16")
    with Recording(bag.path) as recording:
        choice = choose_topics(list_topics(recording))
        pose = recorded_pose(recording, choice.image, str(choice.truth))
        assert pose is not None
        np.testing.assert_allclose(pose, [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0.5], [0, 0, 0, 1]], atol=1e-12)
        read = recording.read(recording.references(str(choice.truth))[0])
        depth = GroundTruth(recording, choice).depth_m(read, View(CAMERA, "colour", STAMP))
    np.testing.assert_allclose(depth[np.isfinite(depth)], 2.5, rtol=1e-6)


def test_other_topics_have_no_realsense_extrinsics(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        colour(bag)
    with Recording(bag.path) as recording:
        assert recorded_pose(recording, "/c/image", "/d/image") is None


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        colour(bag)
        bag.image("/d/image", STAMP, wall(2)[:6], "32FC1", frame_id="depth")
    with pytest.raises(InputError, match="no topic has its calibration"):
        truth(bag.path)
    with Recording(bag.path) as recording:
        with pytest.raises(InputError, match="has no ground truth"):
            GroundTruth(recording, Choice("/c/image", None, None, None))
        read = recording.read(recording.references("/d/image")[0])
        registered = GroundTruth(recording, Choice("/c/image", None, "/d/image", "registered"))
        with pytest.raises(InputError, match="16x6 pixels, the image is 16x12"):
            registered.depth_m(read, View(CAMERA, "colour", STAMP))


def test_no_ros_is_imported() -> None:
    import subprocess
    import sys

    code = "import sys, depthpro_ros.evaluation.bags.ground_truth; sys.exit('rclpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
