# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import Tensor

from depthpro_ros.models.depthart.network import DepthArt


@pytest.fixture
def latent() -> Tensor:
    return torch.randn(3, 8, 4, 4, generator=torch.Generator().manual_seed(1))


def test_decoded_tokens_are_the_running_sum(pico: DepthArt, latent: Tensor) -> None:
    quantiser = pico.tokenizer.quantize
    path = quantiser.walk(latent)
    sums = list(quantiser.sums(path.chosen))
    torch.testing.assert_close(sums[-1], path.latent, rtol=0, atol=1e-6)
    for scale, given in enumerate(path.inputs, start=1):
        torch.testing.assert_close(given, quantiser.next_input(sums[scale - 1], scale), rtol=0, atol=1e-6)


def test_nearest_is_the_brute_force_minimum(pico: DepthArt, latent: Tensor) -> None:
    codebook = pico.tokenizer.quantize.embedding.weight
    columns = latent.permute(0, 2, 3, 1).reshape(-1, 1, 8)
    expected = (columns - codebook).square().sum(-1).argmin(-1).view(3, -1)
    assert torch.equal(pico.tokenizer.quantize.nearest(latent), expected)


def test_each_scale_is_told_what_is_left_over(pico: DepthArt, latent: Tensor) -> None:
    quantiser = pico.tokenizer.quantize
    path = quantiser.walk(latent)
    total = torch.zeros_like(latent)
    for scale, (side, sums) in enumerate(zip((1, 2, 4), quantiser.sums(path.chosen), strict=True)):
        # area interpolation from 4x4 to a divisor is the mean of equal blocks
        block = 4 // side
        left = (latent - total).view(3, 8, side, block, side, block).mean((3, 5))
        assert torch.equal(path.targets[scale], quantiser.nearest(left))
        total = sums


def test_going_on_with_the_nearest_codes_is_the_quantisers_own_path(pico: DepthArt, latent: Tensor) -> None:
    quantiser = pico.tokenizer.quantize
    own = quantiser.walk(latent)
    again = quantiser.walk(latent, lambda scale, nearest: own.chosen[scale])
    assert all(torch.equal(a, b) for a, b in zip(own.targets, again.targets, strict=True))


def test_blend_of_zero_leaves_what_is_added_unchanged(pico: DepthArt) -> None:
    quantiser = pico.tokenizer.quantize
    conv = quantiser.quant_resi.of(2, 3)
    codes = torch.randn(1, 16, 8, generator=torch.Generator().manual_seed(2))
    before, conv.blend = conv.blend, 0.0
    try:
        added = quantiser.contribution(2, codes)
    finally:
        conv.blend = before
    assert torch.equal(added, codes.transpose(1, 2).reshape(1, 8, 4, 4))


def test_it_computes_in_float32_whatever_it_is_given(pico: DepthArt, latent: Tensor) -> None:
    path = pico.tokenizer.quantize.walk(latent.bfloat16())
    assert path.latent.dtype == torch.float32
    assert all(given.dtype == torch.float32 for given in path.inputs)
