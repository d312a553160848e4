# SPDX-License-Identifier: Apache-2.0
"""Random rooms of homes and offices: doors, windows, furniture, lamps."""

from __future__ import annotations

import math
from random import Random

from depthpro_ros.scenes import openings
from depthpro_ros.scenes.cameras import Pose, draw_photo, placed_camera
from depthpro_ros.scenes.furniture import AGAINST_WALL, ANYWHERE, chair, table
from depthpro_ros.scenes.layout import Camera, Layout, Lighting, Room
from depthpro_ros.scenes.materials import hsv, plain, room_floor, wall_finish
from depthpro_ros.scenes.parts import Footprint, block, stood
from depthpro_ros.scenes.placing import Plan, inside, log_uniform, wall_length, wall_pose
from depthpro_ros.scenes.textures import Material


def room_scene(rng: Random) -> Layout:
    """Draw a furnished room of 3 to 9 m with a camera in it."""
    room = Room(0.0, 0.0, log_uniform(rng, 3.0, 9.0), log_uniform(rng, 2.8, 7.0), rng.uniform(2.35, 3.3))
    plan = Plan()
    window_at = _open_walls(rng, room, plan)
    _furnish(rng, room, plan)
    if rng.random() < 0.6:
        skirting(room, plan, plain(hsv(0.1, 0.05, rng.uniform(0.3, 0.95))))

    warm, day = rng.uniform(0.0, 0.3), window_at is not None and rng.random() < 0.75
    lamp_x, lamp_y = rng.uniform(0.3, 0.7) * room.x1_m, rng.uniform(0.3, 0.7) * room.y1_m
    half = rng.uniform(0.12, 0.35)
    plan.add(stood([openings.lamp_panel(rng, half, half, room.height_m)], lamp_x, lamp_y))
    strength, ambient = rng.uniform(0.4, 1.0), rng.uniform(0.2, 0.5)
    daylight = rng.uniform(0.4, 1.0) if day else 0.0
    fill = window_at or (rng.uniform(0.3, room.x1_m - 0.3), rng.uniform(0.3, room.y1_m - 0.3), 1.6)
    weak = daylight if day else rng.choice((0.0, rng.uniform(0.1, 0.4)))
    lighting = Lighting(
        main=(lamp_x, lamp_y, room.height_m - 0.12),
        main_colour=(strength, strength * (1 - 0.35 * warm), strength * (1 - 0.9 * warm)),
        fill=fill,
        fill_colour=(weak * 0.92, weak * 0.97, weak) if day else (weak, 0.9 * weak, 0.75 * weak),
        ambient=(ambient, ambient * (1 - 0.15 * warm), ambient * (1 - 0.35 * warm)),
        reach_m=rng.uniform(2.5, 7.0),
    )
    layout = Layout(
        Camera(0.5 * room.x1_m, 0.5 * room.y1_m),
        room,
        tuple(plan.solids),
        floor=room_floor(rng),
        wall=wall_finish(rng),
        ceiling=plain(hsv(0.1, rng.uniform(0, 0.06), rng.uniform(0.82, 0.98))),
        lighting=lighting,
        photo=draw_photo(rng),
        kind="room",
    )
    return placed_camera(rng, layout, lambda r: _pose(r, room))


def _pose(rng: Random, room: Room) -> Pose:
    """Somewhere in the room, looking across it."""
    x, y = rng.uniform(0.4, room.x1_m - 0.4), rng.uniform(0.4, room.y1_m - 0.4)
    across = math.atan2(0.5 * room.y1_m - y, 0.5 * room.x1_m - x)
    return x, y, across + rng.gauss(0, 0.7)


def skirting(room: Room, plan: Plan, material: Material) -> None:
    """Boards along the foot of the walls."""
    for side in range(4):
        half = 0.5 * wall_length(room, side)
        plan.add(stood([block((-half, half), (0, 0.014), (0, 0.08), material)], *wall_pose(room, side, half)))


def _open_walls(rng: Random, room: Room, plan: Plan) -> tuple[float, float, float] | None:
    """One or two doors, windows and pictures; returns a point before a window."""
    sides = [0, 1, 2, 3]
    rng.shuffle(sides)
    window_at = None
    for index, side in enumerate(sides):
        length = wall_length(room, side)
        used: list[tuple[float, float]] = []
        if index == 0 or (index == 1 and rng.random() < 0.3):
            at = rng.uniform(0.7, length - 0.7)
            plan.add(stood(openings.door(rng), *wall_pose(room, side, at)))
            x, y, yaw = wall_pose(room, side, at, 0.5)
            plan.keep_free(Footprint(x, y, 0.55, 0.5, yaw))
            used.append((at - 0.6, at + 0.6))
        elif index <= 2 and rng.random() < 0.75:
            width = min(rng.uniform(0.8, 2.4), length - 1.0)
            at = rng.uniform(0.4 + 0.5 * width, length - 0.4 - 0.5 * width)
            sill = rng.uniform(0.8, 1.0) if rng.random() < 0.8 else 0.1
            top = min(rng.uniform(1.95, 2.2), room.height_m - 0.2)
            plan.add(stood(openings.window(rng, width, sill, top), *wall_pose(room, side, at)))
            used.append((at - 0.5 * width - 0.3, at + 0.5 * width + 0.3))
            x, y, _ = wall_pose(room, side, at, 0.35)
            window_at = (x, y, 0.5 * (sill + top))
        for _ in range(rng.randrange(3)):
            at = rng.uniform(0.7, length - 0.7)
            if all(at + 0.65 < low or at - 0.65 > high for low, high in used):
                plan.add(stood(openings.picture(rng), *wall_pose(room, side, at)))
                used.append((at - 0.65, at + 0.65))
    return window_at


def _furnish(rng: Random, room: Room, plan: Plan) -> None:
    """Furniture along the walls, then in the middle, chairs at tables."""
    area = room.x1_m * room.y1_m
    for _ in range(rng.randrange(2, 4 + round(area / 8))):
        thing = rng.choice(AGAINST_WALL)(rng)
        for _ in range(6):
            side = rng.randrange(4)
            length = wall_length(room, side)
            if length < 2 * thing.half_x + 0.2:
                continue
            along = rng.uniform(thing.half_x + 0.05, length - thing.half_x - 0.05)
            x, y, yaw = wall_pose(room, side, along, thing.half_y + 0.02)
            if inside(room, thing, x, y, yaw) and plan.put(thing, x, y, yaw):
                break
    for _ in range(rng.randrange(1, 3 + round(area / 8))):
        thing = rng.choice(ANYWHERE)(rng)
        for _ in range(6):
            x, y = rng.uniform(0.3, room.x1_m - 0.3), rng.uniform(0.3, room.y1_m - 0.3)
            yaw = rng.choice((0.0, 0.5, 1.0, 1.5)) * math.pi + rng.gauss(0, 0.15)
            if inside(room, thing, x, y, yaw) and plan.put(thing, x, y, yaw):
                break
    if rng.random() < 0.5:
        _dining_group(rng, room, plan)


def _dining_group(rng: Random, room: Room, plan: Plan) -> None:
    """A table with like chairs around it."""
    desk, seat = table(rng), chair(rng)
    x, y = rng.uniform(0.35, 0.65) * room.x1_m, rng.uniform(0.35, 0.65) * room.y1_m
    yaw = rng.choice((0.0, math.pi / 2)) + rng.gauss(0, 0.05)
    if not (inside(room, desk, x, y, yaw) and plan.put(desk, x, y, yaw)):
        return
    cos, sin = math.cos(yaw), math.sin(yaw)
    for side in (-1, 1):
        for along in (-0.5, 0.5):
            ax, ay = along * desk.half_x, side * (desk.half_y + seat.half_y + rng.uniform(0.02, 0.25))
            at_x, at_y = x + cos * ax - sin * ay, y + sin * ax + cos * ay
            turn = yaw + (0.0 if side < 0 else math.pi) + rng.gauss(0, 0.12)
            if rng.random() < 0.85 and inside(room, seat, at_x, at_y, turn):
                plan.put(seat, at_x, at_y, turn)
