# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from depthpro_ros.training.depthart.regression import Readout, head_from_readout, regression_loss
from test.training.depthart.small import samples, small_model


def test_the_head_starts_at_the_code_nearest_to_the_readout() -> None:
    model = small_model()
    readout = Readout(model)
    head_from_readout(model, readout, temperature=0.3)
    tokens = torch.randn(50, 32, generator=torch.Generator().manual_seed(0))
    distance = (readout.linear(tokens)[:, None] - model.tokenizer.quantize.embedding.weight).square().sum(-1)
    logits = model.transformer.head(tokens)
    # logits are -distance / temperature up to a number for each token
    torch.testing.assert_close(logits.softmax(-1), (-distance / 0.3).softmax(-1), rtol=1e-3, atol=1e-5)


def test_loss_is_one_for_a_readout_that_says_nothing_of_latents_without_mean() -> None:
    model = small_model()
    images = samples(model)
    readout = Readout(model)
    torch.nn.init.zeros_(readout.linear.weight)
    torch.nn.init.zeros_(readout.linear.bias)
    quantiser, latent = model.tokenizer.quantize, images.latent
    shrunk = torch.cat([quantiser.shrink(latent, k).flatten(2).transpose(1, 2) for k in range(3)], dim=1)
    expected = shrunk.square().mean() / latent.var()
    torch.testing.assert_close(regression_loss(readout, model, images)[0], expected)


def test_the_answer_is_the_finest_scales_tokens_by_rows() -> None:
    model = small_model()
    images = samples(model)
    assert images.features is not None
    readout = Readout(model)
    said, latent = readout(model, images.features), readout.latent(model, images.features)
    assert torch.equal(latent[:, :, 2, 1], said[:, 5 + 2 * 4 + 1])
