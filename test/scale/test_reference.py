# SPDX-License-Identifier: Apache-2.0
"""The scale from another model's metres."""

from __future__ import annotations

import pytest
import torch

from depthpro_ros.errors import InputError
from depthpro_ros.scale import NoScale, scale_from_reference
from test.scale.rendered import indoor_scenes

TRUTH = torch.linspace(1.0, 9.0, 480 * 640).view(480, 640)


def test_rendered_scenes_within_one_percent_under_noise_and_outliers() -> None:
    """Both maps are noisy by 5 %, a tenth of the pixels are wrong."""
    for scene in indoor_scenes():
        noise = torch.exp(0.05 * torch.randn(scene.depth_m.shape, generator=torch.Generator().manual_seed(1)))
        estimate = scale_from_reference(scene.relative(noise=0.05, outliers=0.1), scene.depth_m * noise)
        assert estimate.scale == pytest.approx(scene.d98_m, rel=0.01)
        assert estimate.source == "depth_pro"


def test_few_thousand_pixels_stand_for_all() -> None:
    estimate = scale_from_reference(TRUTH / 9.0, TRUTH)
    assert estimate.scale == pytest.approx(9.0)
    assert 3000 < estimate.inliers <= 4000


def test_sky_is_left_out() -> None:
    """Depth Pro says 10 km of it, the relative depth saturates."""
    reference = TRUTH.clone()
    reference[:300] = 1e4
    assert scale_from_reference(TRUTH / 9.0, reference).scale == pytest.approx(9.0)


def test_unknown_pixels_are_left_out() -> None:
    relative, reference = TRUTH / 9.0, TRUTH.clone()
    relative[:100], relative[100:150] = torch.nan, 0.0
    reference[150:200], reference[200:250] = torch.inf, torch.nan
    assert scale_from_reference(relative, reference).scale == pytest.approx(9.0)


def test_half_precision_will_do() -> None:
    assert scale_from_reference((TRUTH / 9.0).half(), TRUTH).scale == pytest.approx(9.0, rel=1e-3)


@pytest.mark.parametrize("value", [torch.nan, 0.0, torch.inf])
def test_a_map_that_knows_nothing_gives_no_scale(value: float) -> None:
    with pytest.raises(NoScale, match="only 0 pixels of the reference are usable"):
        scale_from_reference(torch.full((48, 64), value), torch.ones(48, 64))


def test_maps_that_contradict_give_no_scale() -> None:
    generator = torch.Generator().manual_seed(0)
    with pytest.raises(NoScale, match="agree on a scale"):
        scale_from_reference(torch.rand(48, 64, generator=generator), 9 * torch.rand(48, 64, generator=generator))


def test_maps_of_two_sizes_are_refused() -> None:
    with pytest.raises(InputError, match=r"\[48, 64\].*\[64, 48\]"):
        scale_from_reference(torch.ones(48, 64), torch.ones(64, 48))


@pytest.mark.parametrize("shape", [(0, 64), (1, 48, 64), (64,)])
def test_what_is_no_map_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"\[H, W\]"):
        scale_from_reference(torch.ones(shape), torch.ones(shape))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_maps_on_a_gpu_give_the_same() -> None:
    host = scale_from_reference(TRUTH / 9.0, TRUTH)
    assert scale_from_reference((TRUTH / 9.0).cuda(), TRUTH.cuda()) == host
