# SPDX-License-Identifier: Apache-2.0
"""A frame refuses what is not an image with its depth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.frames import RgbdFrame

RGB = np.zeros((4, 6, 3), np.uint8)
DEPTH = np.full((4, 6), np.nan, np.float32)


def test_holes_are_allowed() -> None:
    assert RgbdFrame(RGB, DEPTH, 5.0).rgb.shape == (4, 6, 3)


@pytest.mark.parametrize("rgb", [RGB[..., 0], RGB[..., :2], RGB.astype(np.float32), RGB[:0]])
def test_other_images_are_refused(rgb: np.ndarray) -> None:
    with pytest.raises(InputError, match="rgb is .* expected uint8"):
        RgbdFrame(rgb, DEPTH, 5.0)


@pytest.mark.parametrize("depth", [DEPTH[1:], DEPTH.astype(np.float64), np.zeros((4, 6), np.uint16)])
def test_other_depth_is_refused(depth: np.ndarray) -> None:
    with pytest.raises(InputError, match="depth_m is .* expected float32"):
        RgbdFrame(RGB, depth, 5.0)


@pytest.mark.parametrize("focal", [0.0, -1.0, math.nan, math.inf])
def test_other_focals_are_refused(focal: float) -> None:
    with pytest.raises(InputError, match="fx_px"):
        RgbdFrame(RGB, DEPTH, focal)
