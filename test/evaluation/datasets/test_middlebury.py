# SPDX-License-Identifier: Apache-2.0
"""Middlebury: three releases of one form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from depthpro_ros.evaluation.datasets import open_dataset
from depthpro_ros.evaluation.motorcycle import BASELINE_M, MOTORCYCLE, PRINCIPAL_POINT_SHIFT_PX
from test.evaluation.datasets import writers

DISPARITY = np.array([[30, np.inf, 10], [20, 60, 130]], np.float32)
# 1000 px * 0.2 m / (disparity + 20)
DEPTH_M = np.array([[4.0, np.nan, 200 / 30], [5.0, 2.5, 200 / 150]])


def _scene(folder: Path, disparity: str) -> Path:
    writers.photograph(folder / "im0.png", 3, 2)
    writers.calib(folder / "calib.txt", 1000, 1.5, 0.5, 20, 200, (3, 2))
    writers.pfm(folder / disparity, DISPARITY)
    return folder


@pytest.mark.parametrize("name", ["middlebury_2014", "middlebury_2021"])
def test_depth_needs_doffs_and_a_baseline_in_millimetres(name: str, tmp_path: Path) -> None:
    _scene(tmp_path / "Adirondack-perfect", "disp0.pfm")
    (tmp_path / "notes").mkdir()
    frames = open_dataset(name, tmp_path)
    assert frames.ids == ("Adirondack-perfect",)
    frame = frames.frame(0)
    np.testing.assert_allclose(frame.depth_m, DEPTH_M, rtol=1e-6)
    assert frame.intrinsics is not None
    assert (frame.fx_px, frame.intrinsics.cx, frame.intrinsics.cy) == (1000, 1.5, 0.5)


@pytest.fixture
def v3(tmp_path: Path) -> Path:
    scene = _scene(tmp_path / "trainingF/Adirondack", "disp0GT.pfm")
    writers.png(scene / "mask0nocc.png", np.array([[255, 0, 128], [255, 255, 128]], np.uint8))
    return tmp_path


def test_v3_is_of_pixels_that_both_cameras_see(v3: Path) -> None:
    expected = DEPTH_M.copy()
    expected[:, 2] = np.nan
    np.testing.assert_allclose(open_dataset("middlebury_v3", v3).frame(0).depth_m, expected, rtol=1e-6)


def test_v3_may_keep_occluded_pixels(v3: Path) -> None:
    np.testing.assert_allclose(open_dataset("middlebury_v3", v3, occluded=True).frame(0).depth_m, DEPTH_M, rtol=1e-6)


def test_the_motorcycle_written_to_disk_is_itself(tmp_path: Path) -> None:
    """The loader gives, from files, what the module about this scene computes."""
    data = pytest.importorskip("skimage").data
    left, _, disparity = data.stereo_motorcycle()
    m = MOTORCYCLE
    writers.png(tmp_path / "Motorcycle/im0.png", left[..., 2::-1])
    writers.pfm(tmp_path / "Motorcycle/disp0.pfm", disparity)
    writers.calib(
        tmp_path / "Motorcycle/calib.txt", m.fx, m.cx, m.cy, PRINCIPAL_POINT_SHIFT_PX, 1000 * BASELINE_M, (741, 500)
    )
    frame = open_dataset("middlebury_2014", tmp_path).frame(0)
    np.testing.assert_array_equal(frame.rgb, left[..., :3])
    assert np.nanmedian(frame.depth_m) == pytest.approx(2.75, abs=0.01)
    assert int(np.isnan(frame.depth_m).sum()) == 27226
