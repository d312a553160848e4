# SPDX-License-Identifier: Apache-2.0
"""Depth Pro's boundary metrics: are depth edges where they should be (arXiv 2410.02073, section 4.1).

Two neighbours are an occluding edge where one is more than t times as near as the other, for ten thresholds t from
1.05 to 1.25. As in the published code, which differs from the paper's text, thresholds weigh t / sum t, almost alike,
and precision and recall are means over the four directions.

Depth 0 or less is as near as 1e-6 m. +inf is sky: farther than everything, no edge to other sky. NaN in a prediction
is no edge, so it misses what is there.

With `masked`, the default, a ground truth of NaN, or of 0 or less, is unknown and leaves the pairs of that pixel out,
and an image whose ground truth has no edge has no score: NaN. Without, the results are those of the published code to
the last bit, for maps of any floating type: holes of 0 are near things, and an image without edges scores 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.masks import BoolMap, FloatMap, check_maps

Counts = NDArray[np.integer]
Shares = NDArray[np.float64]

THRESHOLDS = np.linspace(1.05, 1.25, 10)
WEIGHTS = THRESHOLDS / THRESHOLDS.sum()
MIN_DEPTH_M = 1e-6
MIN_ALPHA = 0.1


def boundary_f1(
    predicted_m: FloatMap, truth_m: FloatMap, valid: BoolMap | None = None, *, masked: bool = True
) -> float:
    """Agreement of the edges of two depth maps, in [0, 1]; the scale of either does not matter.

    Args:
        predicted_m, truth_m: [H, W] depth in any unit.
        valid: bool [H, W]; a pair of neighbours counts only if both are valid. Only with `masked`.
        masked: leave out unknown ground truth; False is the published code's result.

    Raises:
        InputError: the shapes differ, or `valid` without `masked`.
    """
    check_maps(predicted_m, truth_m, valid)
    _check_masked(valid, masked)
    known = _known(~(np.isnan(truth_m) | (truth_m <= 0)), valid) if masked else None
    counts = [
        _EdgeCounts.of(predicted, true, pairs)
        for predicted, true, pairs in zip(_ratios(predicted_m), _ratios(truth_m), _pairs(known), strict=True)
    ]
    if masked and not any(count.true[0] for count in counts):
        return math.nan
    scores = np.zeros(len(THRESHOLDS))
    recalls = _mean_of_four(*(count.both / np.maximum(count.true, 1) for count in counts))
    precisions = _mean_of_four(*(count.both / np.maximum(count.predicted, 1) for count in counts))
    found = recalls + precisions > 0
    np.divide(2 * (recalls * precisions), recalls + precisions, out=scores, where=found)
    return float(np.sum(scores * WEIGHTS))


def boundary_recall(
    predicted_m: FloatMap, alpha: FloatMap | BoolMap, valid: BoolMap | None = None, *, masked: bool = True
) -> float:
    """Share of a foreground mask's outline that the depth map has as an edge, in [0, 1].

    For masks of one object, whose other edges nobody marked, so there is no precision. Thick edges get no credit:
    of each run of neighbouring hits along the direction, only the strongest one counts, the first of equals.

    Args:
        predicted_m: [H, W] depth in any unit; the foreground is nearer.
        alpha: [H, W] bool, or opacity in [0, 1], foreground above 0.1.
        valid: bool [H, W]; a pair of neighbours counts only if both are valid; other pairs end a run. Only with
            `masked`.
        masked: a mask without an outline has no score, NaN; False is the published code's result, 0.

    Raises:
        InputError: the shapes differ, alpha is of an integer type, or `valid` without `masked`.
    """
    check_maps(predicted_m, alpha, valid)
    if alpha.dtype != np.bool_ and not np.issubdtype(alpha.dtype, np.floating):
        raise InputError(f"alpha is {alpha.dtype}, expected bool, or opacity from 0 to 1: divide 8-bit masks by 255")
    _check_masked(valid, masked)
    shares = np.zeros((len(THRESHOLDS), 4))
    outlined = 0
    for direction, (ratio, outline, pairs) in enumerate(
        zip(_ratios(predicted_m), _outline(np.greater(alpha, MIN_ALPHA)), _pairs(valid), strict=True)
    ):
        if pairs is not None:
            outline = outline & pairs
        outlined += (total := int(np.count_nonzero(outline)))
        # Python's floats are compared in the type of the map, as published for the recall, not for F1
        for k, threshold in enumerate(THRESHOLDS.tolist()):
            hits = ratio > threshold
            if pairs is not None:
                hits &= pairs
            shares[k, direction] = np.count_nonzero(thinned(hits, ratio) & outline) / max(total, 1)
    if masked and not outlined:
        return math.nan
    return float(np.sum(_mean_of_four(*shares.T) * WEIGHTS))


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


@dataclass(frozen=True)
class _EdgeCounts:
    """Edges of one direction at each threshold: of the prediction, of the ground truth, and of both."""

    predicted: Counts
    true: Counts
    both: Counts

    @classmethod
    def of(cls, predicted: FloatMap, true: FloatMap, pairs: BoolMap | None) -> _EdgeCounts:
        """Count ratios above each threshold where `pairs`; a ratio above one threshold is above all lower ones."""
        predicted_edge, true_edge = predicted > THRESHOLDS[0], true > THRESHOLDS[0]
        if pairs is not None:
            predicted_edge &= pairs
            true_edge &= pairs
        above_predicted = np.searchsorted(THRESHOLDS, predicted[predicted_edge])
        above_true = np.searchsorted(THRESHOLDS, true[true_edge])
        shared = predicted_edge & true_edge
        above_both = np.searchsorted(THRESHOLDS, np.minimum(predicted[shared], true[shared]))
        return cls(_at_least(above_predicted), _at_least(above_true), _at_least(above_both))


def _at_least(levels: NDArray[np.intp]) -> Counts:
    """How many levels are above 0, above 1, and so on."""
    return np.cumsum(np.bincount(levels, minlength=len(THRESHOLDS) + 1)[::-1])[::-1][1:]


def _mean_of_four(a: Shares, b: Shares, c: Shares, d: Shares) -> Shares:
    """Added one after the other: other orders differ in the last bit."""
    return 0.25 * (a + b + c + d)


def _ratios(depth_m: FloatMap) -> Iterator[FloatMap]:
    """How many times nearer the neighbour is than the pixel itself: left, up, right, down, the published order.

    The vertical ones come transposed: neighbours lie along rows in all four.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        # a float keeps the map's own type, in which the published code computes
        nearness = 1.0 / depth_m.clip(min=MIN_DEPTH_M)
        turned = np.ascontiguousarray(nearness.T)
        for image in (nearness, turned):
            yield image[:, :-1] / image[:, 1:]
        for image in (nearness, turned):
            yield image[:, 1:] / image[:, :-1]


def _outline(foreground: BoolMap) -> Iterator[BoolMap]:
    """Where the neighbour is foreground and the pixel is not, in the order of `_ratios`."""
    for image in (foreground, foreground.T):
        yield image[:, :-1] & ~image[:, 1:]
    for image in (foreground, foreground.T):
        yield image[:, 1:] & ~image[:, :-1]


def _pairs(known: BoolMap | None) -> Iterator[BoolMap | None]:
    """Where both neighbours are known, in the order of `_ratios`; None where all are."""
    if known is None:
        yield from (None,) * 4
        return
    both = [image[:, 1:] & image[:, :-1] for image in (known, np.ascontiguousarray(known.T))]
    yield from both + both


def _known(known: BoolMap, valid: BoolMap | None) -> BoolMap | None:
    if valid is not None:
        known = known & valid
    return None if known.all() else known


def _check_masked(valid: BoolMap | None, masked: bool) -> None:
    if valid is not None and not masked:
        raise InputError("a mask of valid pixels was given with masked=False: leave out one of them")
