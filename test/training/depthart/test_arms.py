# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch

from depthpro_ros.models.depthart.network import DepthArt
from depthpro_ros.models.depthart.quantiser import Path
from depthpro_ros.models.depthart.sampling import DecodingSettings
from depthpro_ros.training.depthart.arms import ARMS, Arm, Corruption, arm_loss, retarget, token_loss, walk
from depthpro_ros.training.depthart.samples import Samples
from test.training.depthart.small import samples, small_model


@pytest.fixture(scope="module")
def model() -> DepthArt:
    return small_model()


@pytest.fixture(scope="module")
def images(model: DepthArt) -> Samples:
    return samples(model)


def _walk(arm: Arm, model: DepthArt, images: Samples) -> Path:
    assert images.features is not None
    return walk(arm, model, model.transformer.prefix(images.features), images.latent, DecodingSettings())


def test_var_walks_the_quantisers_own_path(model: DepthArt, images: Samples) -> None:
    path = _walk("var", model, images)
    own = model.tokenizer.quantize.walk(images.latent)
    for name in ("targets", "chosen", "inputs"):
        assert all(torch.equal(a, b) for a, b in zip(getattr(path, name), getattr(own, name), strict=True))
    assert all(torch.equal(a, b) for a, b in zip(path.targets, path.chosen, strict=True))


def test_dynamic_targets_are_the_static_ones_where_the_rollout_says_the_quantisers_tokens(
    model: DepthArt, images: Samples
) -> None:
    quantiser = model.tokenizer.quantize
    own = quantiser.walk(images.latent)
    again = retarget(quantiser, images.latent, own.chosen, own.inputs)
    assert all(torch.equal(a, b) for a, b in zip(again.targets, own.targets, strict=True))


def test_dynamic_targets_by_the_papers_equations(model: DepthArt, images: Samples) -> None:
    """Equations 6 and 7 in NumPy, apart from the shared convolution and the bicubic enlargement."""
    quantiser = model.tokenizer.quantize
    path = _walk("depthart", model, images)
    codebook = quantiser.embedding.weight.detach().numpy()
    left = images.latent.numpy().astype(np.float64)
    differs = False
    for scale, side in enumerate((1, 2, 4)):
        block = 4 // side
        shrunk = left.reshape(3, 8, side, block, side, block).mean((3, 5)).transpose(0, 2, 3, 1).reshape(3, -1, 1, 8)
        distance = ((shrunk - codebook) ** 2).sum(-1)
        assert np.array_equal(path.targets[scale].numpy(), distance.argmin(-1))
        differs |= bool((path.targets[scale] != path.chosen[scale]).any())
        left = left - quantiser.contribution(scale, quantiser.embedding(path.chosen[scale])).detach().numpy()
    assert differs  # an untrained model is wrong, else nothing would be dynamic


def test_depthart_is_given_what_it_said_itself(model: DepthArt, images: Samples) -> None:
    path = _walk("depthart", model, images)
    sums = list(model.tokenizer.quantize.sums(path.chosen))
    for scale, given in enumerate(path.inputs, start=1):
        expected = model.tokenizer.quantize.next_input(sums[scale - 1], scale)
        torch.testing.assert_close(given, expected, rtol=0, atol=1e-6)


def test_corruption_replaces_up_to_three_tenths_of_the_tokens() -> None:
    torch.manual_seed(0)
    nearest = torch.full((4000, 16), 999)
    wrong = (Corruption(4000, 999, nearest.device)(0, nearest) != nearest).float().mean(1)
    # shares uniform in [0, 0.3]: mean 0.15, four standard errors
    assert float(wrong.mean()) == pytest.approx(0.15, abs=4 * 0.12 / 4000**0.5)


def test_token_loss_is_the_mean_over_all_tokens_of_all_scales() -> None:
    logits = torch.randn(2, 5, 7, generator=torch.Generator().manual_seed(0))
    targets = (torch.tensor([[1], [2]]), torch.tensor([[0, 3, 6, 2], [5, 5, 1, 0]]))
    log_p = logits.log_softmax(-1)
    flat = torch.cat(targets, dim=1)
    expected = -sum(log_p[b, t, flat[b, t]] for b in range(2) for t in range(5)) / 10
    torch.testing.assert_close(token_loss(logits, targets), expected)


@pytest.mark.parametrize("arm", ARMS)
def test_each_arm_learns_a_few_images(arm: Arm) -> None:
    model = small_model(1)
    images = samples(model)
    optimiser = torch.optim.AdamW(model.transformer.parameters(), lr=1e-2)
    torch.manual_seed(0)
    first = [float(arm_loss(arm, model, images)[0].detach()) for _ in range(2)]
    for _ in range(60):
        arm_loss(arm, model, images)[0].backward()
        optimiser.step()
        optimiser.zero_grad()
    last = [float(arm_loss(arm, model, images)[0].detach()) for _ in range(2)]
    assert max(last) < 0.6 * min(first)


def test_the_tokenizer_gets_no_gradient(model: DepthArt, images: Samples) -> None:
    arm_loss("depthart", model, images)[0].backward()
    assert all(p.grad is None for p in model.tokenizer.parameters())
