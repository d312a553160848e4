# SPDX-License-Identifier: Apache-2.0
"""A ray caster of its own for the tests: one ray at a time, by marching and bisection on inside / outside."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from depthpro_ros.scenes import Camera, Solid
from depthpro_ros.scenes.raycast import BOX, CYLINDER

Inside = Callable[[np.ndarray], bool]


def rotation(solid: Solid) -> np.ndarray:
    """World from the solid's axes: tilt about y (z towards x), then yaw about z."""
    t, w = solid.tilt_rad, solid.yaw_rad
    tilt = np.array([[math.cos(t), 0, math.sin(t)], [0, 1, 0], [-math.sin(t), 0, math.cos(t)]])
    yaw = np.array([[math.cos(w), -math.sin(w), 0], [math.sin(w), math.cos(w), 0], [0, 0, 1]])
    return yaw @ tilt


def inside(solid: Solid) -> Inside:
    """Whether a world point lies in the solid."""
    turn, centre, half = rotation(solid).T, np.array(solid.centre), np.array(solid.half)

    def test(point: np.ndarray) -> bool:
        x, y, z = np.abs(turn @ (point - centre)) / half
        if solid.kind == BOX:
            return max(x, y, z) <= 1
        if solid.kind == CYLINDER:
            return math.hypot(x, y) <= 1 and z <= 1
        return x * x + y * y + z * z <= 1

    return test


def forward_right_down(camera: Camera) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The camera's axes in the world from its angles, by rotating vectors one angle after the other."""
    forward, right, down = np.array([1.0, 0, 0]), np.array([0, -1.0, 0]), np.array([0, 0, -1.0])

    def about(axis: np.ndarray, angle: float, v: np.ndarray) -> np.ndarray:
        # Rodrigues' formula
        return v * math.cos(angle) + np.cross(axis, v) * math.sin(angle) + axis * (axis @ v) * (1 - math.cos(angle))

    up = np.array([0, 0, 1.0])
    forward, right = about(up, camera.yaw_rad, forward), about(up, camera.yaw_rad, right)
    forward, down = about(right, -camera.pitch_rad, forward), about(right, -camera.pitch_rad, down)
    right, down = about(forward, camera.roll_rad, right), about(forward, camera.roll_rad, down)
    return forward, right, down


def depth_along(solids: Sequence[Solid], eye: np.ndarray, ray: np.ndarray, reach: float = 12.0) -> float:
    """First parameter at which the ray is inside a solid, to 1e-6; inf for none."""
    tests = [inside(s) for s in solids]
    step = 0.004
    t = step
    while t < reach:
        if any(test(eye + t * ray) for test in tests):
            low, high = t - step, t
            for _ in range(20):
                middle = 0.5 * (low + high)
                if any(test(eye + middle * ray) for test in tests):
                    high = middle
                else:
                    low = middle
            return high
        t += step
    return math.inf
