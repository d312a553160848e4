# SPDX-License-Identifier: Apache-2.0
"""Random corridors: doors on both sides, lamps in a row, what stands about."""

from __future__ import annotations

import math
from random import Random

from depthpro_ros.scenes import openings
from depthpro_ros.scenes.cameras import Pose, draw_photo, placed_camera
from depthpro_ros.scenes.furniture import bin_or_box, chair, cupboard, plant
from depthpro_ros.scenes.layout import Camera, Layout, Lighting, Room
from depthpro_ros.scenes.materials import any_colour, carpet, concrete, hsv, plain, planks, tiles, wall_finish
from depthpro_ros.scenes.parts import Footprint, block, stood
from depthpro_ros.scenes.placing import Plan, inside, wall_pose
from depthpro_ros.scenes.rooms import skirting


def corridor_scene(rng: Random) -> Layout:
    """Draw a corridor along x, 8 to 30 m long and 1.5 to 3 m wide."""
    room = Room(0.0, 0.0, rng.uniform(8, 30), rng.uniform(1.5, 3.0), rng.uniform(2.3, 3.2))
    plan = Plan()
    _openings(rng, room, plan)
    if rng.random() < 0.7:
        skirting(room, plan, plain(hsv(0.1, 0.05, rng.uniform(0.2, 0.8))))
    if rng.random() < 0.4:
        _wall_guards(rng, room, plan)
    if rng.random() < 0.35:
        _pipes(rng, room, plan)
    for _ in range(rng.randrange(2, 7)):
        thing = rng.choice((plant, bin_or_box, chair, cupboard, bin_or_box))(rng)
        side = rng.choice((0, 2))
        x, y, yaw = wall_pose(room, side, rng.uniform(0.5, room.x1_m - 0.5), thing.half_y + 0.06)
        if thing.half_y < 0.25 * room.y1_m and inside(room, thing, x, y, yaw):
            plan.put(thing, x, y, yaw)

    spacing, half = rng.uniform(2.2, 4.0), rng.uniform(0.15, 0.6)
    lamps = [spacing * (i + 0.5) for i in range(int(room.x1_m / spacing))]
    for x in lamps[:10]:
        plan.add(stood([openings.lamp_panel(rng, half, 0.15, room.height_m)], x, 0.5 * room.y1_m))
    first, second = rng.sample(lamps, 2)
    strength, ambient, warm = rng.uniform(0.3, 0.7), rng.uniform(0.35, 0.6), rng.uniform(0, 0.2)
    colour = (strength, strength * (1 - 0.4 * warm), strength * (1 - warm))
    layout = Layout(
        Camera(1.0, 0.5 * room.y1_m),
        room,
        tuple(plan.solids),
        floor=rng.choice((tiles, planks, carpet, concrete))(rng),
        wall=wall_finish(rng),
        ceiling=tiles(rng, (0.6, 0.6)) if rng.random() < 0.3 else plain(hsv(0.1, 0.03, rng.uniform(0.8, 0.97))),
        lighting=Lighting(
            main=(first, 0.5 * room.y1_m, room.height_m - 0.12),
            main_colour=colour,
            fill=(second, 0.5 * room.y1_m, room.height_m - 0.12),
            fill_colour=colour,
            ambient=(ambient, ambient * (1 - 0.2 * warm), ambient * (1 - 0.4 * warm)),
            reach_m=rng.uniform(2.5, 5.0),
        ),
        photo=draw_photo(rng),
        kind="corridor",
    )
    return placed_camera(rng, layout, lambda r: _pose(r, room))


def _pose(rng: Random, room: Room) -> Pose:
    x, y = rng.uniform(0.6, room.x1_m - 0.6), rng.uniform(0.35, 0.65) * room.y1_m
    ahead = 0.0 if x < 0.5 * room.x1_m else math.pi
    return x, y, ahead + rng.gauss(0, 0.22)


def _openings(rng: Random, room: Room, plan: Plan) -> None:
    """Like doors along both walls, one at the ends, notices and extinguishers between them."""
    width, gap = rng.uniform(0.8, 1.0), rng.uniform(2.4, 5.0)
    for side in (0, 2):
        along = rng.uniform(0.8, gap)
        while along < room.x1_m - 0.8 and len(plan.solids) < 110:
            state = Random(rng.randrange(4))  # few designs, as in one building
            plan.add(stood(openings.door(state, width=width), *wall_pose(room, side, along)))
            x, y, yaw = wall_pose(room, side, along, 0.3)
            plan.keep_free(Footprint(x, y, 0.55, 0.3, yaw))
            if gap > 3.0 and rng.random() < 0.5:
                hung = openings.extinguisher(rng) if rng.random() < 0.4 else openings.picture(rng)
                plan.add(stood(hung, *wall_pose(room, side, along + 0.5 * gap)) if along + gap < room.x1_m else [])
            along += gap
    for side in (1, 3):
        middle = 0.5 * room.y1_m
        if rng.random() < 0.5:
            plan.add(stood(openings.door(rng, width=min(1.0, room.y1_m - 0.4)), *wall_pose(room, side, middle)))
        elif rng.random() < 0.6:
            plan.add(stood(openings.window(rng, room.y1_m - 0.6, 0.9, 2.1), *wall_pose(room, side, middle)))


def _wall_guards(rng: Random, room: Room, plan: Plan) -> None:
    """A handrail or bumper board along one or both walls."""
    half, z, finish = 0.5 * room.x1_m, rng.uniform(0.75, 0.95), plain(any_colour(rng))
    for side in (0, 2) if rng.random() < 0.5 else (0,):
        rail = [block((-half, half), (0.04, 0.08), (z, z + rng.uniform(0.04, 0.15)), finish)]
        plan.add(stood(rail, *wall_pose(room, side, half)))


def _pipes(rng: Random, room: Room, plan: Plan) -> None:
    """Cable tray and pipes under the ceiling."""
    metal = plain(hsv(0.6, 0.03, rng.uniform(0.4, 0.8)))
    y = rng.uniform(0.1, 0.3) * room.y1_m
    for i in range(rng.randrange(1, 4)):
        thick = rng.uniform(0.02, 0.06)
        z = room.height_m - 0.12 - thick
        plan.add([block((0, room.x1_m), (y + 0.14 * i, y + 0.14 * i + 2 * thick), (z - thick, z + thick), metal)])
