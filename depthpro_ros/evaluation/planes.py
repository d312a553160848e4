# SPDX-License-Identifier: Apache-2.0
"""Are walls, floors and tables flat, and do they face where they should (iBims-1, Koch et al. 2018)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.clouds import back_project
from depthpro_ros.evaluation.masks import BoolMap, FloatMap, check_maps, usable

MIN_SHARE = 0.05
"""Smaller planes, as share of the image, are left out."""


@dataclass(frozen=True)
class Plane:
    """A plane of the scene.

    Attributes:
        inside: bool [H, W], its pixels.
        normal: of any length but 0, either way round, in the optical frame (x right, y down, z forward).
    """

    inside: BoolMap
    normal: tuple[float, float, float]

    @classmethod
    def of_ibims(cls, inside: BoolMap, normal: Sequence[float]) -> Plane:
        """From a normal as iBims-1 stores it, columns 4 to 6 of a plane's row: x right, y forward, z up."""
        x, y, z = (float(value) for value in normal)
        return cls(inside, (x, -z, y))


@dataclass(frozen=True)
class PlaneScores:
    """Scores of one plane; NaN where it is too small or has no prediction.

    Attributes:
        flatness_cm: standard deviation of the points' distances from the plane that fits them best.
        orientation_deg: angle between that plane's normal and the true one.
        pixels: of the plane, with a ground truth.
        invalid: how many of them have no prediction.
    """

    flatness_cm: float
    orientation_deg: float
    pixels: int
    invalid: int


def score_planes(
    predicted: FloatMap, truth_m: FloatMap, planes: Sequence[Plane], intrinsics: Intrinsics
) -> list[PlaneScores]:
    """Score each plane; a set's result is the mean over all planes of all images that have a score.

    Each plane's prediction is scaled first, by median(truth) / median(prediction) within the plane.

    Args:
        predicted: [H, W], any unit.
        truth_m: [H, W] metres.
        planes: what was marked in the image.
        intrinsics: camera of maps of this size.

    Raises:
        InputError: shapes differ, or a normal of length 0.
    """
    return [_score(predicted, truth_m, plane, intrinsics) for plane in planes]


def _score(predicted: FloatMap, truth_m: FloatMap, plane: Plane, intrinsics: Intrinsics) -> PlaneScores:
    check_maps(predicted, truth_m, plane.inside)
    known = plane.inside & usable(truth_m)
    inside = known & usable(predicted)
    pixels, count = int(np.count_nonzero(known)), int(np.count_nonzero(inside))
    if pixels < MIN_SHARE * truth_m.size or count < 3:
        return PlaneScores(math.nan, math.nan, pixels, pixels - count)
    scale = float(np.median(truth_m[known].astype(np.float64)) / np.median(predicted[inside].astype(np.float64)))
    deviation_m, normal = fit_plane(back_project(predicted.astype(np.float64) * scale, intrinsics, inside))
    return PlaneScores(100 * deviation_m, angle_deg(normal, np.array(plane.normal)), pixels, pixels - count)


def fit_plane(points: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Standard deviation of the distances from the best plane, and its unit normal, of points [N, 3]."""
    centred = points - points.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred / len(points))
    return math.sqrt(max(float(variances[0]), 0.0)), axes[:, 0]


def angle_deg(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Angle between two lines, 0 to 90 degrees.

    Raises:
        InputError: one has no direction.
    """
    if not (a.any() and b.any()):
        raise InputError(f"normals {a.tolist()} and {b.tolist()}: expected both longer than 0")
    return math.degrees(math.atan2(float(np.linalg.norm(np.cross(a, b))), abs(float(a @ b))))
