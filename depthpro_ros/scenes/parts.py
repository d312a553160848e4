# SPDX-License-Identifier: Apache-2.0
"""Things made of several solids: built about their own origin, then stood in the scene."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from depthpro_ros.scenes.holes import WHOLE, Holes
from depthpro_ros.scenes.layout import Solid
from depthpro_ros.scenes.raycast import BOX, CYLINDER, SPHERE
from depthpro_ros.scenes.textures import Material


@dataclass(frozen=True)
class Thing:
    """Solids about an origin on the ground; they stay within half_x, half_y of it and below `top_m`."""

    solids: tuple[Solid, ...]
    half_x: float
    half_y: float
    top_m: float = 1.0


@dataclass(frozen=True)
class Footprint:
    """The rectangle on the ground that a placed thing takes."""

    x: float
    y: float
    half_x: float
    half_y: float
    yaw: float = 0.0

    def gap(self, x: float, y: float) -> float:
        """Distance from a point on the ground, 0 inside."""
        cos, sin = math.cos(self.yaw), math.sin(self.yaw)
        dx, dy = x - self.x, y - self.y
        along, across = abs(cos * dx + sin * dy), abs(cos * dy - sin * dx)
        return math.hypot(max(0.0, along - self.half_x), max(0.0, across - self.half_y))

    def _corners(self) -> list[tuple[float, float]]:
        cos, sin = math.cos(self.yaw), math.sin(self.yaw)
        signs = ((1, 1), (1, -1), (-1, -1), (-1, 1))
        return [
            (
                self.x + cos * i * self.half_x - sin * j * self.half_y,
                self.y + sin * i * self.half_x + cos * j * self.half_y,
            )
            for i, j in signs
        ]

    def meets(self, other: Footprint) -> bool:
        """Whether the rectangles overlap: no axis of either separates them."""
        near = math.hypot(self.half_x, self.half_y) + math.hypot(other.half_x, other.half_y)
        if math.hypot(self.x - other.x, self.y - other.y) > near:
            return False
        for yaw in (self.yaw, self.yaw + math.pi / 2, other.yaw, other.yaw + math.pi / 2):
            cos, sin = math.cos(yaw), math.sin(yaw)
            mine = [cos * x + sin * y for x, y in self._corners()]
            theirs = [cos * x + sin * y for x, y in other._corners()]
            if max(mine) <= min(theirs) or max(theirs) <= min(mine):
                return False
        return True


def block(
    x: tuple[float, float],
    y: tuple[float, float],
    z: tuple[float, float],
    material: Material,
    holes: Holes = WHOLE,
) -> Solid:
    """Box between low and high limits along each axis, metres."""
    centre = (0.5 * (x[0] + x[1]), 0.5 * (y[0] + y[1]), 0.5 * (z[0] + z[1]))
    half = (0.5 * (x[1] - x[0]), 0.5 * (y[1] - y[0]), 0.5 * (z[1] - z[0]))
    return Solid(BOX, centre, half, 0.0, material, 0.0, holes)


def post(x: float, y: float, z: tuple[float, float], radius: float, material: Material) -> Solid:
    """Upright cylinder."""
    return Solid(CYLINDER, (x, y, 0.5 * (z[0] + z[1])), (radius, radius, 0.5 * (z[1] - z[0])), 0.0, material)


def ball(
    x: float, y: float, z: float, half: tuple[float, float, float], material: Material, holes: Holes = WHOLE
) -> Solid:
    """Ellipsoid about (x, y, z)."""
    return Solid(SPHERE, (x, y, z), half, 0.0, material, 0.0, holes)


def legs(half_x: float, half_y: float, height: float, thick: float, material: Material, *, turned: bool) -> list[Solid]:
    """Four legs in the corners of a rectangle, round if turned on a lathe."""
    spots = [(i * (half_x - thick), j * (half_y - thick)) for i in (-1, 1) for j in (-1, 1)]
    if turned:
        return [post(x, y, (0, height), thick, material) for x, y in spots]
    return [block((x - thick, x + thick), (y - thick, y + thick), (0, height), material) for x, y in spots]


def stood(solids: Iterable[Solid], x: float, y: float, yaw: float = 0.0, z: float = 0.0) -> list[Solid]:
    """The solids turned by yaw about their origin, then moved to (x, y, z)."""
    cos, sin = math.cos(yaw), math.sin(yaw)
    moved = []
    for kind, (cx, cy, cz), half, turn, material, tilt, holes in solids:
        centre = (x + cos * cx - sin * cy, y + sin * cx + cos * cy, z + cz)
        moved.append(Solid(kind, centre, half, turn + yaw, material, tilt, holes))
    return moved
