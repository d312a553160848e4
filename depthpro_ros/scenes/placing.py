# SPDX-License-Identifier: Apache-2.0
"""Where things stand: no two in one place, and against which wall."""

from __future__ import annotations

import math
from collections.abc import Iterable
from random import Random

from depthpro_ros.scenes.layout import MAX_SOLIDS, Room, Solid
from depthpro_ros.scenes.parts import Footprint, Thing, stood


def log_uniform(rng: Random, low: float, high: float) -> float:
    """Draw between low and high, evenly over orders of magnitude."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))


class Plan:
    """The ground plan of a scene while it is drawn."""

    def __init__(self) -> None:
        self.solids: list[Solid] = []
        self.taken: list[Footprint] = []

    def add(self, solids: Iterable[Solid]) -> None:
        """Add solids that take no place on the ground (lamps, lines, things on walls)."""
        self.solids.extend(solids)

    def keep_free(self, spot: Footprint) -> None:
        """Let nothing be stood there."""
        self.taken.append(spot)

    def put(self, thing: Thing, x: float, y: float, yaw: float = 0.0) -> bool:
        """Stand a thing somewhere if it is free; False if it is not."""
        spot = Footprint(x, y, thing.half_x, thing.half_y, yaw)
        if len(self.solids) + len(thing.solids) > MAX_SOLIDS - 20 or any(spot.meets(other) for other in self.taken):
            return False
        self.solids.extend(stood(thing.solids, x, y, yaw))
        self.taken.append(spot)
        return True


def wall_length(room: Room, side: int) -> float:
    """Length of wall 0..3 of a room."""
    return room.x1_m - room.x0_m if side % 2 == 0 else room.y1_m - room.y0_m


def wall_pose(room: Room, side: int, along: float, off: float = 0.0) -> tuple[float, float, float]:
    """Position and yaw of a frame on wall `side`: x along the wall, y into the room, `off` metres from it."""
    yaw = (0.0, math.pi / 2, math.pi, -math.pi / 2)[side]
    x, y = (
        (room.x0_m + along, room.y0_m),
        (room.x1_m, room.y0_m + along),
        (room.x1_m - along, room.y1_m),
        (room.x0_m, room.y1_m - along),
    )[side]
    return x - off * math.sin(yaw), y + off * math.cos(yaw), yaw


def inside(room: Room, thing: Thing, x: float, y: float, yaw: float) -> bool:
    """Whether the thing stands within the walls."""
    cos, sin = abs(math.cos(yaw)), abs(math.sin(yaw))
    reach_x, reach_y = cos * thing.half_x + sin * thing.half_y, sin * thing.half_x + cos * thing.half_y
    return room.x0_m + reach_x <= x <= room.x1_m - reach_x and room.y0_m + reach_y <= y <= room.y1_m - reach_y
