# SPDX-License-Identifier: Apache-2.0
"""KITTI: 256 units a metre, calibration of the day."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets import open_dataset
from test.evaluation.datasets import writers

DRIVE = "2011_09_26_drive_0002_sync"
UNITS = np.array([[0, 256, 20480], [640, 1, 0]], np.uint16)
DEPTH_M = [[np.nan, 1, 80], [2.5, 1 / 256, np.nan]]


@pytest.fixture
def selection(tmp_path: Path) -> Path:
    folder = tmp_path / "val_selection_cropped"
    writers.photograph(folder / f"image/{DRIVE}_image_0000000008_image_02.png", 3, 2)
    writers.png(folder / f"groundtruth_depth/{DRIVE}_groundtruth_depth_0000000008_image_02.png", UNITS)
    writers.content(
        folder / f"intrinsics/{DRIVE}_image_0000000008_image_02.txt",
        "721.5377 0.0 596.5593 0.0 721.5377 149.854 0.0 0.0 1.0\n",
    )
    return tmp_path


def test_selection(selection: Path) -> None:
    frames = open_dataset("kitti_selection", selection)
    frame = frames.frame(0)
    assert frame.scene == DRIVE
    np.testing.assert_array_equal(frame.depth_m, np.array(DEPTH_M, np.float32))
    assert frame.intrinsics is not None
    assert (frame.fx_px, frame.intrinsics.cx, frame.intrinsics.cy) == (721.5377, 596.5593, 149.854)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    date = tmp_path / "raw/2011_09_26"
    writers.content(date / "calib_cam_to_cam.txt", "P_rect_02: 721.5377 0 609.5593 44.8 0 721.5 172.854 0.2 0 0 1 0\n")
    for number in ("0000000005", "0000000069"):
        writers.photograph(date / DRIVE / f"image_02/data/{number}.png", 3, 2)
        writers.png(tmp_path / f"train/{DRIVE}/proj_depth/groundtruth/image_02/{number}.png", UNITS)
    return tmp_path


def test_all_frames_of_a_split(root: Path) -> None:
    frames = open_dataset("kitti", root, split="train")
    assert frames.ids == (f"{DRIVE}/0000000005", f"{DRIVE}/0000000069")
    frame = frames.frame(1)
    np.testing.assert_array_equal(frame.depth_m, np.array(DEPTH_M, np.float32))
    assert frame.intrinsics is not None
    assert (frame.intrinsics.fy, frame.intrinsics.cx) == (721.5, 609.5593)


@pytest.mark.parametrize(
    "line",
    [
        f"2011_09_26/{DRIVE}/image_02/data/0000000069.png {DRIVE}/proj_depth/groundtruth/image_02/0000000069.png 721.5",
        f"2011_09_26/{DRIVE} 0000000069 l",
    ],
)
def test_a_list_of_frames_finds_depth_in_either_split(root: Path, line: str) -> None:
    listed = writers.content(root / "eigen.txt", line + "\n")
    frames = open_dataset("kitti", root, frames=listed)
    assert frames.ids == (f"{DRIVE}/0000000069",)
    assert frames.frame(0).depth_m is not None


def test_a_listed_frame_without_depth_shows_the_tree(root: Path) -> None:
    listed = writers.content(root / "eigen.txt", f"2011_09_26/{DRIVE} 0000000070 l\n")
    with pytest.raises(InputError, match=r"(?s)0000000070.png is missing; expected.*calib_cam_to_cam"):
        open_dataset("kitti", root, frames=str(listed)).frame(0)


def test_another_list_is_refused(root: Path) -> None:
    listed = writers.content(root / "list.txt", "frame 5\n")
    with pytest.raises(InputError, match="'frame 5', expected a drive"):
        open_dataset("kitti", root, frames=listed)
