# SPDX-License-Identifier: Apache-2.0
"""The change of the scale from frame to frame."""

from __future__ import annotations

import pytest
import torch

from depthpro_ros.errors import InputError
from depthpro_ros.scale import scale_change
from test.scale.rendered import indoor_scenes


def test_a_far_thing_that_comes_into_view_changes_all_pixels_alike() -> None:
    """A door opens on a corridor twice as far: relative depth is halved elsewhere, so the scale has doubled."""
    for scene in indoor_scenes():
        before = scene.relative(noise=0.02)
        now = before / 2
        now[:, :20] = 1.0
        assert scale_change(before, now) == pytest.approx(2.0, rel=0.01)


def test_the_same_frame_has_not_changed() -> None:
    p = indoor_scenes()[0].relative()
    assert scale_change(p, p) == 1.0


def test_another_view_tells_nothing() -> None:
    generator = torch.Generator().manual_seed(0)
    assert scale_change(torch.rand(96, 128, generator=generator), torch.rand(96, 128, generator=generator)) is None


@pytest.mark.parametrize("value", [torch.nan, torch.inf, 0.0])
def test_frames_without_depth_tell_nothing(value: float) -> None:
    assert scale_change(torch.full((96, 128), value), torch.ones(96, 128)) is None


def test_frames_of_two_sizes_are_refused() -> None:
    with pytest.raises(InputError, match="one size"):
        scale_change(torch.ones(4, 5), torch.ones(5, 4))
