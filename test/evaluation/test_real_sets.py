# SPDX-License-Identifier: Apache-2.0
"""Real sets: units, holes, and what is said where they are not there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.real_sets import KINECT_VARIABLE, KinectDining, Motorcycle, real_sets


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Frame k is of one colour, k metres away, and has a hole."""
    for part in ("color", "depth"):
        (tmp_path / part).mkdir()
    for k in range(1, 6):
        depth = np.full((4, 6), 1000 * k, np.uint16)
        depth[1, 2] = 0
        cv2.imwrite(str(tmp_path / f"depth/{k}.pgm"), depth)
        cv2.imwrite(str(tmp_path / f"color/{k}.png"), np.full((4, 6, 3), (10 * k, 0, 200), np.uint8))
    return tmp_path


def test_kinect_is_metres_and_rgb(folder: Path) -> None:
    frames = KinectDining(folder)
    assert len(frames) == 5
    frame = frames.frame(2)
    assert frame.rgb[0, 0].tolist() == [200, 0, 30]
    assert frame.depth_m[0, 0] == pytest.approx(3.0)
    assert np.argwhere(np.isnan(frame.depth_m)).tolist() == [[1, 2]]
    assert frame.fx_px == 518.0


def test_a_named_folder_must_be_whole(folder: Path) -> None:
    (folder / "depth/4.pgm").unlink()
    with pytest.raises(InputError, match=r"depth/4.pgm is missing"):
        real_sets(folder)


def test_depth_of_eight_bits_is_refused(folder: Path) -> None:
    cv2.imwrite(str(folder / "depth/1.pgm"), np.zeros((4, 6), np.uint8))
    with pytest.raises(InputError, match="expected 16-bit"):
        KinectDining(folder).frame(0)


def test_the_environment_names_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KINECT_VARIABLE, str(folder))
    assert "kinect_dining" in [frames.name for frames in real_sets().found]


def test_missing_sets_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KINECT_VARIABLE, raising=False)
    monkeypatch.setitem(sys.modules, "skimage", None)
    sets = real_sets()
    assert sets.found == ()
    assert KINECT_VARIABLE in sets.skipped[0]
    assert "pip install scikit-image" in sets.skipped[1]


def test_motorcycle_is_the_published_scene() -> None:
    pytest.importorskip("skimage")
    frame = Motorcycle().frame(0)
    assert frame.rgb.shape == (500, 741, 3)
    assert np.nanmedian(frame.depth_m) == pytest.approx(2.75, abs=0.01)
    assert frame.fx_px == pytest.approx(994.978)


@pytest.mark.skipif(KINECT_VARIABLE not in os.environ, reason=f"{KINECT_VARIABLE} names no folder")
def test_the_dining_room_itself() -> None:
    """About a third of its pixels have no depth, and it is a room."""
    for frame in map(KinectDining(Path(os.environ[KINECT_VARIABLE])).frame, range(5)):
        assert frame.rgb.shape == (480, 640, 3)
        assert 0.2 < np.isnan(frame.depth_m).mean() < 0.5
        assert 0.5 < np.nanmedian(frame.depth_m) < 5
