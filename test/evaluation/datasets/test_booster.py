# SPDX-License-Identifier: Apache-2.0
"""Booster: stereo with a baseline in millimetres and a mask of occlusions."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets import open_dataset
from test.evaluation.datasets import writers


@pytest.fixture
def root(tmp_path: Path) -> Path:
    scene = tmp_path / "train/balanced/Bathroom"
    for name in ("im0", "im1"):
        writers.photograph(scene / f"camera_00/{name}.png", 3, 2)
    writers.npy(scene / "disp_00.npy", np.array([[100, 0, 50], [25, 200, -1]], np.float32))
    writers.png(scene / "mask_00.png", np.array([[255, 255, 255], [0, 255, 255]], np.uint8))
    writers.png(scene / "mask_cat.png", np.array([[0, 1, 2], [3, 0, 0]], np.uint8))
    _calibrate(scene, "proj_matL", np.array([[1000.0, 0, 1.5, 0], [0, 1000, 0.75, 0], [0, 0, 1, 0]]))
    return tmp_path


def _calibrate(scene: Path, key: str, matrix: np.ndarray) -> None:
    storage = cv2.FileStorage(str(scene / "calib_00-02.xml"), cv2.FILE_STORAGE_WRITE)
    storage.write(key, matrix)
    storage.write("baselineLR", 120.0)
    storage.release()


def test_depth_is_of_visible_pixels_with_disparity(root: Path) -> None:
    frame = open_dataset("booster", root).frame(0)
    # 1000 px * 0.12 m / disparity
    np.testing.assert_allclose(frame.depth_m, [[1.2, np.nan, 2.4], [np.nan, 0.6, np.nan]], rtol=1e-6)


def test_camera_and_materials(root: Path) -> None:
    frame = open_dataset("booster", root).frame(0)
    assert frame.fx_px == 1000
    assert frame.intrinsics is not None
    assert (frame.intrinsics.cx, frame.intrinsics.cy) == (1.5, 0.75)
    assert frame.extras.materials is not None
    assert frame.extras.materials.tolist() == [[0, 1, 2], [3, 0, 0]]


def test_all_lightings_share_one_truth(root: Path) -> None:
    frames = open_dataset("booster", root)
    assert frames.ids == ("Bathroom/im0", "Bathroom/im1")
    np.testing.assert_array_equal(frames.frame(0).depth_m, frames.frame(1).depth_m)
    assert open_dataset("booster", root, lightings="first").ids == ("Bathroom/im0",)


def test_the_raw_camera_serves_where_the_rectified_one_is_not_told(root: Path) -> None:
    _calibrate(root / "train/balanced/Bathroom", "mtxL", np.array([[900.0, 0, 1], [0, 900, 1], [0, 0, 1]]))
    assert open_dataset("booster", root).frame(0).fx_px == 900


def test_a_frame_without_its_disparity_shows_the_tree(root: Path) -> None:
    (root / "train/balanced/Bathroom/disp_00.npy").unlink()
    with pytest.raises(InputError, match=r"(?s)frame Bathroom/im0: .*disp_00.npy is missing; expected in .*mask_cat"):
        open_dataset("booster", root).frame(0)
