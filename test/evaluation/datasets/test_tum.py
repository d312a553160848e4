# SPDX-License-Identifier: Apache-2.0
"""TUM RGB-D: streams that are paired by stamp; and the frames with people, as HDF5."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets import open_dataset
from test.evaluation.datasets import writers

NAME = "rgbd_dataset_freiburg3_long_office_household"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / NAME
    rgb, depth = ("1.000000", "1.033000", "1.066000"), ("1.005000", "1.100000", "1.070000")
    for stamp in rgb:
        writers.photograph(folder / f"rgb/{stamp}.png", 3, 2)
    for k, stamp in enumerate(depth):
        writers.png(folder / f"depth/{stamp}.png", np.array([[0, 5000, 7500], [k, 1, 2]], np.uint16))
    head = "# color images\n# file: 'bag'\n# timestamp filename\n"
    writers.content(folder / "rgb.txt", head + "".join(f"{s} rgb/{s}.png\n" for s in rgb))
    writers.content(folder / "depth.txt", head + "".join(f"{s} depth/{s}.png\n" for s in depth))
    # a half turn about z, and one about x
    poses = "1.0010 1 2 3 0 0 1 0\n1.0660 4 5 6 1 0 0 0\n"
    writers.content(folder / "groundtruth.txt", "# timestamp tx ty tz qx qy qz qw\n" + poses)
    return tmp_path


def test_images_have_the_nearest_depth(root: Path) -> None:
    frames = open_dataset("tum_rgbd", root)
    assert frames.ids == (f"{NAME}/1.000000", f"{NAME}/1.066000")
    second = frames.frame(1)
    np.testing.assert_array_equal(
        second.depth_m, np.array([[np.nan, 1, 1.5], [2 / 5000, 1 / 5000, 2 / 5000]], np.float32)
    )
    assert second.extras.stamp_s == 1.066


def test_camera_by_name_and_pose_by_stamp(root: Path) -> None:
    frame = open_dataset("tum_rgbd", root).frame(0)
    assert frame.intrinsics is not None and frame.extras.camera_to_world is not None
    i = frame.intrinsics
    assert (i.fx, i.fy, i.cx, i.cy) == (535.4, 539.2, 320.1, 247.6)
    np.testing.assert_allclose(
        frame.extras.camera_to_world, [[-1, 0, 0, 1], [0, -1, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]], atol=1e-15
    )


def test_the_root_may_be_one_sequence_without_poses(root: Path) -> None:
    (root / NAME / "groundtruth.txt").unlink()
    frames = open_dataset("tum_rgbd", root / NAME)
    assert len(frames) == 2
    assert frames.frame(0).extras.camera_to_world is None


def test_other_cameras_have_the_default(root: Path) -> None:
    (root / NAME).rename(root / "rgbd_bonn_balloon")
    assert open_dataset("tum_rgbd", root).frame(0).fx_px == 525.0


def test_a_damaged_list_is_named(root: Path) -> None:
    writers.content(root / NAME / "depth.txt", "1.0\n")
    with pytest.raises(InputError, match="depth.txt has the line '1.0', expected 2 words"):
        open_dataset("tum_rgbd", root)


def test_frames_with_people(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "data/walking/0001.h5"
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        file["image"] = np.full((2, 3, 3), 7, np.uint8)
        file["depth"] = np.array([[1.5, 0, 2], [3, np.nan, 4]], np.float64)
    frames = open_dataset("tum_humans", tmp_path)
    assert frames.ids == ("walking/0001.h5",)
    frame = frames.frame(0)
    np.testing.assert_array_equal(frame.depth_m, [[1.5, np.nan, 2], [3, np.nan, 4]])
    assert (frame.rgb[0, 0, 0], frame.fx_px, frame.scene) == (7, None, "walking")
