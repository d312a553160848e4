# SPDX-License-Identifier: Apache-2.0
"""Matting and segmentation sets: opacity from 0 to 1, no depth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets import open_dataset
from test.evaluation.datasets import writers

ALPHA = np.array([[0, 51, 255], [255, 0, 102]], np.uint8)


def _pair(image: Path, mask: Path) -> None:
    writers.photograph(image, 3, 2)
    writers.png(mask, ALPHA)


def test_am2k(tmp_path: Path) -> None:
    _pair(tmp_path / "validation/original/m_04.jpg", tmp_path / "validation/mask/m_04.png")
    frames = open_dataset("am2k", tmp_path)
    assert frames.ids == ("m_04",)
    frame = frames.frame(0)
    assert (frame.depth_m, frame.fx_px) == (None, None)
    np.testing.assert_allclose(frame.alpha, [[0, 0.2, 1], [1, 0, 0.4]], rtol=1e-6)


def test_p3m10k_has_two_parts(tmp_path: Path) -> None:
    np_part, p_part = tmp_path / "validation/P3M-500-NP", tmp_path / "validation/P3M-500-P"
    _pair(np_part / "original_image/p_1.jpg", np_part / "mask/p_1.png")
    _pair(p_part / "blurred_image/p_2.jpg", p_part / "mask/p_2.png")
    assert open_dataset("p3m10k", tmp_path).ids == ("P3M-500-NP/p_1", "P3M-500-P/p_2")
    frame = open_dataset("p3m10k", tmp_path, part="P").frame(0)
    assert (frame.id, frame.scene) == ("P3M-500-P/p_2", "P3M-500-P")
    assert frame.alpha is not None and frame.alpha[0, 2] == 1


@pytest.fixture
def dis5k(tmp_path: Path) -> Path:
    for part, name in (("DIS-VD", "1#Accessories#2"), ("DIS-TE1", "2#Aircraft#7")):
        _pair(tmp_path / f"{part}/im/{name}.jpg", tmp_path / f"{part}/gt/{name}.png")
    return tmp_path


def test_dis5k_parts(dis5k: Path) -> None:
    assert open_dataset("dis5k", dis5k).ids == ("DIS-VD/1#Accessories#2", "DIS-TE1/2#Aircraft#7")
    frame = open_dataset("dis5k", dis5k, part="TE1").frame(0)
    assert frame.alpha is not None and frame.alpha[1, 2] == pytest.approx(0.4)


def test_dis5k_by_a_list_of_photographs(dis5k: Path) -> None:
    listed = writers.content(dis5k / "list.txt", "DIS5K/DIS-TE1/im/2#Aircraft#7.jpg\n")
    frames = open_dataset("dis5k", dis5k, frames=listed)
    assert frames.ids == ("DIS-TE1/2#Aircraft#7",)
    assert frames.frame(0).rgb.shape == (2, 3, 3)
    with pytest.raises(InputError, match="expected DIS-VD/im/NAME.jpg"):
        open_dataset("dis5k", dis5k, frames=writers.content(dis5k / "list.txt", "7.jpg\n"))


def test_a_photograph_without_its_mask_shows_the_tree(dis5k: Path) -> None:
    (dis5k / "DIS-VD/gt/1#Accessories#2.png").unlink()
    with pytest.raises(InputError, match=r"(?s)1#Accessories#2.png is missing; expected.*gt/NAME.png"):
        open_dataset("dis5k", dis5k).frame(0)
