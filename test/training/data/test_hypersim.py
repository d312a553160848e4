# SPDX-License-Identifier: Apache-2.0
"""Hypersim on fixture files in the true format: names, HDF5 data set, half-precision distances."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.training.data.hypersim import HypersimSet, along_axis

h5py = pytest.importorskip("h5py", reason="Hypersim's distances are HDF5")

HEIGHT, WIDTH = 48, 64
FOCAL = WIDTH * 886.81 / 1024
"""The focal length that Hypersim's users know, pixels of 1024."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two frames of a wall at 3 m, seen straight on."""
    u, v = np.meshgrid(np.arange(WIDTH) + 0.5 - WIDTH / 2, np.arange(HEIGHT) + 0.5 - HEIGHT / 2)
    distance = 3.0 * np.sqrt(u**2 + v**2 + FOCAL**2) / FOCAL
    for frame in ("0000", "0007"):
        photo = tmp_path / f"ai_001_001/images/scene_cam_00_final_preview/frame.{frame}.tonemap.jpg"
        depth = tmp_path / f"ai_001_001/images/scene_cam_00_geometry_hdf5/frame.{frame}.depth_meters.hdf5"
        for path in (photo, depth):
            path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(photo), np.full((HEIGHT, WIDTH, 3), (0, 0, 200), np.uint8))
        with h5py.File(depth, "w") as file:
            values = distance.astype(np.float16)
            values[0, 0] = np.nan
            file["dataset"] = values
    # a frame without depth, and another kind of preview
    (tmp_path / "ai_001_001/images/scene_cam_00_final_preview/frame.0009.tonemap.jpg").write_bytes(b"")
    (tmp_path / "ai_001_001/images/scene_cam_00_final_preview/frame.0000.color.jpg").write_bytes(b"")
    return tmp_path


def test_distances_become_depth_along_the_axis(root: Path) -> None:
    frame = HypersimSet(root).frame(0)
    known = frame.depth_m[np.isfinite(frame.depth_m)]
    assert known.size == HEIGHT * WIDTH - 1
    np.testing.assert_allclose(known, 3.0, rtol=1e-3)  # half precision
    assert frame.fx_px == pytest.approx(FOCAL, rel=1e-5)


def test_photographs_are_rgb(root: Path) -> None:
    red, green, blue = HypersimSet(root).frame(0).rgb[20, 20].astype(int)
    assert red > 190
    assert max(green, blue) < 10


def test_frames_without_depth_are_left_out(root: Path) -> None:
    assert len(HypersimSet(root)) == 2


def test_farther_than_allowed_is_unknown(root: Path) -> None:
    assert not np.isfinite(HypersimSet(root, max_depth_m=2.9).frame(1).depth_m).any()


def test_the_middle_of_the_image_is_as_far_as_it_is_deep() -> None:
    assert along_axis(768, 1024)[384, 512] == pytest.approx(1.0, abs=1e-6)


def test_a_folder_without_frames_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected ai_VVV_NNN/images"):
        HypersimSet(tmp_path)


def test_sizes_that_differ_are_named(root: Path) -> None:
    path = root / "ai_001_001/images/scene_cam_00_geometry_hdf5/frame.0000.depth_meters.hdf5"
    with h5py.File(path, "w") as file:
        file["dataset"] = np.ones((10, 10), np.float16)
    with pytest.raises(InputError, match=r"\[10, 10\] pixels, its image of \[48, 64\]"):
        HypersimSet(root).frame(0)
