# SPDX-License-Identifier: Apache-2.0
"""Derivatives of error maps at several scales, blind to holes (arXiv 2410.02073, section 3.2).

    L(op, p, M) = 1/M sum_j 1/N_j sum_i |op C_i^j - op C'_i^j|^p

The paper gives the operators, p and M = 6, and says that each scale is blurred and halved. What it leaves open
is decided here:

- Every step is linear, so the derivative of the difference C - C' is taken instead of a difference of derivatives.
- Blur: binomial 1-2-1 in both directions, without padding, then every second pixel. A side of S pixels becomes
  (S - 1) // 2; a plane stays a plane up to the border.
- Holes: the blur is a normalised convolution, sum(k m x) / sum(k m) over the mask m, so that no value under a hole
  ever reaches a valid pixel. A coarse pixel is valid where at least half of the kernel's weight is.
- Filters: Scharr [3, 10, 3] / 16 by [-1, 0, 1] / 2 has gradient 1 per pixel on a ramp of slope 1; the Laplacian of
  four neighbours is 1 on x^2 / 2. Derivatives are per pixel of their own scale: coarse scales see larger ones.
- Two components of a gradient count as |gx|^p + |gy|^p: no square root, whose gradient has no limit at 0.
- A derivative counts where all of its 3 x 3 pixels are valid; N_j is how many do. A scale with none, or with a side
  below 3 pixels, is left out of the sum and of M, for each image by itself.
"""

from __future__ import annotations

from enum import Enum

import torch
from torch import Tensor

SCALES = 6

Taps = tuple[float, float, float]

_BINOMIAL: Taps = (1 / 4, 2 / 4, 1 / 4)
_SCHARR: Taps = (3 / 16, 10 / 16, 3 / 16)
_SLOPE: Taps = (-1 / 2, 0.0, 1 / 2)
_BEND: Taps = (1.0, -2.0, 1.0)
_HERE: Taps = (0.0, 1.0, 0.0)
_SUPPORT_PX = 3
_Y, _X = 1, 2


class Operator(Enum):
    """A 3 x 3 derivative filter."""

    SCHARR = "scharr"
    LAPLACE = "laplace"

    def components(self, values: Tensor) -> tuple[Tensor, ...]:
        """[B, H, W] to its derivatives, [B, H - 2, W - 2] each."""
        if self is Operator.LAPLACE:
            return (filtered(values, y=_HERE, x=_BEND) + filtered(values, y=_BEND, x=_HERE),)
        return filtered(values, y=_SCHARR, x=_SLOPE), filtered(values, y=_SLOPE, x=_SCHARR)


def multi_scale(error: Tensor, valid: Tensor, operator: Operator, power: int, scales: int = SCALES) -> Tensor:
    """Mean of |op error|^p over pixels, then over scales (this module's equation).

    Args:
        error: C - C' [B, H, W], float32 or float64; 0 where not valid.
        valid: bool [B, H, W].
        operator: the derivative.
        power: p, 1 or 2.
        scales: M, at most this many.

    Returns:
        [B]; 0 where an image has no 3 x 3 valid pixels at any scale.
    """
    total, used = error.new_zeros(len(error)), error.new_zeros(len(error))
    for scale in range(scales):
        if scale:
            error, valid = halve(error, valid)
        if min(error.shape[1:]) < _SUPPORT_PX:
            break
        inside = _whole_support(valid)
        count = inside.sum((1, 2))
        slopes = operator.components(error)
        size = sum(s.abs() if power == 1 else s.square() for s in slopes) * inside
        total = total + size.sum((1, 2)) / count.clamp(min=1)
        used = used + (count > 0)
    return total / used.clamp(min=1)


def halve(values: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Blur and take every second pixel, over valid pixels only.

    Args:
        values: [B, H, W], sides of at least 3, finite; what it holds where not valid does not matter.
        valid: bool [B, H, W].

    Returns:
        Both at [B, (H - 1) // 2, (W - 1) // 2], values 0 where not valid.
    """
    share = filtered(valid.to(values.dtype), y=_BINOMIAL, x=_BINOMIAL, stride=2)
    blurred = filtered(values * valid, y=_BINOMIAL, x=_BINOMIAL, stride=2)
    coarse = share >= 0.5
    return blurred * (coarse / torch.where(coarse, share, 1.0)), coarse


def filtered(values: Tensor, *, y: Taps, x: Taps, stride: int = 1) -> Tensor:
    """Correlate [B, H, W] with the outer product of three taps along y and three along x, without padding."""
    # sums of slices: a tenth of the time of conv2d, whose backward on one channel is slow on a CPU, and
    # float32 under autocast, where conv2d would keep three digits of a small difference of large numbers
    for dim, taps in ((_Y, y), (_X, x)):
        size = (values.shape[dim] - _SUPPORT_PX) // stride + 1
        steps = [slice(tap, tap + (size - 1) * stride + 1, stride) for tap in range(_SUPPORT_PX)]
        parts = [values[:, s] if dim == _Y else values[..., s] for s in steps]
        values = sum((tap * part for tap, part in zip(taps, parts, strict=True) if tap), start=values.new_zeros(()))
    return values


def _whole_support(valid: Tensor) -> Tensor:
    """Where all of 3 x 3 pixels are valid, [B, H - 2, W - 2]."""
    rows = valid[:, :-2] & valid[:, 1:-1] & valid[:, 2:]
    return rows[..., :-2] & rows[..., 1:-1] & rows[..., 2:]
