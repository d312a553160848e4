# SPDX-License-Identifier: Apache-2.0
"""Frames over time."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rosbags")

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.bags.recording import Recording
from depthpro_ros.evaluation.bags.transforms import Transform, TransformTree, slerp
from test.bag_writer import BagWriter

SECOND = 10**9
STILL = (0.0, 0.0, 0.0, 1.0)
OPTICAL = (-0.5, 0.5, -0.5, 0.5)
"""x forward, y left, z up to x right, y down, z forward (REP 103)."""


def yaw(degrees: float) -> tuple[float, float, float, float]:
    half = math.radians(degrees) / 2
    return (0.0, 0.0, math.sin(half), math.cos(half))


def fixed(parent: str, child: str, x: float = 0, y: float = 0, z: float = 0, rotation=STILL) -> Transform:
    return Transform(parent, child, 0, (x, y, z), rotation, static=True)


def at(stamp_s: float, parent: str, child: str, x: float, rotation=STILL) -> Transform:
    return Transform(parent, child, round(stamp_s * SECOND), (x, 0, 0), rotation)


def test_up_one_branch_and_down_another() -> None:
    tree = TransformTree([fixed("base", "camera", 1, 0, 2, OPTICAL), fixed("base", "lidar", 0, 0, 3)])
    # a point 5 m before the lidar is 4 m before the camera and 1 m above it
    point = tree.between("camera", 0, "lidar", 0) @ [5, 0, 0, 1]
    np.testing.assert_allclose(point, [0, -1, 4, 1], atol=1e-12)


def test_halfway_in_translation_and_angle() -> None:
    tree = TransformTree([at(1, "odom", "base", 0), at(2, "odom", "base", 4, yaw(90))])
    pose = tree.between("odom", SECOND * 3 // 2, "base", SECOND * 3 // 2)
    np.testing.assert_allclose(pose[:3, 3], [2, 0, 0])
    c = math.cos(math.radians(45))
    np.testing.assert_allclose(pose[:2, :2], [[c, -c], [c, c]], atol=1e-12)


def test_the_shorter_way_round() -> None:
    b = -np.array(yaw(60))  # the same rotation, written the other way
    np.testing.assert_allclose(slerp(np.array(STILL), b, 0.5), yaw(30), atol=1e-12)
    np.testing.assert_allclose(slerp(b, b, 0.3), b)


def test_each_frame_at_its_own_time() -> None:
    # 1 m/s forward; the lidar's points are 0.1 s older than the image
    tree = TransformTree([fixed("base", "camera"), fixed("base", "lidar"), *(at(t, "odom", "base", t) for t in (1, 2))])
    pose = tree.between("camera", SECOND * 16 // 10, "lidar", SECOND * 15 // 10)
    np.testing.assert_allclose(pose[:3, 3], [-0.1, 0, 0], atol=1e-12)


def test_odom_is_preferred_to_a_map_that_jumps() -> None:
    tree = TransformTree([at(1, "map", "odom", 0), at(2, "map", "odom", 100), at(1, "odom", "base", 0),
                          at(2, "odom", "base", 1), fixed("base", "camera"), fixed("base", "lidar")])  # fmt: skip
    pose = tree.between("camera", 2 * SECOND, "lidar", 1 * SECOND)
    np.testing.assert_allclose(pose[:3, 3], [-1, 0, 0], atol=1e-12)


def test_a_rigid_rig_needs_no_odometry_of_that_time() -> None:
    tree = TransformTree([fixed("base", "camera"), fixed("base", "lidar", 1), at(1, "odom", "base", 0)])
    np.testing.assert_allclose(tree.between("camera", 9 * SECOND, "lidar", 8 * SECOND)[:3, 3], [1, 0, 0])


def test_times_that_are_not_known() -> None:
    tree = TransformTree([at(1, "odom", "base", 0), at(2, "odom", "base", 1)])
    held = tree.between("odom", SECOND * 205 // 100, "base", SECOND * 205 // 100)
    np.testing.assert_allclose(held[:3, 3], [1, 0, 0])
    with pytest.raises(InputError, match=r"'base' in 'odom' from 1.000 to 2.000 s, not at 3.000 s"):
        tree.between("odom", 3 * SECOND, "base", 3 * SECOND)


def test_frames_that_are_not_connected_or_go_in_a_circle() -> None:
    tree = TransformTree([fixed("base", "camera"), fixed("a", "b"), fixed("b", "a")])
    with pytest.raises(InputError, match=r"does not connect 'camera' \(known up to 'base'\) with 'lidar'"):
        tree.between("camera", 0, "lidar", 0)
    with pytest.raises(InputError, match="circle: a in b in a"):
        tree.between("a", 0, "camera", 0)
    np.testing.assert_array_equal(TransformTree([]).between("c", 5, "c", 5), np.eye(4))


@pytest.mark.parametrize("storage", ["mcap", "ros1"])
def test_of_a_recording(tmp_path: Path, storage: str) -> None:
    with BagWriter(tmp_path / "bag", storage) as bag:
        bag.transform(0, "/base", "/camera", (0, 0, 1), static=True)
        for second in (1, 2):
            bag.transform(second * SECOND, "odom", "base", (second, 0, 0))
    with Recording(bag.path) as recording:
        tree = TransformTree.of(recording)
    pose = tree.between("odom", SECOND * 5 // 4, "camera", SECOND * 5 // 4)
    np.testing.assert_allclose(pose[:3, 3], [1.25, 0, 1])
