# SPDX-License-Identifier: Apache-2.0
"""iBims-1: both of its forms tell the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets import DatasetFrame, open_dataset
from test.evaluation.datasets import writers

DEPTH = np.array([[2.0, 0, 4], [10, 25, 50]])
VALID = np.array([[1, 1, 1], [0, 1, 1]], np.uint8)
OPAQUE = np.array([[1, 1, 1], [1, 0, 1]], np.uint8)
EXPECTED = np.array([[2.0, np.nan, 4], [np.nan, np.nan, 50]])
EDGES = np.array([[0, 1, 0], [0, 1, 0]], np.uint8)
WALLS = np.array([[1, 1, 2], [0, 0, 2]], np.uint8)
ROWS = np.array([[1, 2, 3, 9, 0, 1, 0, 5], [1, 2, 3, 9, 1, 0, 0, 6]], float)
K = np.array([[550.5, 0, 320.25], [0, 551.5, 240.75], [0, 0, 1]])


def _mat(root: Path) -> Path:
    io = pytest.importorskip("scipy.io", reason="the .mat form needs SciPy")
    rgb = np.zeros((2, 3, 3), np.uint8)
    rgb[..., 0] = 255
    data = {
        "rgb": rgb,
        "depth": DEPTH,
        "edges": EDGES,
        "calib": K.T,
        "mask_invalid": VALID,
        "mask_transp": OPAQUE,
        "mask_wall": WALLS,
        "mask_wall_paras": ROWS,
        "mask_table": np.zeros_like(WALLS),
        "mask_table_paras": np.zeros((0, 0)),
        "mask_floor": np.zeros_like(WALLS),
        "mask_floor_paras": np.zeros((0, 0)),
    }
    io.savemat(root / "corridor_01.mat", {"data": data})
    return root


def _png(root: Path) -> Path:
    writers.content(root / "imagelist.txt", "corridor_01\n")
    writers.photograph(root / "rgb/corridor_01.png", 3, 2)
    writers.png(root / "depth/corridor_01.png", np.rint(DEPTH * 65535 / 50).astype(np.uint16))
    writers.content(root / "calib/corridor_01.txt", "550.5,551.5,320.25,240.75\n")
    writers.png(root / "edges/corridor_01.png", EDGES * 255)
    writers.png(root / "mask_invalid/corridor_01.png", VALID)
    writers.png(root / "mask_transp/corridor_01.png", OPAQUE)
    writers.png(root / "mask_wall/corridor_01.png", WALLS)
    writers.content(root / "mask_wall/corridor_01.txt", "".join(",".join(map(str, row)) + "\n" for row in ROWS))
    return root


@pytest.fixture(params=["mat", "png"])
def frame(request: pytest.FixtureRequest, tmp_path: Path) -> DatasetFrame:
    root = _mat(tmp_path) if request.param == "mat" else _png(tmp_path)
    frames = open_dataset("ibims1", root)
    assert frames.ids == ("corridor_01",)
    return frames.frame(0)


def test_depth_is_without_invalid_and_see_through_pixels(frame: DatasetFrame) -> None:
    # the PNG has steps of 0.8 mm
    np.testing.assert_allclose(frame.depth_m, EXPECTED, atol=4e-4)
    assert frame.rgb[0, 0].tolist() == [255, 0, 0]


def test_intrinsics_are_not_transposed(frame: DatasetFrame) -> None:
    assert frame.intrinsics is not None
    i = frame.intrinsics
    assert (i.fx, i.fy, i.cx, i.cy) == (550.5, 551.5, 320.25, 240.75)


def test_edges_and_planes(frame: DatasetFrame) -> None:
    assert frame.extras.edges is not None and frame.extras.planes is not None
    np.testing.assert_array_equal(frame.extras.edges, EDGES == 1)
    first, second = frame.extras.planes
    assert (first.kind, second.kind) == ("wall", "wall")
    assert first.normal.tolist() == [0, 1, 0]
    assert second.normal.tolist() == [1, 0, 0]
    np.testing.assert_array_equal(second.mask, WALLS == 2)


def test_a_listed_image_must_be_there(tmp_path: Path) -> None:
    root = _png(tmp_path)
    writers.content(root / "imagelist.txt", "corridor_02\n")
    with pytest.raises(InputError, match=r"(?s)frame corridor_02: .*rgb/corridor_02.png is missing; expected"):
        open_dataset("ibims1", root).frame(0)


def test_a_mat_file_of_another_data_set_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("scipy.io").savemat(tmp_path / "a.mat", {"x": 1})
    with pytest.raises(InputError, match=r"frame a: .*\['x'\], expected 'data'"):
        open_dataset("ibims1", tmp_path).frame(0)
