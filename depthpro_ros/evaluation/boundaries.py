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
from typing import Any

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
    predicted, true = _lines(predicted_m, known), _lines(truth_m, known)
    row = predicted_m.shape[1] + 1
    with np.errstate(divide="ignore", invalid="ignore"):
        counts = [
            _EdgeCounts.of(predicted[here] / predicted[there], true[here] / true[there])
            for here, there in (
                (np.s_[:-1], np.s_[1:]),
                (np.s_[:-row], np.s_[row:]),
                (np.s_[1:], np.s_[:-1]),
                (np.s_[row:], np.s_[:-row]),
            )
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
        hits = ratio > float(THRESHOLDS[0])
        if pairs is not None:
            hits &= pairs
        places, values, on_outline = _along_rows(hits), ratio[hits], outline[hits]
        for k, threshold in enumerate(THRESHOLDS.tolist()):
            above = values > threshold
            kept = _strongest_of_runs(places[above], values[above])
            shares[k, direction] = np.count_nonzero(on_outline[above][kept]) / max(total, 1)
    if masked and not outlined:
        return math.nan
    return float(np.sum(_mean_of_four(*shares.T) * WEIGHTS))


def thinned(hits: BoolMap, strength: FloatMap) -> BoolMap:
    """Of each run of hits along a row, keep the strongest, the first of equals. Both [H, W]."""
    kept = np.zeros(hits.shape, np.bool_)
    kept.ravel()[np.flatnonzero(hits)[_strongest_of_runs(_along_rows(hits), strength[hits])]] = True
    return kept


def _along_rows(hits: BoolMap) -> NDArray[np.intp]:
    """Where the hits are, row after row with a gap between, so that no run goes on in the next row."""
    places = np.flatnonzero(hits)
    return places + places // max(hits.shape[1], 1)


def _strongest_of_runs(places: NDArray[np.intp], values: FloatMap) -> NDArray[np.intp]:
    """Of each run of neighbouring places the one with the greatest value, the first of equals; indices, all [N]."""
    if not len(places):
        return places
    begins = np.flatnonzero(np.diff(places, prepend=-2) > 1)
    run = np.repeat(np.arange(len(begins)), np.diff(begins, append=len(places)))
    strongest = np.flatnonzero(values == np.maximum.reduceat(values, begins)[run])
    return strongest[np.flatnonzero(np.diff(run[strongest], prepend=-1))]


@dataclass(frozen=True)
class _EdgeCounts:
    """Edges of one direction at each threshold: of the prediction, of the ground truth, and of both."""

    predicted: Counts
    true: Counts
    both: Counts

    @classmethod
    def of(cls, predicted: FloatMap, true: FloatMap) -> _EdgeCounts:
        """Count ratios [N] above each threshold; NaN is above none."""
        limits = list(zip(_above(predicted.dtype), _above(true.dtype), strict=True))
        edge = predicted > limits[0][0]
        edge |= true > limits[0][1]
        places = np.flatnonzero(edge)
        predicted, true = predicted[places], true[places]
        counts = np.zeros((3, len(THRESHOLDS)), np.intp)
        for k, (least, least_true) in enumerate(limits):
            hits, true_hits = predicted > least, true > least_true
            counts[:, k] = [np.count_nonzero(x) for x in (hits, true_hits, hits & true_hits)]
        return cls(*counts)


def _above(dtype: np.dtype[Any]) -> FloatMap:
    """For each threshold the number of this type that exactly those ratios are above that are above the threshold."""
    # the published code compares in float64; in the map's own type it takes half the time
    nearest = THRESHOLDS.astype(dtype)
    return np.where(nearest > THRESHOLDS, np.nextafter(nearest, dtype.type(0)), nearest)


def _mean_of_four(a: Shares, b: Shares, c: Shares, d: Shares) -> Shares:
    """Added one after the other: other orders differ in the last bit."""
    return 0.25 * (a + b + c + d)


def _nearness(depth_m: FloatMap) -> FloatMap:
    """Inverse depth."""
    with np.errstate(divide="ignore", invalid="ignore"):
        # to look takes less time than to clip; NaN is not above the least either
        clipped = depth_m if depth_m.min(initial=np.inf) > MIN_DEPTH_M else depth_m.clip(min=MIN_DEPTH_M)
        # a float keeps the map's own type, in which the published code computes
        result: FloatMap = 1.0 / clipped
    return result


def _lines(depth_m: FloatMap, known: BoolMap | None) -> FloatMap:
    """Nearness, row after row with NaN behind each, [H (W + 1)]; NaN, which makes no edge, where it is not known."""
    height, width = depth_m.shape
    nearness = _nearness(depth_m)
    lines = np.full((height, width + 1), np.nan, nearness.dtype)
    lines[:, :width] = nearness
    if known is not None:
        lines[:, :width][~known] = np.nan
    return lines.ravel()


def _ratios(depth_m: FloatMap) -> Iterator[FloatMap]:
    """How many times nearer the neighbour is than the pixel itself: left, up, right, down, the published order.

    The vertical ones come transposed: neighbours lie along rows in all four.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        nearness = _nearness(depth_m)
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
