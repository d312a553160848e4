# SPDX-License-Identifier: Apache-2.0
"""Photographs with EXIF data, for focal lengths."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from PIL import Image

from depthpro_ros.evaluation.datasets import open_dataset


def test_the_focal_length_is_from_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA405] = 28
    (tmp_path / "camera").mkdir()
    Image.new("RGB", (30, 20)).save(tmp_path / "camera/a.jpg", exif=exif)
    Image.new("RGB", (30, 20)).save(tmp_path / "b.PNG")
    (tmp_path / "notes.txt").write_text("no photograph")
    frames = open_dataset("photos", tmp_path)
    assert frames.ids == ("b.PNG", "camera/a.jpg")
    assert frames.frame(0).fx_px is None
    frame = frames.frame(1)
    # equal diagonals: 28 mm on 36 x 24 mm film
    assert frame.fx_px == pytest.approx(28 * math.hypot(30, 20) / math.hypot(36, 24))
    assert (frame.scene, frame.depth_m, frame.alpha) == ("camera", None, None)
