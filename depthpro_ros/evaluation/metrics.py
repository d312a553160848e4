# SPDX-License-Identifier: Apache-2.0
"""Depth metrics of one image, with the usual names (Eigen et al. 2014)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatMap = NDArray[np.floating]


@dataclass(frozen=True)
class DepthScores:
    """Scores of one image.

    Attributes:
        abs_rel: mean of |p - d| / d.
        delta1: share of pixels with max(p/d, d/p) < 1.25.
        scale: the factor that the prediction was multiplied by (1 without alignment).
        pixels: how many pixels have a ground truth.
        invalid: how many of them the prediction leaves without a finite positive depth. They are left
            out of `abs_rel` and `scale` and count as misses in `delta1`.
    """

    abs_rel: float
    delta1: float
    scale: float
    pixels: int
    invalid: int


def score_depth(
    predicted_m: FloatMap,
    truth_m: FloatMap,
    *,
    align: bool = False,
    min_depth_m: float = 1e-3,
    max_depth_m: float = 80.0,
) -> DepthScores:
    """Score one prediction.

    Args:
        predicted_m: [H, W] metres (or any unit with `align`); NaN, infinite or <= 0 is invalid.
        truth_m: [H, W] metres; NaN, infinite, or outside ]min_depth_m, max_depth_m] is no ground truth.
        align: multiply the prediction by median(truth) / median(prediction) first ("median scale").

    Raises:
        ValueError: the shapes differ.
    """
    if predicted_m.shape != truth_m.shape:
        raise ValueError(f"prediction {predicted_m.shape} and ground truth {truth_m.shape} differ in shape")
    with np.errstate(invalid="ignore"):
        known = np.isfinite(truth_m) & (truth_m > min_depth_m) & (truth_m <= max_depth_m)
        usable = known & np.isfinite(predicted_m) & (predicted_m > 0)
    pixels, count = int(known.sum()), int(usable.sum())
    if not count:
        return DepthScores(float("nan"), 0.0 if pixels else float("nan"), 1.0, pixels, pixels)
    truth = truth_m[usable].astype(np.float64)
    predicted = predicted_m[usable].astype(np.float64)
    scale = float(np.median(truth) / np.median(predicted)) if align else 1.0
    predicted = predicted * scale
    ratio = np.maximum(predicted / truth, truth / predicted)
    return DepthScores(
        abs_rel=float(np.mean(np.abs(predicted - truth) / truth)),
        delta1=float((ratio < 1.25).sum() / pixels),
        scale=scale,
        pixels=pixels,
        invalid=pixels - count,
    )
