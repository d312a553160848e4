# SPDX-License-Identifier: Apache-2.0
"""How good depth up to scale is (arXiv 2409.15010, section 4): aligned by the median of ratios."""

from __future__ import annotations

import torch
from torch import Tensor


def aligned_ratio(relative: Tensor, truth: Tensor, known: Tensor) -> Tensor:
    """Prediction over truth after scaling each image by median(truth / prediction), float32 [B, S * S].

    No gradient goes through the scale.

    Args:
        relative, truth: float32 [B, S, S], above 0 where known.
        known: bool [B, S, S]; the other pixels become NaN.
    """
    ratio = torch.where(known, relative / truth, torch.nan).flatten(1)
    return ratio * (1 / ratio.detach()).nanmedian(1, keepdim=True).values


def aligned_figures(relative: Tensor, depth_m: Tensor, valid: Tensor) -> dict[str, Tensor]:
    """abs_rel and delta1 of each image after scaling by median(truth / prediction), each float [B]; NaN without depth.

    Args:
        relative: float32 [B, S, S], above 0.
        depth_m: float32 [B, S, S], metres or any unit; pixels that are not finite do not count.
        valid: bool [B, S, S].
    """
    known = valid & depth_m.isfinite() & (depth_m > 0)
    ratio = aligned_ratio(relative, depth_m, known)
    near = torch.where(ratio.isnan(), torch.nan, (torch.maximum(ratio, 1 / ratio) < 1.25).float())
    return {"abs_rel": (ratio - 1).abs().nanmean(1), "delta1": near.nanmean(1)}
