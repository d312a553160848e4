# SPDX-License-Identifier: Apache-2.0
"""How far each pixel of a metric depth map can be believed: a heuristic from the map itself, without another pass.

Two things are known of a pixel at no cost: how far it is, and how bent the depth around it is. Inverse depth of a plane
is linear in pixels (1 / z = n . (u, v, 1)), however steeply it is seen, so the second difference of inverse depth,
relative to itself, is what is no plane: depth edges and what is near them, thin things, leaves, and the network's own
waves. From these follows the relative error to be expected,

    e = ERROR * (bend + FLOOR_PER_M * z) ** POWER,

and the confidence is 1 / (1 + e), as that of several draws is 1 / (1 + their relative standard deviation).
docs/confidence.md says how well that tells good pixels from bad ones. It cannot see that the whole image is too near
or too far.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

GRID_COLUMNS = 64
"""The bend is that of a map of so many columns; finer structure is averaged."""
STEP = 2
"""Second differences are taken over so many of its pixels to each side."""
AROUND = 9
"""Half of a pixel's bend is its own, half the mean of so many pixels square: errors reach beyond their cause."""
FARTHEST_M = 200.0
"""Farther is taken for as far: of a network's sky, 10 km, only that it is sky is known."""

FLOOR_PER_M = 2e-3
"""Bend that is taken for granted of anything at 1 m, so that of two flat walls the farther is believed less."""
ERROR, POWER = 0.30, 0.36
"""Fitted to scenes that no score is taken of by `python -m depthpro_ros.evaluation.confidence --fit`."""


def metric_confidence(depth_m: Tensor) -> Tensor:
    """The confidence of metric depth.

    Args:
        depth_m: float32 [..., H, W], metres, before its range is limited; on any device.

    Returns:
        float32 [..., H, W], 0 to 1; 0 where the depth is not finite.
    """
    return zero_unless_finite(surface_confidence(depth_m), depth_m)


def surface_confidence(depth_m: Tensor) -> Tensor:
    """As `metric_confidence`, but with a number where the depth is not finite too."""
    error = ERROR * unevenness(depth_m) ** POWER
    error = F.interpolate(_as_images(error), depth_m.shape[-2:], mode="bilinear", align_corners=False)
    return error.add_(1).reciprocal_().reshape(depth_m.shape)


def zero_unless_finite(confidence: Tensor, depth_m: Tensor) -> Tensor:
    """Make it 0 where the depth is not finite, in place.

    Args:
        confidence: float32, finite.
        depth_m: float32 of the same shape.
    """
    # 0 where the depth is finite, NaN elsewhere: a few times as fast as a mask
    return confidence.add_(depth_m - depth_m).nan_to_num_(0.0)


def unevenness(depth_m: Tensor) -> Tensor:
    """What the error to be expected is a power of: bend + FLOOR_PER_M * z, on a grid of `GRID_COLUMNS`.

    Args:
        depth_m: float32 [..., H, W], metres; what is not finite or above 0 counts as infinitely far.

    Returns:
        float32 [..., h, w].
    """
    height, width = depth_m.shape[-2:]
    columns = min(width, GRID_COLUMNS)
    size = (max(1, round(height * columns / width)), columns)
    inverse = depth_m.reciprocal().nan_to_num_(0.0, 0.0, 0.0).clamp_(min=0)
    inverse = F.adaptive_avg_pool2d(_as_images(inverse), size).clamp_(min=1 / FARTHEST_M)
    bend = (_second_difference(inverse, -1) + _second_difference(inverse, -2)) / inverse
    around = F.avg_pool2d(bend, AROUND, 1, AROUND // 2, count_include_pad=False)
    return ((bend + around) / 2 + FLOOR_PER_M / inverse).reshape(*depth_m.shape[:-2], *size)


def _second_difference(values: Tensor, dim: int) -> Tensor:
    """|v(i - STEP) - 2 v(i) + v(i + STEP)| along a dimension of [N, 1, h, w]; at the border the nearest."""
    length = values.shape[dim] - 2 * STEP
    if length < 1:
        return values.new_zeros(()).expand_as(values)
    ends = values.narrow(dim, 0, length) + values.narrow(dim, 2 * STEP, length)
    inner = (ends - 2 * values.narrow(dim, STEP, length)).abs_()
    return F.pad(inner, (STEP, STEP, 0, 0) if dim == -1 else (0, 0, STEP, STEP), mode="replicate")


def _as_images(values: Tensor) -> Tensor:
    """[..., h, w] as [N, 1, h, w]."""
    return values.reshape(-1, 1, *values.shape[-2:])
