# SPDX-License-Identifier: Apache-2.0
"""SUN RGB-D: rotated bits, and a split file with its makers' paths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets import open_dataset
from test.evaluation.datasets import writers

MM = np.array([[0, 1234, 8000], [65535, 1, 10]])
FRAMES = ("kv1/NYUdata/NYU0001", "xtion/sun3ddata/hotel/lounge")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for frame in FRAMES:
        folder = tmp_path / "SUNRGBD" / frame
        writers.photograph(folder / "image/NYU0001.jpg", 3, 2)
        stored = ((MM << 3) | (MM >> 13)).astype(np.uint16)
        writers.png(folder / "depth_bfx/NYU0001.png", stored)
        writers.png(folder / "depth/NYU0001.png", np.where(MM == 10, 0, stored).astype(np.uint16))
        writers.content(folder / "intrinsics.txt", "518.857901 0.000000 284.582449 0 519.469611 208.736166 0 0 1\n")
    return tmp_path


def _split(root: Path) -> None:
    io = pytest.importorskip("scipy.io")
    path = root / "SUNRGBDtoolbox/traintestSUNRGBD/allsplit.mat"
    path.parent.mkdir(parents=True)
    cells = {}
    for key, frame in zip(("alltest", "alltrain"), FRAMES, strict=True):
        cells[key] = np.empty((1, 1), object)
        cells[key][0, 0] = f"/n/fs/sun3d/data/SUNRGBD/{frame}/"
    io.savemat(path, cells)


def test_bits_are_rotated_back(root: Path) -> None:
    frame = open_dataset("sun_rgbd", root, split="all").frame(0)
    np.testing.assert_array_equal(frame.depth_m, np.array([[np.nan, 1.234, 8], [65.535, 0.001, 0.01]], np.float32))
    assert frame.intrinsics is not None
    assert (frame.fx_px, frame.intrinsics.cy) == (518.857901, 208.736166)


def test_the_split_file_decides(root: Path) -> None:
    _split(root)
    test = open_dataset("sun_rgbd", root)
    assert test.ids == ("kv1/NYUdata/NYU0001",)
    assert test.frame(0).scene == "kv1"
    assert open_dataset("sun_rgbd", root, split="train").ids == ("xtion/sun3ddata/hotel/lounge",)


def test_raw_depth_may_be_asked_for(root: Path) -> None:
    depth = open_dataset("sun_rgbd", root, split="all", depth="raw").frame(1).depth_m
    assert depth is not None and np.isnan(depth[1, 2])


def test_a_split_without_its_file_shows_the_tree(root: Path) -> None:
    pytest.importorskip("scipy")
    with pytest.raises(InputError, match=r"(?s)allsplit.mat is missing; expected.*depth_bfx"):
        open_dataset("sun_rgbd", root)
