# SPDX-License-Identifier: Apache-2.0
"""DIODE: depth and mask as NumPy files beside the photograph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets import open_dataset
from test.evaluation.datasets import writers


@pytest.fixture
def root(tmp_path: Path) -> Path:
    depth = np.full((2, 1024, 1), 300, np.float32)
    depth[0, :3, 0] = (1.5, 2.5, 0)
    mask = np.ones((2, 1024), np.float32)
    mask[0, 1] = 0
    for place, scene in (("indoors", "scene_00019"), ("outdoor", "scene_00022")):
        scan = tmp_path / f"val/{place}/{scene}/scan_00183"
        writers.photograph(scan / "00019_00183_indoors_000_010.png", 1024, 2)
        writers.npy(scan / "00019_00183_indoors_000_010_depth.npy", depth)
        writers.npy(scan / "00019_00183_indoors_000_010_depth_mask.npy", mask)
    return tmp_path


def test_depth_is_of_masked_pixels(root: Path) -> None:
    frames = open_dataset("diode", root)
    assert len(frames) == 2
    frame = frames.frame(0)
    assert frame.depth_m is not None
    np.testing.assert_array_equal(frame.depth_m[0, :4], [1.5, np.nan, np.nan, 300])
    assert (frame.scene, frame.fx_px, frame.intrinsics) == ("indoors/scene_00019", 886.81, None)


def test_one_place_may_be_chosen(root: Path) -> None:
    assert open_dataset("diode", root, place="outdoor").ids == (
        "outdoor/scene_00022/scan_00183/00019_00183_indoors_000_010",
    )


def test_a_mask_of_another_size_is_refused(root: Path) -> None:
    scan = root / "val/indoors/scene_00019/scan_00183"
    writers.npy(scan / "00019_00183_indoors_000_010_depth_mask.npy", np.ones((2, 3)))
    with pytest.raises(InputError, match=r"mask is \[2, 3\]"):
        open_dataset("diode", root).frame(0)
