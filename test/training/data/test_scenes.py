# SPDX-License-Identifier: Apache-2.0
"""Procedural scenes as training images."""

import math

import numpy as np
import pytest
import torch

from depthpro_ros.errors import InputError
from depthpro_ros.scenes import layout_from_seed, render_layouts
from depthpro_ros.scenes.layout import Camera
from depthpro_ros.training.data.scenes import SceneSet, zoom

SEED = 1_000_000


def test_canonical_inverse_depth_is_by_definition():
    batch = SceneSet().batch([0, 1, 2], 16, aspect=1.0)
    scenes = render_layouts([layout_from_seed(SEED + i) for i in range(3)], height=16, width=16)
    for index in range(3):
        half = math.radians(batch.fov_deg[index].item()) / 2
        focal_over_width = 1 / (2 * math.tan(half))
        expected = focal_over_width / scenes.depth_m[index]
        known = batch.valid[index]
        assert torch.equal(known, scenes.valid[index])
        assert torch.allclose(batch.canonical[index][known], expected[known], rtol=1e-4)
        assert (batch.canonical[index][~known] == 0).all()


def test_a_squashed_view_is_the_wide_view_row_by_row():
    """Rendered at 48x36 and squashed to 48 rows: every fourth square row is the middle of every third."""
    square = SceneSet().batch([3], 48, aspect=0.75)
    wide = render_layouts([layout_from_seed(SEED + 3)], height=36, width=48)
    expected = wide.focal_px[0] / 48 / wide.depth_m[0]
    both = square.valid[0, 1::4][:, :] & wide.valid[0, 1::3]
    # centres: square row 4 k + 1.5 is wide row 3 k + 1; between rows 4 k + 1 and 4 k + 2
    between = 0.5 * (square.canonical[0, 1::4] + square.canonical[0, 2::4])
    error = (between - expected[1::3]).abs()[both] / expected[1::3][both].clamp(min=1e-3)
    assert error.median() < 0.02


def test_a_zoom_is_a_centre_crop():
    """Half the view at half the size: the same rays, so the same depths, and C twice as large."""
    whole = SceneSet().batch([5], 32)
    middle = SceneSet().batch([5], 16, shares=[0.5])
    seen = whole.canonical[0, 8:24, 8:24]
    assert np.allclose(middle.canonical[0].numpy(), seen.numpy() / 0.5, rtol=2e-3, atol=1e-5)
    half_angles = [math.tan(math.radians(b.fov_deg.item()) / 2) for b in (whole, middle)]
    assert half_angles[1] == pytest.approx(0.5 * half_angles[0], rel=1e-5)


def test_a_zoom_keeps_the_optical_axis():
    camera = zoom(Camera(hfov_rad=math.radians(90), principal_x=0.1, principal_y=-0.05), 0.5)
    assert math.tan(camera.hfov_rad / 2) == pytest.approx(0.5)
    # in image widths of half the size
    assert (camera.principal_x, camera.principal_y) == pytest.approx((0.2, -0.1))


def test_a_scene_does_not_depend_on_the_others_of_its_batch():
    together, alone = SceneSet().batch([7, 8], 16), SceneSet().batch([8], 16)
    assert torch.equal(together.canonical[1], alone.canonical[0])


def test_held_out_scenes_are_not_trained_on():
    with pytest.raises(InputError, match="held out"):
        SceneSet(first_seed=999_999)
