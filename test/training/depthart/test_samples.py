# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import torch

from depthpro_ros.training.data.batch import Batch
from depthpro_ros.training.depthart.figures import aligned_figures
from depthpro_ros.training.depthart.samples import depth_image, depth_of
from test.training.depthart.small import small_model


def _batch(depth: torch.Tensor, valid: torch.Tensor, fov_deg: float) -> Batch:
    focal = 0.5 / math.tan(math.radians(fov_deg / 2))
    canonical = torch.where(valid, focal / depth, 0.0)
    return Batch(torch.zeros(1, 8, 8, 3, dtype=torch.uint8), canonical, valid, torch.tensor([fov_deg]), ("synthetic",))


def test_depth_is_read_back_from_canonical_inverse_depth() -> None:
    depth = torch.rand(1, 8, 8, generator=torch.Generator().manual_seed(0)) * 20 + 1
    depth[0, 0, :3] = torch.tensor([math.inf, 79.0, 81.0])
    valid = torch.ones(1, 8, 8, dtype=torch.bool)
    found, known = depth_of(_batch(depth, valid, 70.0))
    depth[0, 0, 2] = math.inf  # beyond 80 m is sky
    torch.testing.assert_close(found, depth)
    assert bool(known.all())


def test_the_tokenizer_sees_three_equal_channels_and_sky_as_far() -> None:
    depth = torch.full((1, 8, 8), 2.0)
    depth[0, :2] = math.inf
    image, valid = depth_image(_batch(depth, torch.ones(1, 8, 8, dtype=torch.bool), 70.0), small_model())
    assert image.shape == (1, 3, 8, 8)
    assert torch.equal(image[:, 0], image[:, 2])
    torch.testing.assert_close(image, torch.ones_like(image), rtol=0, atol=1e-5)
    assert bool(valid.all())


def test_an_image_of_sky_alone_counts_nowhere() -> None:
    image, valid = depth_image(
        _batch(torch.full((1, 8, 8), math.inf), torch.ones(1, 8, 8, dtype=torch.bool), 70.0), small_model()
    )
    assert not valid.any()
    assert bool(image.isfinite().all())


def test_scaling_a_prediction_changes_no_figure_and_the_truth_itself_has_none() -> None:
    truth = torch.rand(2, 8, 8, generator=torch.Generator().manual_seed(0)) * 9 + 1
    valid = torch.ones(2, 8, 8, dtype=torch.bool)
    other = truth * torch.rand(2, 8, 8, generator=torch.Generator().manual_seed(1)).add(0.5)
    perfect, once, scaled = (aligned_figures(p, truth, valid) for p in (0.03 * truth, other, 17 * other))
    torch.testing.assert_close(perfect["abs_rel"], torch.zeros(2), rtol=0, atol=1e-6)
    torch.testing.assert_close(perfect["delta1"], torch.ones(2))
    for name in once:
        torch.testing.assert_close(once[name], scaled[name], rtol=1e-4, atol=1e-6)


def test_figures_by_hand() -> None:
    truth = torch.tensor([[[1.0, 2.0, 4.0, math.inf]]])
    predicted = torch.tensor([[[1.0, 1.0, 2.0, 9.0]]])
    # ratios truth / predicted: 1, 2, 2; their median 2; errors |2 - 1| / 1, 0, 0
    figures = aligned_figures(predicted, truth, torch.ones(1, 1, 4, dtype=torch.bool))
    torch.testing.assert_close(figures["abs_rel"], torch.tensor([1 / 3]))
    torch.testing.assert_close(figures["delta1"], torch.tensor([2 / 3]))
