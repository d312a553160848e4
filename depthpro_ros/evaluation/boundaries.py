# SPDX-License-Identifier: Apache-2.0
"""Depth Pro's boundary metrics: are depth edges where they should be (arXiv 2410.02073, section 4.1).

Two neighbours are an occluding edge where one is more than t times as near as the other, for ten thresholds t from
1.05 to 1.25. As in the published code, which differs from the paper's text, thresholds weigh t / sum t, almost alike,
precision and recall are means over the four directions, and an image without edges scores 0.

Depth 0 or less is as near as 1e-6 m. +inf is sky: farther than everything, no edge to other sky. NaN in a prediction
is no edge, so it misses what is there. NaN in a ground truth leaves the pairs of that pixel out.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.metrics import FloatMap

BoolMap = NDArray[np.bool_]

THRESHOLDS = np.linspace(1.05, 1.25, 10)
WEIGHTS = THRESHOLDS / THRESHOLDS.sum()
MIN_DEPTH_M = 1e-6
MIN_ALPHA = 0.1


def boundary_f1(predicted_m: FloatMap, truth_m: FloatMap, valid: BoolMap | None = None) -> float:
    """Agreement of the edges of two depth maps, in [0, 1]; the scale of either does not matter.

    Args:
        predicted_m, truth_m: [H, W] depth in any unit.
        valid: bool [H, W]; a pair of neighbours counts only if both are valid.

    Raises:
        InputError: the shapes differ.
    """
    _check_shapes(predicted_m, truth_m, valid)
    known = ~np.isnan(truth_m) if valid is None else valid & ~np.isnan(truth_m)
    directions = list(zip(_ratios(predicted_m), _ratios(truth_m), _pairs(known), strict=True))
    score = 0.0
    for threshold, weight in zip(THRESHOLDS, WEIGHTS, strict=True):
        precision = recall = 0.0
        for predicted_ratio, true_ratio, counts in directions:
            predicted, true = (predicted_ratio > threshold) & counts, (true_ratio > threshold) & counts
            precision += _share(true, of=predicted) / len(directions)
            recall += _share(predicted, of=true) / len(directions)
        if precision + recall > 0:
            score += weight * 2 * precision * recall / (precision + recall)
    return float(score)


def boundary_recall(predicted_m: FloatMap, alpha: FloatMap | BoolMap, valid: BoolMap | None = None) -> float:
    """Share of a foreground mask's outline that the depth map has as an edge, in [0, 1].

    For masks of one object, whose other edges nobody marked, so there is no precision. Thick edges get no credit:
    of each run of neighbouring hits along the direction, only the strongest one counts, the first of equals.

    Args:
        predicted_m: [H, W] depth in any unit; the foreground is nearer.
        alpha: [H, W] bool, or opacity in [0, 1], foreground above 0.1.
        valid: bool [H, W]; a pair of neighbours counts only if both are valid; other pairs end a run.

    Raises:
        InputError: the shapes differ, or alpha is of an integer type.
    """
    _check_shapes(predicted_m, alpha, valid)
    if alpha.dtype != np.bool_ and not np.issubdtype(alpha.dtype, np.floating):
        raise InputError(f"alpha is {alpha.dtype}, expected bool, or opacity from 0 to 1: divide 8-bit masks by 255")
    foreground = np.greater(alpha, MIN_ALPHA)
    known = np.ones(alpha.shape, np.bool_) if valid is None else valid
    directions = list(zip(_ratios(predicted_m), _outline(foreground), _pairs(known), strict=True))
    score = 0.0
    for threshold, weight in zip(THRESHOLDS, WEIGHTS, strict=True):
        for ratio, outline, counts in directions:
            hits = thinned((ratio > threshold) & counts, ratio)
            score += weight * _share(hits, of=outline & counts) / len(directions)
    return float(score)


def thinned(hits: BoolMap, strength: FloatMap) -> BoolMap:
    """Of each run of hits along a row, keep the strongest, the first of equals. Both [H, W]."""
    # a column of misses ends the runs of each row before the next one begins
    padded = np.pad(hits, ((0, 0), (0, 1))).ravel()
    places = np.flatnonzero(padded)
    kept = np.zeros_like(padded)
    if len(places):
        begins = np.flatnonzero(np.diff(places, prepend=-2) > 1)
        run = np.repeat(np.arange(len(begins)), np.diff(begins, append=len(places)))
        values = np.pad(strength, ((0, 0), (0, 1))).ravel()[places]
        strongest = np.flatnonzero(values == np.maximum.reduceat(values, begins)[run])
        _, first = np.unique(run[strongest], return_index=True)
        kept[places[strongest[first]]] = True
    return kept.reshape(hits.shape[0], -1)[:, :-1]


def _share(hits: BoolMap, *, of: BoolMap) -> float:
    """Share of pixels of a map that are hits; 0 of none."""
    return int(np.count_nonzero(hits & of)) / (int(np.count_nonzero(of)) or 1)


def _ratios(depth_m: FloatMap) -> Iterator[FloatMap]:
    """How many times nearer the pixel after is than the one before, right, left, down, up.

    The vertical ones come transposed: neighbours lie along rows in all four.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        nearness = 1 / np.maximum(depth_m.astype(np.float64), MIN_DEPTH_M)
        for image in (nearness, nearness.T):
            yield image[:, 1:] / image[:, :-1]
            yield image[:, :-1] / image[:, 1:]


def _outline(foreground: BoolMap) -> Iterator[BoolMap]:
    """Where the pixel after is foreground and the one before is not, in the order of `_ratios`."""
    for image in (foreground, foreground.T):
        yield image[:, 1:] & ~image[:, :-1]
        yield image[:, :-1] & ~image[:, 1:]


def _pairs(valid: BoolMap) -> Iterator[BoolMap]:
    """Where both neighbours are valid, in the order of `_ratios`."""
    for image in (valid, valid.T):
        both = image[:, 1:] & image[:, :-1]
        yield both
        yield both


def _check_shapes(predicted_m: FloatMap, truth: FloatMap | BoolMap, valid: BoolMap | None) -> None:
    if predicted_m.ndim != 2 or predicted_m.shape != truth.shape or (valid is not None and valid.shape != truth.shape):
        shapes = [list(x.shape) for x in (predicted_m, truth, valid) if x is not None]
        raise InputError(f"maps of shapes {shapes}: expected one [H, W], resize the prediction to the ground truth")
