# SPDX-License-Identifier: Apache-2.0
"""Draws shared by all kinds of scene: cameras, sensors, and whether a solid may stand where it was put."""

from __future__ import annotations

import math

import numpy as np

from depthpro_ros.scenes.layout import Camera, Photo, Solid
from depthpro_ros.scenes.raycast import BOX

_CLEARANCE_M = 0.35


def uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw between low and high."""
    return float(rng.uniform(low, high))


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw between low and high, evenly over orders of magnitude."""
    return math.exp(uniform(rng, math.log(low), math.log(high)))


def draw_camera(rng: np.random.Generator, x: float, y: float, height: float, yaw: float) -> Camera:
    """Draw tilt and field of view of a camera at a place, mostly looking slightly down as on a robot."""
    low, high = (0.0, 20.0) if rng.random() < 0.75 else (-10.0, 35.0)
    return Camera(
        x,
        y,
        height,
        yaw,
        math.radians(uniform(rng, low, high)),
        math.radians(2.0 * float(rng.standard_normal())),
        math.radians(uniform(rng, 35.0, 100.0)),
    )


def draw_photo(rng: np.random.Generator) -> Photo:
    """Draw exposure, gamma, white balance, noise and vignette."""
    red, blue = math.exp(0.08 * rng.standard_normal()), math.exp(0.08 * rng.standard_normal())
    return Photo(
        exposure=log_uniform(rng, 0.7, 1.7),
        gamma=uniform(rng, 1.8, 2.4),
        white_balance=(red, 1.0, blue),
        noise=uniform(rng, 0.0, 0.02),
        vignette=uniform(rng, 0.0, 0.4) if rng.random() < 0.5 else 0.0,
        noise_seed=int(rng.integers(2**31)),
    )


def _gap(camera: Camera, solid: Solid) -> float:
    """Level distance from the camera to the footprint of the solid; 0 inside."""
    dx, dy = camera.x_m - solid.centre[0], camera.y_m - solid.centre[1]
    if solid.kind != BOX:
        return max(0.0, math.hypot(dx, dy) - solid.half[0])
    cos, sin = math.cos(solid.yaw_rad), math.sin(solid.yaw_rad)
    local_x, local_y = abs(cos * dx + sin * dy), abs(cos * dy - sin * dx)
    return math.hypot(max(0.0, local_x - solid.half[0]), max(0.0, local_y - solid.half[1]))


def clear(camera: Camera, solid: Solid) -> bool:
    """Whether the solid leaves the camera room; large ones stand further off, or they fill the view."""
    return _gap(camera, solid) > _CLEARANCE_M + 0.4 * max(solid.half[0], min(solid.half[1], 2.0))


def overlaps(solid: Solid, others: list[Solid]) -> bool:
    """Whether the solid stands in another one, roughly."""
    # Circles of the mean half size: corners may touch now and then, as furniture does.
    for other in others:
        reach = 0.5 * (solid.half[0] + solid.half[1] + other.half[0] + other.half[1])
        if math.hypot(solid.centre[0] - other.centre[0], solid.centre[1] - other.centre[1]) < reach:
            return True
    return False
