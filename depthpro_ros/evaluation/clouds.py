# SPDX-License-Identifier: Apache-2.0
"""How far predicted points are from the true surface: chamfer distance and F-score (Ornek et al. 2022)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.masks import BoolMap, FloatMap, usable
from depthpro_ros.evaluation.optional import scipy_module

Points = NDArray[np.float64]

THRESHOLDS_M = (0.05, 0.1, 0.25)
RELATIVE_THRESHOLDS = (0.01, 0.05)
MAX_POINTS = 50_000


@dataclass(frozen=True)
class FScore:
    """Agreement of two clouds at one threshold.

    Attributes:
        threshold: metres, or a share of the true point's distance from the camera.
        relative: whether it is a share.
        precision: share of predicted points within the threshold of a true one.
        recall: share of true points within the threshold of a predicted one.
    """

    threshold: float
    relative: bool
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where both are."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


@dataclass(frozen=True)
class CloudScores:
    """Scores of one cloud.

    Attributes:
        accuracy_m: mean distance of predicted points to the nearest true one.
        completeness_m: mean distance of true points to the nearest predicted one.
        f_scores: one for each threshold, those in metres first.
        predicted, true: how many points were compared.
    """

    accuracy_m: float
    completeness_m: float
    f_scores: tuple[FScore, ...]
    predicted: int
    true: int

    @property
    def chamfer_m(self) -> float:
        """Mean of accuracy and completeness, of distances that are not squared."""
        return (self.accuracy_m + self.completeness_m) / 2


def back_project(depth_m: FloatMap, intrinsics: Intrinsics, mask: BoolMap | None = None) -> Points:
    """Points [N, 3] in the optical frame, metres, in row-major order: X = (u - cx) Z / fx, Y = (v - cy) Z / fy.

    Args:
        depth_m: [H, W]; NaN, infinite or <= 0 is no point.
        mask: bool [H, W], which pixels.

    Raises:
        InputError: intrinsics of another size.
    """
    if depth_m.shape != (intrinsics.height, intrinsics.width):
        raise InputError(
            f"depth of shape {list(depth_m.shape)} with intrinsics for {intrinsics.width}x{intrinsics.height}: "
            "use the camera of this size (Intrinsics.resized)"
        )
    v, u = np.nonzero(usable(depth_m) if mask is None else usable(depth_m) & mask)
    z = depth_m[v, u].astype(np.float64)
    i = intrinsics
    return np.stack([(u - i.cx) / i.fx * z, (v - i.cy) / i.fy * z, z], axis=1)


def score_clouds(
    predicted: Points,
    truth: Points,
    thresholds_m: tuple[float, ...] = THRESHOLDS_M,
    relative_thresholds: tuple[float, ...] = RELATIVE_THRESHOLDS,
    max_points: int = MAX_POINTS,
) -> CloudScores:
    """Compare two clouds in one frame, whose origin is the camera.

    Args:
        predicted, truth: [N, 3] and [M, 3] metres. Back-project both only where there is a ground truth.
        max_points: of each, evenly spaced in their order, the same ones every time.

    Raises:
        InputError: a shape that is not [N, 3], or SciPy is not installed.
    """
    for points in (predicted, truth):
        if points.ndim != 2 or points.shape[1] != 3:
            raise InputError(f"points of shape {list(points.shape)}: expected [N, 3]")
    limits = [(t, False) for t in thresholds_m] + [(t, True) for t in relative_thresholds]
    if not len(truth):
        nan = math.nan
        return CloudScores(nan, nan, tuple(FScore(t, r, nan, nan) for t, r in limits), len(predicted), 0)
    predicted, truth = subsampled(predicted, max_points), subsampled(truth, max_points)
    if not len(predicted):
        return CloudScores(math.inf, math.inf, tuple(FScore(t, r, 0.0, 0.0) for t, r in limits), 0, len(truth))
    tree = scipy_module("spatial").cKDTree
    to_truth, nearest = tree(truth).query(predicted)
    to_predicted, _ = tree(predicted).query(truth)
    ranges = np.linalg.norm(truth, axis=1)
    scores = tuple(
        FScore(
            limit,
            relative,
            precision=float(np.mean(to_truth < (limit * ranges[nearest] if relative else limit))),
            recall=float(np.mean(to_predicted < (limit * ranges if relative else limit))),
        )
        for limit, relative in limits
    )
    return CloudScores(float(to_truth.mean()), float(to_predicted.mean()), scores, len(predicted), len(truth))


def subsampled(points: Points, count: int) -> Points:
    """At most `count` points, evenly spaced in their order."""
    if len(points) <= count:
        return points
    return points[np.linspace(0, len(points) - 1, count).round().astype(np.intp)]
