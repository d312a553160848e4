# SPDX-License-Identifier: Apache-2.0
"""Random cameras that stand clear of everything and see something."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

import numpy as np

from depthpro_ros.scenes.layout import Camera, Layout, Photo, Room, Solid
from depthpro_ros.scenes.placing import log_uniform
from depthpro_ros.scenes.table import axes_of

HFOV_DEG, HEIGHT_M = (30.0, 110.0), (0.1, 3.0)
CLEAR_M = 0.3
_ATTEMPTS = 12
_NEAR_M, _CLOSE_M = 0.8, 1.4
# Rays that stand for a view: right, down and forward, of a camera with 90 degrees.
_GRID = np.array([(x, y, 1.0) for y in np.linspace(-0.68, 0.68, 5) for x in np.linspace(-0.9, 0.9, 8)])
# Names of what is seen start here, see `Obstacles.look`.
_LOWEST = 8

Pose = tuple[float, float, float]
"""Level position in metres and yaw in radians."""


def draw_camera(rng: Random, pose: Pose, *, top_m: float = HEIGHT_M[1]) -> Camera:
    """Draw the lens, height below `top_m` and tilt of a camera at a place: mostly as on a robot, some held by hand."""
    height = rng.uniform(0.2, 1.7) if rng.random() < 0.65 else log_uniform(rng, *HEIGHT_M)
    # A lens that is wider than tall in view looks less far up and down.
    low, high = (-6.0, 16.0) if rng.random() < 0.75 else (-15.0, 35.0)
    roll = rng.gauss(0, 2.0) if rng.random() < 0.85 else rng.uniform(-15, 15)
    return Camera(
        pose[0],
        pose[1],
        min(height, top_m),
        pose[2],
        math.radians(rng.uniform(low, high)),
        math.radians(max(-15.0, min(15.0, roll))),
        math.radians(rng.uniform(*HFOV_DEG)),
        max(-0.04, min(0.04, rng.gauss(0, 0.012))),
        max(-0.04, min(0.04, rng.gauss(0, 0.012))),
    )


def draw_photo(rng: Random) -> Photo:
    """Draw exposure, white balance, blur, noise and vignette."""
    return Photo(
        exposure=log_uniform(rng, 0.65, 1.5),
        gamma=rng.uniform(2.0, 2.4),
        white_balance=(math.exp(0.07 * rng.gauss(0, 1)), 1.0, math.exp(0.07 * rng.gauss(0, 1))),
        noise=rng.uniform(0.0, 0.02) if rng.random() < 0.85 else rng.uniform(0.02, 0.05),
        vignette=rng.uniform(0.0, 0.4) if rng.random() < 0.5 else 0.0,
        blur_px=rng.uniform(0.3, 0.6) if rng.random() < 0.8 else rng.uniform(0.6, 0.8),
        noise_seed=rng.randrange(2**31),
    )


class Obstacles:
    """Solids as boxes, for quick questions about distance; holes count as closed."""

    def __init__(self, solids: Sequence[Solid], room: Room | None) -> None:
        values = np.array([(*s.centre, *s.half, s.yaw_rad, s.tilt_rad) for s in solids]).reshape(-1, 8)
        self._centre, self._half, self._room = values[:, :3], values[:, 3:6], room
        self._axes = axes_of(values[:, 6], values[:, 7])

    def gap(self, x: float, y: float, z: float) -> float:
        """Distance from a point to the nearest solid or wall, 0 inside."""
        local = np.einsum("pij,pi->pj", self._axes, np.array([x, y, z]) - self._centre)
        outside = np.maximum(np.abs(local) - self._half, 0)
        nearest = float(np.sqrt((outside**2).sum(1)).min(initial=math.inf))
        if self._room is not None:
            room = self._room
            nearest = min(nearest, x - room.x0_m, room.x1_m - x, y - room.y0_m, room.y1_m - y, room.height_m - z)
        return nearest

    def look(self, eye: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distance along rays [N, 3] and what they meet: a solid's index, or -1 floor, -2 sky, -3.. walls."""
        local_eye = np.einsum("pij,pi->jp", self._axes, eye - self._centre)[:, :, None]
        inverse = 1 / (np.tensordot(self._axes, rays, ((1,), (1,))).transpose(1, 0, 2) + 1e-12)
        middle, reach = local_eye * inverse, self._half.T[:, :, None] * np.abs(inverse)
        low_t, high_t = -middle - reach, reach - middle
        enter = np.maximum(np.maximum(low_t[0], low_t[1]), low_t[2])
        leave = np.minimum(np.minimum(high_t[0], high_t[1]), high_t[2])
        t = np.where((enter <= leave) & (enter > 0), enter, np.inf)
        first = t.argmin(0) if len(t) else np.zeros(len(rays), np.int64)
        best = t.min(0) if len(t) else np.full(len(rays), np.inf)
        low, high = np.full(3, -np.inf), np.full(3, np.inf)
        low[2] = 0
        if (room := self._room) is not None:
            low, high = np.array([room.x0_m, room.y0_m, 0]), np.array([room.x1_m, room.y1_m, room.height_m])
        safe = np.where(np.abs(rays) < 1e-9, 1e-9, rays)
        exits = (np.where(safe > 0, high, low) - eye) / safe
        face = exits.argmin(1)
        shell = exits.min(1)
        name = np.where(
            face == 2, np.where(rays[:, 2] > 0, -3, -1), -4 - 2 * face - (rays[np.arange(len(rays)), face] > 0)
        )
        name = np.where(np.isinf(shell), -2, name)
        return np.minimum(best, shell), np.where(best < shell, first, name)


def _flaws(obstacles: Obstacles, camera: Camera) -> float:
    """How much is wrong with a view: 0 for one that a photographer would keep."""
    half = math.tan(0.5 * camera.hfov_rad)
    optical = _GRID * (half, half, 1.0)
    cos, sin = math.cos(camera.pitch_rad), math.sin(camera.pitch_rad)
    level = cos * optical[:, 2] - sin * optical[:, 1]
    rays = np.stack(
        [
            level * math.cos(camera.yaw_rad) + optical[:, 0] * math.sin(camera.yaw_rad),
            level * math.sin(camera.yaw_rad) - optical[:, 0] * math.cos(camera.yaw_rad),
            -sin * optical[:, 2] - cos * optical[:, 1],
        ],
        1,
    )
    eye = np.array([camera.x_m, camera.y_m, camera.height_m])
    distance, seen = obstacles.look(eye, rays)
    near, close = (float(((distance < limit) & (seen != -1)).mean()) for limit in (_NEAR_M, _CLOSE_M))
    shares = np.bincount(seen + _LOWEST) / seen.size
    floor, sky = float(shares[_LOWEST - 1 : _LOWEST].sum()), float(shares[_LOWEST - 2 : _LOWEST - 1].sum())
    shares[_LOWEST - 2 : _LOWEST] = 0
    largest, things = float(shares.max()), int(np.count_nonzero(shares[_LOWEST:]))
    return (
        max(0.0, near - 0.1) * 4
        + max(0.0, close - 0.4) * 2
        + max(0.0, largest - 0.45) * 2
        + max(0.0, floor - 0.5) * 3
        + max(0.0, sky - 0.4) * 3
        + max(0, 6 - things) * 0.12
    )


def placed_camera(rng: Random, layout: Layout, pose: Callable[[Random], Pose]) -> Layout:
    """The layout with a camera drawn at one of the given poses: clear of solids, and with the best of some views."""
    obstacles = Obstacles(layout.solids, layout.room)
    top = layout.room.height_m - CLEAR_M if layout.room is not None else HEIGHT_M[1]
    best, least = layout.camera, math.inf
    for _ in range(_ATTEMPTS):
        camera = draw_camera(rng, pose(rng), top_m=min(top, HEIGHT_M[1]))
        if obstacles.gap(camera.x_m, camera.y_m, camera.height_m) < CLEAR_M:
            continue
        flaws = _flaws(obstacles, camera)
        if flaws < least:
            best, least = camera, flaws
        if flaws == 0:
            break
    return replace(layout, camera=best)


def is_clear(layout: Layout) -> bool:
    """Whether the camera keeps its distance from everything."""
    camera = layout.camera
    return Obstacles(layout.solids, layout.room).gap(camera.x_m, camera.y_m, camera.height_m) >= CLEAR_M
