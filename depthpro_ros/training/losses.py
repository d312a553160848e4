# SPDX-License-Identifier: Apache-2.0
"""Losses between maps of canonical inverse depth C = fx / (W D), one number per image (arXiv 2410.02073, section 3.2).

Every loss takes `predicted`, `target` (float [B, H, W]) and `valid` (bool [B, H, W]) and returns [B] in float32, or in
float64 where both maps are. Pixels that are not valid never count, whatever they hold (NaN too), and get gradient 0.
An image without any valid pixel costs 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from depthpro_ros.errors import InputError
from depthpro_ros.training.derivatives import Operator, multi_scale

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]

TRIM = 0.2
"""Share of the largest errors that measured depth is forgiven: wrong returns, and edges off by some pixels."""
SMALLEST_DEVIATION = 1e-4
"""Maps flatter than this are not stretched further, or a constant prediction would get an endless gradient."""
FAR_CANONICAL = 0.02
"""Canonical inverse depth of about 50 m: nearer things count by their ratio, farther ones less."""


def mae(predicted: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Mean of |C - C'|."""
    return _mean(_difference(predicted, target, valid).abs(), valid)


def mse(predicted: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Mean of (C - C')^2."""
    return _mean(_difference(predicted, target, valid).square(), valid)


def trimmed_mae(predicted: Tensor, target: Tensor, valid: Tensor, trim: float = TRIM) -> Tensor:
    """Mean of |C - C'| over each image's valid pixels without the floor(trim n) largest errors.

    Raises:
        InputError: `trim` outside [0, 1[.
    """
    if not 0 <= trim < 1:
        raise InputError(f"trim is {trim}, expected a share of at least 0 and below 1")
    error = _difference(predicted, target, valid).abs()
    ascending = torch.where(valid, error, torch.inf).flatten(1).sort(1).values
    count = valid.flatten(1).sum(1)
    # a trillionth more, since in floating point 0.29 * 100 falls short of 29
    keep = count - torch.floor(count.double() * trim + 1e-12).long()
    kept = torch.arange(ascending.shape[1], device=error.device) < keep[:, None]
    return torch.where(kept, ascending, 0.0).sum(1) / keep.clamp(min=1)


def standardise(x: Tensor, valid: Tensor) -> Tensor:
    """(x - median) / mean |x - median| of each image's valid pixels; 0 where not valid.

    The median of an even number of pixels is the lower one of the middle two. Gradients flow through median and
    deviation too, so that a loss of standardised maps pulls neither at scale nor at shift.

    Returns:
        As x. A deviation below `SMALLEST_DEVIATION` counts as that: a constant map becomes 0.
    """
    x = _clean(x, valid)
    median = torch.where(valid, x, torch.nan).flatten(1).nanmedian(1).values.nan_to_num(0.0)
    centred = torch.where(valid, x - median[:, None, None], 0.0)
    deviation = _mean(centred.abs(), valid).clamp(min=SMALLEST_DEVIATION)
    return centred / deviation[:, None, None]


def mage(predicted: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Multi-scale mean absolute gradient error: L(Scharr, 1, 6) of `derivatives`."""
    return multi_scale(_difference(predicted, target, valid), valid, Operator.SCHARR, power=1)


def male(predicted: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Multi-scale mean absolute Laplace error: L(Laplace, 1, 6)."""
    return multi_scale(_difference(predicted, target, valid), valid, Operator.LAPLACE, power=1)


def msge(predicted: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Multi-scale mean squared gradient error: L(Scharr, 2, 6)."""
    return multi_scale(_difference(predicted, target, valid), valid, Operator.SCHARR, power=2)


def ssi_mae(predicted: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """MAE of standardised maps: blind to scale (above 0) and shift of either map."""
    return mae(standardise(predicted, valid), standardise(target, valid), valid)


def ssi_trimmed_mae(predicted: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Trimmed MAE of standardised maps."""
    return trimmed_mae(standardise(predicted, valid), standardise(target, valid), valid)


def ssi_mage(predicted: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """MAGE of standardised maps."""
    return mage(standardise(predicted, valid), standardise(target, valid), valid)


def log_error(predicted: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Half the error of log(C + FAR_CANONICAL), half the relative error of depth; not from the paper.

    The error of the logarithm weighs too near and too far alike; that of depth, |d' - d| / d, is what abs_rel
    measures, and grows without bound for what is seen too far, at the edges of near things above all. (The
    relative error of inverse depth would do the opposite: no prediction of zero costs more than 1, so a
    network that cannot tell predicts too far.)

    `predicted` may be the head's output before its last ReLU: below zero the logarithm goes on along its
    tangent, which keeps a gradient. For sky (target 0) anything below zero is right.
    """
    predicted, target = _clean(predicted, valid), _clean(target, valid)
    predicted = torch.where(target > 0, predicted, predicted.clamp(min=0))
    error = _log_canonical(predicted) - _log_canonical(target)
    # d' / d = exp(-error); beyond 7 times too far the logarithm's gradient is enough
    relative = torch.expm1(-error.clamp(min=-2)).abs()
    return _mean(0.5 * (error.abs() + relative), valid)


LOSSES: dict[str, Loss] = {
    "mae": mae,
    "mse": mse,
    "trimmed_mae": trimmed_mae,
    "ssi_mae": ssi_mae,
    "ssi_trimmed_mae": ssi_trimmed_mae,
    "mage": mage,
    "male": male,
    "msge": msge,
    "ssi_mage": ssi_mage,
    "log": log_error,
}


@dataclass(frozen=True)
class LossTerm:
    """A loss by its name in `LOSSES`, and its weight in a sum.

    Raises:
        InputError: no such loss, or a weight that is not finite and above 0.
    """

    name: str
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.name not in LOSSES:
            raise InputError(f"loss {self.name!r} is unknown: choose from {', '.join(LOSSES)}")
        if not (math.isfinite(self.weight) and self.weight > 0):
            raise InputError(f"weight of loss {self.name!r} is {self.weight}, expected a finite number above 0")

    @classmethod
    def parse(cls, text: str) -> LossTerm:
        """`name` or `name:weight`, such as `ssi_mage:0.5`.

        Raises:
            InputError: as the class does, or a weight that is no number.
        """
        name, colon, weight = text.partition(":")
        try:
            return cls(name.strip(), float(weight) if colon else 1.0)
        except ValueError as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"loss {text!r} is neither 'name' nor 'name:weight': {weight!r} is no number") from error

    def __call__(self, predicted: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        """Weight times loss [B]; see the module for the arguments.

        Raises:
            InputError: the maps differ in shape, or `valid` is not bool.
        """
        if not predicted.shape == target.shape == valid.shape or predicted.ndim != 3 or valid.dtype != torch.bool:
            raise InputError(
                f"predicted {list(predicted.shape)}, target {list(target.shape)} and {valid.dtype} valid "
                f"{list(valid.shape)}: expected three maps [B, H, W] of one size, valid of bool"
            )
        return self.weight * LOSSES[self.name](predicted, target, valid)


def _clean(x: Tensor, valid: Tensor) -> Tensor:
    """At least float32, and 0 where not valid: 0 times NaN would be NaN."""
    return torch.where(valid, x if x.dtype == torch.float64 else x.float(), 0.0)


def _difference(predicted: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    return _clean(predicted, valid) - _clean(target, valid)


def _mean(x: Tensor, valid: Tensor) -> Tensor:
    """Mean over valid pixels [B] of a map that is 0 elsewhere."""
    return x.sum((1, 2)) / valid.sum((1, 2)).clamp(min=1)


def _log_canonical(value: Tensor) -> Tensor:
    """log(C + far), continued below zero by its tangent."""
    positive = value.clamp(min=0)
    return torch.log(positive + FAR_CANONICAL) + (value - positive) / FAR_CANONICAL
