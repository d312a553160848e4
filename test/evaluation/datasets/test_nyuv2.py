# SPDX-License-Identifier: Apache-2.0
"""NYUv2: HDF5 from MATLAB, whose axes are reversed and whose numbers begin at 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets import open_dataset
from test.evaluation.datasets import writers

h5py = pytest.importorskip("h5py", reason="NYUv2 is HDF5")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    images = np.zeros((3, 3, 640, 480), np.uint8)
    raw = np.zeros((3, 640, 480), np.float32)
    # the second image: blue at row 7, column 11; 2.5 m there, nothing elsewhere
    images[1, 2, 11, 7] = 200
    raw[1, 11, 7] = 2.5
    with h5py.File(tmp_path / "nyu_depth_v2_labeled.mat", "w") as file:
        file["images"], file["rawDepths"], file["depths"] = images, raw, raw + 1
        names = [file.create_dataset(f"#refs#/{k}", data=[[ord(c)] for c in f"room_{k}"]) for k in range(3)]
        file["scenes"] = np.array([[name.ref for name in names]], h5py.ref_dtype)
    return tmp_path


def test_rows_and_columns_are_the_right_way_round(root: Path) -> None:
    frame = open_dataset("nyuv2", root, split="all").frame(1)
    assert frame.rgb.shape == (480, 640, 3)
    assert frame.rgb[7, 11].tolist() == [0, 0, 200]
    assert frame.depth_m is not None
    assert np.argwhere(np.isfinite(frame.depth_m)).tolist() == [[7, 11]]
    assert frame.depth_m[7, 11] == 2.5


def test_camera_and_scene(root: Path) -> None:
    frame = open_dataset("nyuv2", root, split="all").frame(2)
    assert frame.scene == "room_2"
    assert frame.intrinsics is not None
    i = frame.intrinsics
    assert (i.fx, i.fy, i.cx, i.cy) == (518.8579, 519.4696, 325.5824, 253.7362)


def test_filled_depth_may_be_asked_for(root: Path) -> None:
    depth = open_dataset("nyuv2", root, split="all", depth="filled").frame(1).depth_m
    assert depth is not None
    assert (depth[7, 11], depth[0, 0]) == (3.5, 1.0)


def test_split_counts_from_one(root: Path) -> None:
    io = pytest.importorskip("scipy.io")
    io.savemat(root / "splits.mat", {"testNdxs": [[2], [3]], "trainNdxs": [[1]]})
    frames = open_dataset("nyuv2", root)
    assert frames.ids == ("0002", "0003")
    assert frames.frame(0).rgb[7, 11, 2] == 200
    io.savemat(root / "splits.mat", {"testNdxs": [[4]]})
    with pytest.raises(InputError, match="names image 4, .* has 3"):
        open_dataset("nyuv2", root)


def test_a_split_without_its_file_shows_the_tree(root: Path) -> None:
    pytest.importorskip("scipy")
    with pytest.raises(InputError, match=r"(?s)splits.mat is missing; expected.*labeled.mat"):
        open_dataset("nyuv2", root)


def test_another_file_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "nyu_depth_v2_labeled.mat", "w") as file:
        file["labels"] = [1]
    with pytest.raises(InputError, match=r"\['labels'\], expected 'images'"):
        open_dataset("nyuv2", tmp_path, split="all")
    writers.content(tmp_path / "nyu_depth_v2_labeled.mat", b"x")
    with pytest.raises(InputError, match="no HDF5"):
        open_dataset("nyuv2", tmp_path, split="all")
