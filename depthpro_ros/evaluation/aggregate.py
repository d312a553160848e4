# SPDX-License-Identifier: Apache-2.0
"""From scores of images to scores of a set: means over images (the headline), over scenes, and over all pixels.

Intervals are percentile bootstraps (Efron 1979) over images or, where images of one scene resemble each other, over
whole scenes. They are the same every time.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.metrics import DepthScores, InvalidPolicy
from depthpro_ros.evaluation.sums import ErrorSums

SAMPLES = 1000
CONFIDENCE = 0.95
MOST_AT_ONCE = 1 << 16
"""Images drawn at a time: all draws of 10,000 images would take 80 MB."""


@dataclass(frozen=True)
class Aggregate:
    """One figure over a set of images.

    Attributes:
        mean, median: over images.
        low, high: the interval of the mean.
        per_scene: mean over scenes of each one's mean; the mean itself where no scenes were named.
        images: how many have the figure.
        missing: how many do not (NaN), and are left out.
        scenes: how many scenes, or images where none were named, were drawn from.
    """

    mean: float
    median: float
    low: float
    high: float
    per_scene: float
    images: int
    missing: int
    scenes: int


def aggregate(
    values: Sequence[float],
    scenes: Sequence[Hashable] | None = None,
    *,
    samples: int = SAMPLES,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Aggregate:
    """Aggregate one figure.

    Args:
        values: of each image, NaN for none.
        scenes: which scene each image is of; intervals are then over scenes.
        samples: how often the bootstrap draws.

    Raises:
        InputError: lists of different lengths, or a confidence outside ]0, 1[.
    """
    if scenes is not None and len(scenes) != len(values):
        raise InputError(f"{len(values)} values with {len(scenes)} names of scenes: expected one for each")
    if not 0 < confidence < 1:
        raise InputError(f"confidence {confidence}: expected a number between 0 and 1, such as 0.95")
    series = np.asarray(values, np.float64)
    known = ~np.isnan(series)
    there = series[known]
    missing = len(series) - len(there)
    if not len(there):
        return Aggregate(math.nan, math.nan, math.nan, math.nan, math.nan, 0, missing, 0)
    names: list[Hashable] = [
        x for x, k in zip(range(len(series)) if scenes is None else scenes, known, strict=True) if k
    ]
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    scene = np.array([places[name] for name in names])
    totals, counts = np.bincount(scene, there).astype(np.float64), np.bincount(scene)
    low, high = _interval(totals, counts, samples, confidence, seed)
    return Aggregate(
        mean=float(there.mean()),
        median=float(np.median(there)),
        low=low,
        high=high,
        per_scene=float(np.mean(totals / counts)),
        images=len(there),
        missing=missing,
        scenes=len(places),
    )


@dataclass(frozen=True)
class Figure:
    """A named figure of `DepthScores` over a set."""

    name: str
    aggregate: Aggregate


def aggregate_scores(scores: Sequence[DepthScores], scenes: Sequence[Hashable] | None = None) -> list[Figure]:
    """Every figure of `DepthScores` that is a number, and `invalid_share`, over a set of images."""
    numbers = [field.name for field in dataclasses.fields(DepthScores) if field.type in ("float", "int")]
    return [
        Figure(name, aggregate([float(getattr(score, name)) for score in scores], scenes))
        for name in (*numbers, "invalid_share")
    ]


def pooled(sums: Iterable[ErrorSums], invalid: InvalidPolicy = "penalise") -> DepthScores:
    """Scores over the pixels of all images as if they were one; medians are NaN, as is the scale.

    RMSE differs most from the mean over images: it is the root of the mean square over all pixels.
    """
    scores = DepthScores.of_sums(sum(sums, ErrorSums()), invalid)
    return dataclasses.replace(scores, scale=math.nan, alignment="")


def paired_difference(
    a: Sequence[float], b: Sequence[float], scenes: Sequence[Hashable] | None = None, *, seed: int = 0
) -> Aggregate:
    """b - a of the same images; an image that lacks either is missing. The difference is clear if 0 is outside.

    Raises:
        InputError: lists of different lengths.
    """
    if len(a) != len(b):
        raise InputError(f"{len(a)} and {len(b)} values: expected those of the same images")
    return aggregate((np.asarray(b, np.float64) - np.asarray(a, np.float64)).tolist(), scenes, seed=seed)


def _interval(
    totals: NDArray[np.float64], counts: NDArray[np.intp], samples: int, confidence: float, seed: int
) -> tuple[float, float]:
    """Percentiles of the mean over images when scenes, of these totals and counts, are drawn with replacement."""
    rng = np.random.default_rng(seed)
    means = np.empty(samples)
    block = max(1, MOST_AT_ONCE // len(totals))
    for k in range(0, samples, block):
        drawn = rng.integers(len(totals), size=(min(block, samples - k), len(totals)))
        means[k : k + block] = totals[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
