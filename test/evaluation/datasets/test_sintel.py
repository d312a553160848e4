# SPDX-License-Identifier: Apache-2.0
"""MPI Sintel: its own depth and camera files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets import open_dataset
from test.evaluation.datasets import writers

DEPTH = np.array([[1.5, 2.5, 1e5], [3, 4, 5]], np.float32)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    training = tmp_path / "training"
    for render in ("final", "clean"):
        writers.photograph(training / render / "alley_1/frame_0001.png", 3, 2)
    writers.dpt(training / "depth/alley_1/frame_0001.dpt", DEPTH)
    writers.cam(
        training / "camdata_left/alley_1/frame_0001.cam",
        [1120, 0, 511.5, 0, 1121, 217.5, 0, 0, 1],
        [1, 0, 0, -1, 0, 1, 0, -2, 0, 0, 1, -3],
    )
    return tmp_path


def test_sky_is_a_far_depth(root: Path) -> None:
    frames = open_dataset("sintel", root)
    assert frames.ids == ("alley_1/frame_0001",)
    np.testing.assert_array_equal(frames.frame(0).depth_m, DEPTH)


def test_camera_and_pose(root: Path) -> None:
    frame = open_dataset("sintel", root, render="clean").frame(0)
    assert frame.intrinsics is not None and frame.extras.camera_to_world is not None
    i = frame.intrinsics
    assert (frame.fx_px, i.fx, i.fy, i.cx, i.cy) == (1120, 1120, 1121, 511.5, 217.5)
    np.testing.assert_allclose(frame.extras.camera_to_world[:3, 3], [1, 2, 3])


def test_a_missing_depth_shows_the_tree(root: Path) -> None:
    (root / "training/depth/alley_1/frame_0001.dpt").unlink()
    with pytest.raises(InputError, match=r"(?s)frame_0001.dpt is missing; expected.*camdata_left"):
        open_dataset("sintel", root).frame(0)
