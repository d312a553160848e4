# SPDX-License-Identifier: Apache-2.0
"""Depth as the tokenizer sees it: over the image's own 98th percentile (arXiv 2409.15010, equation 9).

`linear` is the paper's: x = 2 D / (D98 + eps) - 1, clipped to [-1, 1]. `log` is ours: x = 1 + 2 ln(D / D98) / ln(R),
R = 100, clipped alike. Steps of equal size are then equal ratios of depth. Outdoors, where the nearest ground is at a
hundredth of D98, a linear code cannot resolve it. In both the farthest two hundredths of the pixels and the sky are 1.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from depthpro_ros.models.depthart.config import DepthCode

EPS = 1e-7
QUANTILE = 0.98
LOG_RANGE = math.log(100.0)
LEAST_RELATIVE = 1e-3
"""Nearer is this: no ratio to the true depth may divide by 0."""


def far_depth(depth_m: Tensor, valid: Tensor) -> Tensor:
    """The 98th percentile of each image's known, finite depth.

    Args:
        depth_m: float32 [B, H, W].
        valid: bool [B, H, W]; +inf (sky) counts as not known here.

    Returns:
        float32 [B]; NaN where nothing is known.
    """
    known = torch.where(valid & depth_m.isfinite(), depth_m, torch.nan)
    return torch.nanquantile(known.flatten(1), QUANTILE, dim=1)


def encode_depth(depth_m: Tensor, far_m: Tensor, code: DepthCode) -> Tensor:
    """Depth to [-1, 1].

    Args:
        depth_m: [B, H, W], +inf for sky.
        far_m: [B], from `far_depth`.
        code: which of the two.
    """
    relative = depth_m / (far_m.view(-1, 1, 1) + EPS)
    if code == "linear":
        return (2 * relative - 1).clamp(-1, 1)
    return (1 + 2 * relative.clamp(min=1e-9).log() / LOG_RANGE).clamp(-1, 1)


def decode_depth(x: Tensor, code: DepthCode) -> Tensor:
    """[-1, 1] to depth over its 98th percentile, [1e-3, 1]; the inverse of `encode_depth` where that does not clip."""
    x = x.clamp(-1, 1)
    relative = 0.5 * (x + 1) if code == "linear" else torch.exp(0.5 * (x - 1) * LOG_RANGE)
    return relative.clamp(min=LEAST_RELATIVE)


def fill_unknown(x: Tensor, valid: Tensor) -> Tensor:
    """Give unknown pixels an average of the known ones around them, the nearest that there are.

    Args:
        x, valid: [B, H, W].

    Returns:
        [B, H, W]; images without any known pixel are 0.
    """
    if bool(valid.all()):
        return x
    weight = valid.to(x.dtype)[:, None]
    value = torch.where(valid, x, 0.0)[:, None]
    if min(x.shape[-2:]) == 1 or not bool((~valid).any()):
        mean = value.flatten(1).sum(1) / weight.flatten(1).sum(1).clamp(min=1)
        return torch.where(valid, x, mean.view(-1, 1, 1))
    # averages over 2x2 pixels, filled in turn
    total, count = (F.avg_pool2d(t, 2, ceil_mode=True, count_include_pad=False) for t in (value, weight))
    coarse = fill_unknown((total / count.clamp(min=1e-9))[:, 0], count[:, 0] > 0)
    filled = F.interpolate(coarse[:, None], x.shape[-2:], mode="nearest")[:, 0]
    return torch.where(valid, x, filled)
