# SPDX-License-Identifier: Apache-2.0
"""Spring: disparity at twice the size, a row of intrinsics for each frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets import open_dataset
from test.evaluation.datasets import writers

h5py = pytest.importorskip("h5py", reason="Spring's disparity is HDF5")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    sequence = tmp_path / "train/0001"
    for number in ("0001", "0002"):
        writers.photograph(sequence / f"frame_left/frame_left_{number}.png", 3, 2)
        disparity = np.full((4, 6), 999, np.float32)
        disparity[::2, ::2] = [[6.5, 13, np.nan], [0, 65, 26]]
        path = sequence / f"disp1_left/disp1_left_{number}.dsp5"
        path.parent.mkdir(exist_ok=True)
        with h5py.File(path, "w") as file:
            file.create_dataset("disparity", data=disparity, compression="gzip")
    writers.content(sequence / "cam_data/intrinsics.txt", "1000 1001 1.5 0.5\n2000 2001 1.25 0.75\n")
    return tmp_path


def test_depth_is_of_every_other_disparity(root: Path) -> None:
    frames = open_dataset("spring", root)
    assert frames.ids == ("0001/0001", "0001/0002")
    # 1000 px * 0.065 m / disparity
    np.testing.assert_allclose(frames.frame(0).depth_m, [[10, 5, np.nan], [np.nan, 1, 2.5]], rtol=1e-6)


def test_each_frame_has_its_own_intrinsics(root: Path) -> None:
    frame = open_dataset("spring", root).frame(1)
    assert frame.intrinsics is not None
    i = frame.intrinsics
    assert (i.fx, i.fy, i.cx, i.cy) == (2000, 2001, 1.25, 0.75)
    assert frame.depth_m is not None and frame.depth_m[1, 1] == pytest.approx(2)


def test_a_missing_row_is_named(root: Path) -> None:
    writers.content(root / "train/0001/cam_data/intrinsics.txt", "1000 1001 1.5 0.5\n")
    with pytest.raises(InputError, match="4 numbers, expected four for each frame"):
        open_dataset("spring", root).frame(1)
