# SPDX-License-Identifier: Apache-2.0
"""The ground among points up to scale: RANSAC (Fischler and Bolles 1981) for a plane that has everything above it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.scale.estimate import NoScale

LEVEL_COSINE = math.cos(math.radians(45))

TRIPLES = 1024
"""Random planes that are made; those that are turned too far cost no more."""

CANDIDATES = 128
"""Of the others, so many are scored."""

SCORED_POINTS = 1000
"""On so many points; only the refined plane meets all of them."""

REFINED = 3
"""The best ones are refined, since the ground may have hidden behind a plane that fits by chance."""

REFINEMENTS = 3

NARROWEST = 0.005
"""Tolerance for depth without errors."""

NOISE_SHARE = 0.03
"""So many of all points may be below a plane for no reason: errors of the depth, reflections in the floor."""


@dataclass(frozen=True)
class Plane:
    """A plane below the camera: points X with normal · X = height.

    Attributes:
        normal: unit vector [3], from the camera down to the plane.
        height: distance from the camera, above 0, in the points' unit.
    """

    normal: NDArray[np.float64]
    height: float


def height_shares(points: NDArray[np.float32], plane: Plane) -> NDArray[np.float32]:
    """How far below the camera points [N, 3] are, over the plane's height: 1 on it, more below it.

    Along a ray this is the point's depth over the plane's, so a depth that is 5 % too large gives 1.05 at any distance.
    """
    return points @ (plane.normal / plane.height).astype(np.float32)


def level_surfaces(points: NDArray[np.float32], down: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where the surface between a pixel's neighbours is more level than upright: floors, and no feet of walls.

    Args:
        points: float32 [h, w, 3], NaN where there is none.
        down: unit vector [3].

    Returns:
        bool [h, w].
    """
    if min(points.shape[:2]) < 2:
        return np.zeros(points.shape[:2], np.bool_)
    right = np.empty_like(points)
    right[:, 1:-1] = points[:, 2:] - points[:, :-2]
    right[:, [0, -1]] = points[:, [1, -1]] - points[:, [0, -2]]
    below = np.empty_like(points)
    below[1:-1] = points[2:] - points[:-2]
    below[[0, -1]] = points[[1, -1]] - points[[0, -2]]
    normal = np.stack(
        [
            below[..., 1] * right[..., 2] - below[..., 2] * right[..., 1],
            below[..., 2] * right[..., 0] - below[..., 0] * right[..., 2],
            below[..., 0] * right[..., 1] - below[..., 1] * right[..., 0],
        ],
        axis=-1,
    )
    along = normal @ down.astype(np.float32)
    return along * along > LEVEL_COSINE**2 * np.einsum("hwi,hwi->hw", normal, normal)


def find_ground(
    points: NDArray[np.float32],
    level: NDArray[np.bool_],
    down: NDArray[np.float64],
    *,
    max_tilt_rad: float,
    tolerance: float,
    least: int,
    max_below: float,
    seed: int,
) -> Plane:
    """The plane with most points among those that are level enough and have few points below them.

    Args:
        points: float32 [N, 3].
        level: bool [N], those that may be of the ground (`level_surfaces`).
        down: expected normal, unit vector [3].
        max_tilt_rad: largest angle between the plane's normal and `down`.
        tolerance: a point is on the plane where its `height_shares` is 1 within this, below it beyond 1.5 times this.
        least: points that must be on the plane.
        max_below: points below it, over points on it, at most (or `NOISE_SHARE` of all).
        seed: of the random choice.

    Raises:
        NoScale: no plane is level, has enough points and few enough below it.
    """
    under_camera = points @ down.astype(np.float32) > 0
    ground, seen_below = points[under_camera & level], points[under_camera]
    if len(ground) < max(3, least // 2):
        raise NoScale(
            f"no ground in view: only {len(ground)} of {len(points)} pixels are of level surfaces below the camera, "
            f"expected at least {max(3, least // 2)}"
        )
    rng = np.random.default_rng(seed)
    planes = _candidates(ground, down, max_tilt_rad, rng)
    if not len(planes):
        raise NoScale(
            f"no ground in view: no plane within {math.degrees(max_tilt_rad):g} degrees of level, check pitch_deg"
        )
    support = _support(planes, _some(ground, rng), tolerance)
    some = _some(seen_below, rng)
    below = np.count_nonzero(planes @ some.T > 1 + 1.5 * tolerance, axis=1) / len(some)
    on = support * len(ground) / len(seen_below)
    free = below <= _allowed(on, max_below, len(points) / len(seen_below))
    best, most, reason = None, 0, "every level plane has other things below it"
    for candidate in np.argsort(-np.where(free, support, 0.0), kind="stable")[:REFINED]:
        plane = _refined(planes[candidate], ground, tolerance) if free[candidate] else None
        if plane is None or plane.normal @ down < math.cos(max_tilt_rad):
            continue
        shares = height_shares(seen_below, plane)
        count = int(np.count_nonzero(np.abs(shares - 1) <= tolerance))
        under = int(np.count_nonzero(shares > 1 + 1.5 * tolerance))
        if count < least:
            reason = f"the largest level plane holds {count} of {len(points)} pixels, expected at least {least}"
        elif under > _allowed(count, max_below, len(points)):
            reason = f"the largest level plane has {count} pixels and {under} below it: it is no ground"
        elif count > most:
            best, most = plane, count
    if best is None:
        raise NoScale(f"no ground in view: {reason}")
    return best


def _some(points: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """At most `SCORED_POINTS` of points [N, 3]."""
    if len(points) <= SCORED_POINTS:
        return points
    return points[rng.choice(len(points), SCORED_POINTS, replace=False)]


def _allowed(on: Any, max_below: float, points: float) -> Any:
    """How many points may be below a plane, of a plane with `on` points or of an array of them."""
    return np.maximum(max_below * on, NOISE_SHARE * points)


def _candidates(
    points: NDArray[np.float32], down: NDArray[np.float64], max_tilt_rad: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Planes through random triples, as m [K, 3] with m · X = 1, of those that are level enough."""
    a, b, c = points[rng.integers(len(points), size=(3, TRIPLES))]
    normal = np.cross(b - a, c - a)
    normal *= np.sign(normal @ down.astype(np.float32))[:, None]
    length = np.sqrt((normal * normal).sum(1))
    height = (normal * a).sum(1)
    # collinear points have a normal of length 0, planes through the camera no height
    good = (length > 0) & (height > 0) & (normal @ down.astype(np.float32) >= math.cos(max_tilt_rad) * length)
    return (normal[good] / height[good, None])[:CANDIDATES]


def _support(planes: NDArray[np.float32], points: NDArray[np.float32], tolerance: float) -> NDArray[np.floating[Any]]:
    """The share of points on each plane, those near its middle counting more.

    Counting all alike (RANSAC) would favour a plane turned so that other things are within the tolerance too;
    1 - (residual / tolerance)^2 does not (MSAC, Torr and Zisserman 2000).
    """
    away = planes @ points.T
    away -= 1
    away *= 1 / tolerance
    away *= away
    np.minimum(away, 1, out=away)
    return 1 - away.mean(axis=1)


def _refined(plane: NDArray[np.float32], points: NDArray[np.float32], tolerance: float) -> Plane | None:
    """Least squares of m · X = 1 over the plane's points, a few times: each time with those of the last result.

    The residual is the relative error of the depth, the same near and far. The tolerance narrows to what the residuals
    show, so that where depth is precise, the foot of a wall is told from the floor.
    """
    m = plane.astype(np.float64)
    for _ in range(REFINEMENTS):
        away = np.abs(points @ m.astype(np.float32) - 1)
        near = away <= tolerance
        if np.count_nonzero(near) < 3:
            return None
        narrow = min(tolerance, max(NARROWEST, 3 * float(np.median(away[near]))))
        on = points[away <= narrow].astype(np.float64)
        try:
            m = np.linalg.solve(on.T @ on, on.sum(0))
        except np.linalg.LinAlgError:
            # points on a line fit many planes
            return None
    length = float(np.linalg.norm(m))
    return Plane(m / length, 1 / length) if math.isfinite(length) and length > 0 else None
