# SPDX-License-Identifier: Apache-2.0
"""Error against confidence: bins, rank correlation, and the area between sparsification curves (AUSE).

AUSE as by Ilg et al., "Uncertainty estimates and multi-hypotheses networks for optical flow" (ECCV 2018): pixels are
left out, the least confident first, and the mean error of the rest is followed; an oracle leaves out the largest errors
first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError

BINS = 10
FRACTIONS = np.arange(100) / 100
"""Shares of the pixels that are left out."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class ConfidenceBin:
    """As many pixels as in every other bin.

    Attributes:
        confidence: their mean.
        median, mean: of their errors.
        metric_median: of their errors in metres as predicted.
    """

    confidence: float
    median: float
    mean: float
    metric_median: float


@dataclass(frozen=True)
class ConfidenceScores:
    """What a confidence is worth.

    Attributes:
        bins: the least confident first.
        rank: Spearman's correlation of error and minus confidence, over all pixels; 1 is perfect, 0 none.
        rank_in_image: the median over images of the same within one.
        metric_rank: as `rank`, of errors in metres as predicted.
        ause: area between the sparsification curve and the oracle's, as a share of that between a random order's and
            the oracle's; 0 is the oracle, 1 is chance.
        curve, oracle: the curves at `FRACTIONS`, over the mean error of all.
        pixels, images: how many there were.
    """

    bins: tuple[ConfidenceBin, ...]
    rank: float
    rank_in_image: float
    metric_rank: float
    ause: float
    curve: Array
    oracle: Array
    pixels: int
    images: int


def score_confidence(
    confidence: Array, error: Array, metric_error: Array, image: NDArray[np.int64]
) -> ConfidenceScores:
    """Score a confidence.

    Args:
        confidence, error, metric_error: [N], of pixels of many images; see `ConfidenceBin`.
        image: [N], which one each is of.

    Raises:
        InputError: fewer pixels than bins.
    """
    if len(error) < BINS:
        raise InputError(f"{len(error)} pixels are too few for {BINS} bins of confidence")
    order = np.argsort(confidence, kind="stable")
    bins = tuple(
        ConfidenceBin(
            float(confidence[k].mean()),
            float(np.median(error[k])),
            float(error[k].mean()),
            float(np.median(metric_error[k])),
        )
        for k in np.array_split(order, BINS)
    )
    curve, oracle = sparsification(confidence, error), sparsification(-error, error)
    chance = 1 - oracle.mean()
    each = [rank_correlation(-confidence[image == k], error[image == k]) for k in np.unique(image)]
    within = [rank for rank in each if not np.isnan(rank)]
    return ConfidenceScores(
        bins=bins,
        rank=rank_correlation(-confidence, error),
        rank_in_image=float(np.median(within)) if within else float("nan"),
        metric_rank=rank_correlation(-confidence, metric_error),
        ause=float((curve.mean() - oracle.mean()) / chance) if chance > 0 else float("nan"),
        curve=curve,
        oracle=oracle,
        pixels=len(error),
        images=len(each),
    )


def sparsification(confidence: Array, error: Array) -> Array:
    """Mean error of the pixels that are left when the least confident are left out, over that of all.

    Pixels that are alike in confidence are left out in no order: each counts as their mean.

    Args:
        confidence, error: [N].

    Returns:
        At each of `FRACTIONS`.
    """
    values, which, counts = np.unique(-confidence, return_inverse=True, return_counts=True)
    alike = (np.bincount(which, error, len(values)) / counts)[which]
    kept = np.cumsum(alike[np.argsort(-confidence, kind="stable")])
    left = np.maximum(1, np.round(len(error) * (1 - FRACTIONS)).astype(int))
    return np.asarray(kept[left - 1] / left / error.mean(), np.float64)


def rank_correlation(a: Array, b: Array) -> float:
    """Spearman's: Pearson's correlation of the ranks, mean ranks where values are alike; NaN if all are alike."""
    ranks = []
    for values in (a, b):
        _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
        ranks.append((np.cumsum(counts) - (counts - 1) / 2)[which])
    x, y = (rank - rank.mean() for rank in ranks)
    power = np.sqrt((x * x).sum() * (y * y).sum())
    return float((x * y).sum() / power) if power > 0 else float("nan")
