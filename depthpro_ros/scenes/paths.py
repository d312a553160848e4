# SPDX-License-Identifier: Apache-2.0
"""Smooth camera paths through a scene, clear of everything in it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.scenes.cameras import CLEAR_M, Obstacles
from depthpro_ros.scenes.layout import Camera, Layout

_ATTEMPTS = 60
_STEP_M = 0.04
_REACH_M = (0.6, 1.4)


@dataclass(frozen=True)
class CameraPath:
    """Where a camera is at each moment.

    Position and yaw follow a cubic spline through knots at equal times, level at a constant height; pitch and
    roll sway a little, as on wheels or in a hand.

    Attributes:
        camera: the lens, height and mean tilt.
        duration_s: length of the path in time.
        knots: float64 [N, 3], x and y in metres and yaw in radians (not wrapped).
        sway_rad: amplitude of the sway.
    """

    camera: Camera
    duration_s: float
    knots: NDArray[np.float64]
    sway_rad: float = 0.0

    def at(self, time_s: float) -> Camera:
        """The camera at a moment; before the start and after the end it stands still.

        Raises:
            InputError: the time is not finite.
        """
        if not math.isfinite(time_s):
            raise InputError(f"time is {time_s} s, expected a number between 0 and {self.duration_s}")
        share = min(1.0, max(0.0, time_s / self.duration_s))
        # Slow at both ends, steady between: no jerk when the camera starts and stops.
        share = _eased(share)
        x, y, yaw = _spline(self.knots, share * (len(self.knots) - 1))
        swing = 2 * math.pi * time_s
        return replace(
            self.camera,
            x_m=float(x),
            y_m=float(y),
            yaw_rad=float(yaw),
            pitch_rad=self.camera.pitch_rad + self.sway_rad * math.sin(0.9 * swing),
            roll_rad=self.camera.roll_rad + self.sway_rad * math.sin(0.6 * swing + 1.0),
        )


def _eased(share: float) -> float:
    """Monotonous map of 0..1 onto itself that starts and ends at rest; steady in the middle."""
    ramp = 0.15
    rest = 1 - ramp
    if share < ramp:
        return share * share / (2 * ramp * rest)
    if share > 1 - ramp:
        return 1 - (1 - share) ** 2 / (2 * ramp * rest)
    return (share - 0.5 * ramp) / rest


def _spline(knots: NDArray[np.float64], place: float) -> NDArray[np.float64]:
    """Uniform Catmull-Rom spline (cubic, continuous first derivative) through the knots, at 0..N-1."""
    last = len(knots) - 1
    i = min(int(place), last - 1)
    t = place - i
    # beyond its ends the line of knots goes on straight
    p0 = knots[i - 1] if i > 0 else 2 * knots[0] - knots[1]
    p3 = knots[i + 2] if i + 2 <= last else 2 * knots[last] - knots[last - 1]
    p1, p2 = knots[i], knots[i + 1]
    return 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)


def camera_path(layout: Layout, seed: int, *, duration_s: float) -> CameraPath:
    """Draw a path from the layout's own camera, at 0.2 to 1.2 m/s (robots, people), clear of solids and walls.

    Args:
        layout: the scene.
        seed: of the path, non-negative.
        duration_s: positive, at most 600 s.

    Raises:
        InputError: a duration out of range, a negative seed, or a camera so hemmed in that it cannot move.
    """
    if not 0 < duration_s <= 600:
        raise InputError(f"duration is {duration_s} s, expected more than 0 and at most 600 s")
    if seed < 0:
        raise InputError(f"path seed is {seed}, expected a non-negative integer")
    rng = Random(seed)
    obstacles = Obstacles(layout.solids, layout.room)
    start = layout.camera
    wanted_m = rng.uniform(0.2, 1.2) * duration_s
    best: NDArray[np.float64] | None = None
    best_m = 0.0
    for _ in range(_ATTEMPTS):
        knots = _wander(rng, obstacles, start, wanted_m)
        if knots is None:
            continue
        long = float(np.hypot(*np.diff(knots[:, :2], axis=0).T).sum())
        if long > best_m:
            best, best_m = knots, long
        if long > 0.8 * wanted_m:
            break
    if best is None:
        raise InputError("the camera of this scene has no room to move: choose another seed")
    return CameraPath(start, duration_s, best, sway_rad=math.radians(rng.uniform(0.0, 0.6)))


def _wander(rng: Random, obstacles: Obstacles, start: Camera, wanted_m: float) -> NDArray[np.float64] | None:
    """Knots of a walk of about the wanted length whose spline is clear; None where the first step is blocked."""
    step = min(rng.uniform(*_REACH_M), 0.5 * wanted_m)
    heading = start.yaw_rad + rng.choice((0.0, 0.0, 0.0, math.pi)) + rng.gauss(0, 0.4)
    backwards = math.cos(heading - start.yaw_rad) < 0
    knots = [np.array([start.x_m, start.y_m, start.yaw_rad])]
    for _ in range(min(400, round(wanted_m / step))):
        for spread in (0.25, 0.25, 0.5, 0.8, 1.1):
            turn = heading + rng.gauss(0, spread)
            x, y = knots[-1][0] + step * math.cos(turn), knots[-1][1] + step * math.sin(turn)
            # the camera looks about the way it goes, and turns no faster than a head or a robot
            ahead = turn + (math.pi if backwards else 0.0)
            swing = math.remainder(ahead - knots[-1][2], 2 * math.pi)
            yaw = knots[-1][2] + max(-0.35, min(0.35, 0.5 * swing))
            longer = np.array([*knots, np.array([x, y, yaw])])
            if _is_clear(longer, obstacles, start.height_m):
                knots.append(longer[-1])
                heading = turn
                break
        else:
            break
    return np.array(knots) if len(knots) >= 2 else None


def _is_clear(knots: NDArray[np.float64], obstacles: Obstacles, height_m: float) -> bool:
    """Whether the last three pieces of the spline keep their distance; a new knot bends no earlier ones."""
    last = len(knots) - 1
    first = max(0, last - 3)
    step = max(2, math.ceil(_REACH_M[1] / _STEP_M))
    places = np.linspace(first, last, (last - first) * step + 1)
    points = [_spline(knots, float(place)) for place in places]
    return all(obstacles.gap(float(x), float(y), height_m) >= CLEAR_M - 0.02 for x, y, _ in points)
