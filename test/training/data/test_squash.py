# SPDX-License-Identifier: Apache-2.0
"""Frames squashed to squares."""

import math

import numpy as np
import pytest
import torch

from depthpro_ros.frames import RgbdFrame
from depthpro_ros.training.data.squash import squash


def plane(height: int, width: int, fx_px: float) -> RgbdFrame:
    """A floor that falls away: depth 2 m at the first column, growing by 0.5 m a column."""
    depth = np.broadcast_to(2 + 0.5 * np.arange(width, dtype=np.float32), (height, width))
    return RgbdFrame(np.zeros((height, width, 3), np.uint8), depth.copy(), fx_px)


def test_canonical_inverse_depth_is_by_definition():
    batch = squash(plane(24, 8, fx_px=6.0), 8, "real_metric")
    # the columns are the frame's own
    expected = 6.0 / (8 * (2 + 0.5 * np.arange(8)))
    assert torch.allclose(batch.canonical[0], torch.tensor(expected, dtype=torch.float32).expand(8, 8), rtol=1e-6)
    assert batch.valid.all()
    assert batch.kind == ("real_metric",)


@pytest.mark.parametrize(("width", "size"), [(8, 4), (8, 16), (10, 4), (7, 5)])
def test_depth_is_that_of_the_pixel_at_the_centre(width, size):
    batch = squash(plane(6, width, fx_px=6.0), size, "synthetic")
    for i in range(size):
        centre = (i + 0.5) / size * width - 0.5  # pixel centres at integers
        depth = 6.0 / width / float(batch.canonical[0, 0, i])
        assert abs((depth - 2) / 0.5 - centre) <= 0.5 + 1e-5


def test_field_of_view_is_the_frames():
    assert squash(plane(4, 8, fx_px=4.0), 16, "synthetic").fov_deg.tolist() == [pytest.approx(90)]
    fov = squash(plane(4, 640, fx_px=518.0), 16, "synthetic").fov_deg.item()
    assert math.tan(math.radians(fov) / 2) == pytest.approx(320 / 518, rel=1e-6)


def test_sky_is_valid_at_zero_and_holes_are_not():
    frame = plane(4, 4, 4.0)
    frame.depth_m[0, :3] = (np.inf, np.nan, 2.0)
    batch = squash(frame, 4, "synthetic")
    assert batch.valid[0, 0, :3].tolist() == [True, False, True]
    assert batch.canonical[0, 0, :3].tolist() == [0, 0, 0.5]


def test_holes_do_not_grow():
    frame = plane(8, 8, 4.0)
    frame.depth_m[3, 5] = np.nan
    assert int((~squash(frame, 16, "synthetic").valid).sum()) == 4


def test_colours_are_averaged():
    frame = plane(8, 8, 4.0)
    frame.rgb[:, ::2] = 200
    batch = squash(frame, 2, "synthetic")
    assert batch.rgb.dtype == torch.uint8
    # a mean of black and white columns; the filter's weights are not quite even at the border
    assert (batch.rgb.float() - 100).abs().max() < 20


def test_a_frame_of_the_right_size_is_left_alone():
    rgb = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    batch = squash(RgbdFrame(rgb, np.ones((8, 8), np.float32), 4.0), 8, "synthetic")
    assert np.array_equal(batch.rgb[0].numpy(), rgb)
