# SPDX-License-Identifier: Apache-2.0
"""Losses against NumPy, and what every one of them promises about holes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from depthpro_ros.errors import InputError
from depthpro_ros.training import losses
from depthpro_ros.training.losses import LOSSES, LossTerm

NAMES = sorted(LOSSES)
SSI = [name for name in NAMES if name.startswith("ssi")]


def maps(side: int = 16, images: int = 2, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    """Random maps with random holes."""
    generator = torch.Generator().manual_seed(0)
    predicted, target, chance = torch.rand(3, images, side, side, generator=generator, dtype=dtype)
    return 0.05 + predicted, 0.05 + target, chance > 0.15


def test_the_names_are_those_of_the_recipes() -> None:
    assert set(NAMES) == {
        *("mae", "mse", "trimmed_mae", "ssi_mae", "ssi_trimmed_mae"),
        *("mage", "male", "msge", "ssi_mage", "log"),
    }


@pytest.mark.parametrize("name", NAMES)
def test_truth_costs_nothing(name: str) -> None:
    _, target, valid = maps()
    torch.testing.assert_close(LossTerm(name)(target, target, valid), torch.zeros(2))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("hidden", [math.nan, math.inf, -1e9])
def test_nothing_under_a_hole_matters(name: str, hidden: float) -> None:
    """Neither for the value nor for the gradient, which is 0 there."""
    predicted, target, valid = maps()
    clean = predicted.clone().requires_grad_()
    expected = LossTerm(name)(clean, target, valid)
    expected.sum().backward()
    dirty = torch.where(valid, predicted, hidden).requires_grad_()
    cost = LossTerm(name)(dirty, torch.where(valid, target, hidden), valid)
    cost.sum().backward()
    torch.testing.assert_close(cost, expected)
    assert clean.grad is not None and dirty.grad is not None
    torch.testing.assert_close(dirty.grad, clean.grad)
    assert (dirty.grad[~valid] == 0).all()
    assert dirty.grad.abs().sum() > 0


@pytest.mark.parametrize("name", NAMES)
def test_an_image_without_valid_pixels_costs_nothing(name: str) -> None:
    predicted, target, valid = maps()
    valid[1] = False
    predicted.requires_grad_()
    cost = LossTerm(name)(predicted, target, valid)
    cost.sum().backward()
    assert cost[0] > 0
    assert cost[1] == 0
    assert predicted.grad is not None and (predicted.grad[1] == 0).all() and predicted.grad.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_images_do_not_mix(name: str) -> None:
    predicted, target, valid = maps()
    one_by_one = [LossTerm(name)(predicted[i : i + 1], target[i : i + 1], valid[i : i + 1]) for i in range(2)]
    torch.testing.assert_close(LossTerm(name)(predicted, target, valid), torch.cat(one_by_one))


@pytest.mark.parametrize("name", NAMES)
def test_gradients(name: str) -> None:
    """Against finite differences, in float64; 8 px have two scales."""
    predicted, target, valid = maps(8, 2, torch.float64)
    assert torch.autograd.gradcheck(
        lambda x: LossTerm(name)(x, target, valid), predicted.requires_grad_(), eps=1e-7, atol=1e-5
    )


@pytest.mark.parametrize("name", NAMES)
def test_constant_maps_are_finite(name: str) -> None:
    predicted = torch.full((1, 16, 16), 0.3, requires_grad=True)
    cost = LossTerm(name)(predicted, torch.full((1, 16, 16), 0.4), torch.ones(1, 16, 16, dtype=torch.bool))
    cost.sum().backward()
    assert cost.isfinite().all()
    assert predicted.grad is not None and predicted.grad.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_predictions_give_float32_losses(name: str) -> None:
    predicted, target, valid = maps()
    with torch.autocast("cpu", torch.bfloat16):
        cost = LossTerm(name)(predicted.bfloat16(), target, valid)
    assert cost.dtype == torch.float32
    torch.testing.assert_close(cost, LossTerm(name)(predicted.bfloat16().float(), target, valid))


def test_mae_and_mse() -> None:
    predicted, target, valid = maps()
    errors = [(predicted[i] - target[i])[valid[i]].numpy() for i in range(2)]
    assert losses.mae(predicted, target, valid).tolist() == pytest.approx([np.abs(e).mean() for e in errors])
    assert losses.mse(predicted, target, valid).tolist() == pytest.approx([(e**2).mean() for e in errors])


@pytest.mark.parametrize(("pixels", "trim", "dropped"), [(10, 0.2, 2), (9, 0.2, 1), (4, 0.2, 0), (100, 0.29, 29)])
def test_trimmed_mae_drops_the_largest(pixels: int, trim: float, dropped: int) -> None:
    error = np.random.default_rng(0).normal(size=pixels)
    predicted = torch.zeros(1, 10, 12, dtype=torch.float64)
    predicted.view(-1)[:pixels] = torch.from_numpy(error)
    valid = torch.zeros(1, 10, 12, dtype=torch.bool)
    valid.view(-1)[:pixels] = True
    expected = np.sort(np.abs(error))[: pixels - dropped].mean()
    assert losses.trimmed_mae(predicted, torch.zeros_like(predicted), valid, trim).item() == pytest.approx(expected)


def test_trimmed_mae_refuses_to_drop_everything() -> None:
    with pytest.raises(InputError, match="trim"):
        losses.trimmed_mae(*maps(), trim=1.0)


def test_standardise_is_median_and_mean_absolute_deviation() -> None:
    x, _, valid = maps()
    ours = losses.standardise(x, valid)
    for image in range(2):
        values = x[image][valid[image]].numpy().astype(np.float64)
        centred = values - np.sort(values)[(len(values) - 1) // 2]
        np.testing.assert_allclose(
            ours[image][valid[image]].numpy(), centred / np.abs(centred).mean(), rtol=1e-4, atol=1e-6
        )


def test_standardise_forgets_scale_and_shift() -> None:
    x, _, valid = maps(dtype=torch.float64)
    torch.testing.assert_close(losses.standardise(3 * x - 11, valid), losses.standardise(x, valid))


def test_standardised_constant_is_zero() -> None:
    x, valid = torch.full((1, 4, 4), 0.7), torch.ones(1, 4, 4, dtype=torch.bool)
    assert (losses.standardise(x, valid) == 0).all()


@pytest.mark.parametrize("name", SSI)
def test_ssi_losses_forget_scale_and_shift_of_the_prediction(name: str) -> None:
    predicted, target, valid = maps(dtype=torch.float64)
    torch.testing.assert_close(
        LossTerm(name)(0.2 * predicted + 5, target, valid), LossTerm(name)(predicted, target, valid)
    )


@pytest.mark.parametrize("name", SSI)
def test_ssi_gradients_pull_neither_at_scale_nor_at_shift(name: str) -> None:
    predicted, target, valid = maps(dtype=torch.float64)
    predicted.requires_grad_()
    LossTerm(name)(predicted, target, valid).sum().backward()
    assert predicted.grad is not None
    assert predicted.grad.sum().item() == pytest.approx(0, abs=1e-9)
    assert (predicted.grad * predicted).sum().item() == pytest.approx(0, abs=1e-9)


def test_log_error_in_closed_form() -> None:
    """C from 0.08 to 0.18: log(0.2 / 0.1) too near; d' / d is about 1/2 with both offset by 0.02."""
    target, predicted = torch.full((1, 2, 2), 0.08), torch.full((1, 2, 2), 0.18)
    valid = torch.ones(1, 2, 2, dtype=torch.bool)
    expected = 0.5 * (math.log(2) + 0.5)
    assert losses.log_error(predicted, target, valid).item() == pytest.approx(expected)


def test_log_error_keeps_a_gradient_below_zero_but_not_for_sky() -> None:
    target = torch.tensor([[[0.1, 0.0]]])
    predicted = torch.full((1, 1, 2), -0.1, requires_grad=True)
    losses.log_error(predicted, target, torch.ones(1, 1, 2, dtype=torch.bool)).sum().backward()
    assert predicted.grad is not None
    assert predicted.grad[0, 0, 0] < 0
    assert predicted.grad[0, 0, 1] == 0


def test_weights_multiply() -> None:
    arguments = maps()
    torch.testing.assert_close(LossTerm("mae", 3.0)(*arguments), 3 * LossTerm("mae")(*arguments))


@pytest.mark.parametrize(
    ("text", "term"), [("mae", LossTerm("mae", 1.0)), ("ssi_mage: 0.5", LossTerm("ssi_mage", 0.5))]
)
def test_parse(text: str, term: LossTerm) -> None:
    assert LossTerm.parse(text) == term


@pytest.mark.parametrize("text", ["nothing", "MAE", "", ":2"])
def test_unknown_losses_are_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(InputError, match=r"unknown: choose from .*mae.*ssi_mage.*log"):
        LossTerm.parse(text)


@pytest.mark.parametrize("text", ["mae:0", "mae:-1", "mae:nan", "mae:inf", "mae:much", "mae:"])
def test_other_weights_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="weight"):
        LossTerm.parse(text)


def test_maps_must_agree() -> None:
    predicted, target, valid = maps()
    with pytest.raises(InputError, match="one size"):
        LossTerm("mae")(predicted[:, 1:], target, valid)
    with pytest.raises(InputError, match="bool"):
        LossTerm("mae")(predicted, target, valid.float())
