# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from depthpro_ros.training.depthart.arms import token_loss
from depthpro_ros.training.depthart.regression import (
    Readout,
    best_temperature,
    head_from_readout,
    left_over,
    regression_loss,
)
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


def test_what_is_left_over_is_the_latent_less_what_was_told() -> None:
    model = small_model()
    latent = samples(model, 64).latent
    quantiser = model.tokenizer.quantize
    torch.manual_seed(0)
    inputs, targets = left_over(model, latent)
    whole = torch.cat([quantiser.next_input(latent, scale) for scale in range(3)], dim=1)
    told = torch.cat([torch.zeros(64, 1, 8), *inputs], dim=1)
    torch.testing.assert_close(targets, whole - told)
    # a quarter stands where nothing was told; four standard errors
    untold = sum(bool((image == 0).all()) for image in inputs[1]) / 64
    assert abs(untold - 0.25) < 4 * (0.25 * 0.75 / 64) ** 0.5


def test_loss_is_the_mean_square_of_what_is_left_over_for_a_readout_that_says_nothing() -> None:
    model = small_model()
    images = samples(model)
    readout = Readout(model)
    torch.nn.init.zeros_(readout.linear.weight)
    torch.nn.init.zeros_(readout.linear.bias)
    torch.manual_seed(1)
    _, targets = left_over(model, images.latent)
    torch.manual_seed(1)
    loss, _ = regression_loss(readout, model, images)
    torch.testing.assert_close(loss.detach(), targets.square().mean() / images.latent.var())


def test_the_temperature_is_the_one_that_makes_the_quantisers_tokens_likeliest() -> None:
    model = small_model()
    readout, images = Readout(model), samples(model, 8)
    assert images.features is not None
    path = model.tokenizer.quantize.walk(images.latent)

    def loss(temperature: float) -> float:
        head_from_readout(model, readout, temperature)
        prefix = model.transformer.prefix(images.features)
        return float(token_loss(model.transformer(prefix, path.inputs), path.targets).detach())

    best = best_temperature(model, readout, images)
    assert loss(best) <= min(loss(best * factor) for factor in (0.25, 0.5, 2.0, 4.0))


def test_the_answer_is_the_finest_scales_tokens_by_rows() -> None:
    model = small_model()
    images = samples(model)
    assert images.features is not None
    readout = Readout(model)
    said, latent = readout(model, images.features), readout.latent(model, images.features)
    assert torch.equal(latent[:, :, 2, 1], said[:, 5 + 2 * 4 + 1])
