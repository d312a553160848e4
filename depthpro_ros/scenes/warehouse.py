# SPDX-License-Identifier: Apache-2.0
"""Random warehouse aisles: pallet racks with loads, as a robot between them sees them."""

from __future__ import annotations

import math
from random import Random

from depthpro_ros.scenes import openings
from depthpro_ros.scenes.cameras import Pose, draw_photo, placed_camera
from depthpro_ros.scenes.holes import BARS, MESH, WHOLE, Holes
from depthpro_ros.scenes.layout import Camera, Layout, Lighting, Room, Solid
from depthpro_ros.scenes.materials import any_colour, cardboard, concrete, grid, hsv, metal, plain, shade, wood
from depthpro_ros.scenes.parts import Thing, block, post, stood
from depthpro_ros.scenes.placing import Plan, wall_pose
from depthpro_ros.scenes.textures import Material

_BAY_M, _DEEP_M = 2.7, 1.1
_PALLET_M = (1.2, 0.8, 0.144)  # EUR pallet, EN 13698-1


def pallet(rng: Random, material: Material | None = None) -> list[Solid]:
    """A EUR pallet: deck boards with gaps, stringers, skids."""
    timber = material or wood(rng)
    half_x, half_y = 0.5 * _PALLET_M[0], 0.5 * _PALLET_M[1]
    # top and bottom faces look along z, whose pattern runs along x: boards across with gaps of 4 cm
    deck = Holes(BARS, 0.14, 0.1, 2, rng.uniform(0, 0.1))
    solids = [block((-half_x, half_x), (-half_y, half_y), (0.122, 0.144), timber, deck)]
    for y in (-half_y, -0.07, half_y - 0.14):
        solids.append(block((-half_x, half_x), (y, y + 0.14), (0.0, 0.022), timber))
        for x in (-half_x, -0.07, half_x - 0.14):
            solids.append(block((x, x + 0.14), (y, y + 0.14), (0.022, 0.122), timber))
    return solids


def load(rng: Random, z: float, height: float, *, simple: bool) -> list[Solid]:
    """A pallet with cartons, a wrapped block, or drums; at most `height` metres high."""
    timber = wood(rng)
    base = [
        block((-0.6, 0.6), (-0.4, 0.4), (z, z + 0.02), timber),
        block((-0.6, 0.6), (-0.4, 0.4), (z + 0.12, z + 0.144), timber),
    ]
    base += [block((x - 0.07, x + 0.07), (-0.4, 0.4), (z + 0.02, z + 0.12), timber) for x in (-0.53, 0.0, 0.53)]
    if simple:
        base = [
            block((-0.6, 0.6), (-0.4, 0.4), (z + 0.1, z + 0.144), timber),
            block((-0.1, 0.1), (-0.4, 0.4), (z, z + 0.1), timber),
        ]
    z += 0.144
    tall = rng.uniform(0.4, 1.0) * (height - 0.144)
    draw = rng.random()
    if draw < 0.2:
        wrap = grid(hsv(0.6, rng.uniform(0, 0.15), rng.uniform(0.5, 0.9)), noise=(0.3, 0.1))
        return [*base, block((-0.58, 0.58), (-0.38, 0.38), (z, z + tall), wrap)]
    if draw < 0.3 and tall > 0.5:
        drum = plain(any_colour(rng))
        return [*base, *(post(x, 0, (z, z + min(0.88, tall)), 0.29, drum) for x in (-0.3, 0.3))]
    if simple or draw < 0.6:
        box, side = cardboard(rng), rng.uniform(0.3, 0.6)
        board = (box.red_a, box.green_a, box.blue_a)
        layers = rng.uniform(0.25, 0.4)
        stack = grid(board, shade(board, 0.85), shade(board, 0.3), cell=(side, layers), joint_m=0.008, noise=(0.1, 0.2))
        return [*base, block((-0.57, 0.57), (-0.38, 0.38), (z, z + tall), stack)]
    cartons = []
    for x in (-0.58, 0.0):
        for y in (-0.38, 0.0):
            high = rng.uniform(0.3, 1.0) * tall
            shift = rng.uniform(0.005, 0.04)
            cartons.append(block((x + shift, x + 0.56), (y + shift, y + 0.37), (z, z + high), cardboard(rng)))
    return [*base, *cartons]


def rack(rng: Random, bays: int, levels: int, detailed: int) -> tuple[list[Solid], float]:
    """A row of rack along x from 0, its face at y = 0 and its depth towards -y, and its height."""
    frame, beam = (
        plain(hsv(rng.choice((0.6, 0.6, 0.35)), rng.uniform(0.3, 0.9), rng.uniform(0.2, 0.6))),
        plain(hsv(0.06, 0.9, 0.85)),
    )
    step = rng.uniform(1.3, 1.9)
    top = step * levels + 0.3
    solids: list[Solid] = []
    for bay in range(bays + 1):
        x = bay * _BAY_M
        for y in (-0.1, -_DEEP_M):
            solids.append(block((x - 0.05, x + 0.05), (y, y + 0.1), (0, top), frame))
        if bay <= detailed:
            solids.append(
                block((x - 0.02, x + 0.02), (-_DEEP_M + 0.1, -0.1), (0.2, top), frame, Holes(BARS, 0.6, 0.04, 1))
            )
            braces = [(0.35 * top, 0.9), (0.65 * top, -0.9)]
            for z, lean in braces:
                solids.append(Solid(0, (x, -0.5 * _DEEP_M, z), (0.02, 0.02, 0.65), math.pi / 2, frame, lean))
    mesh = rng.random() < 0.4
    for level in range(1, levels + 1):
        z = level * step
        if level < levels or rng.random() < 0.6:
            for y in (-0.05, -_DEEP_M):
                solids.append(block((0, bays * _BAY_M), (y, y + 0.05), (z - 0.12, z), beam))
            if mesh:
                wires = Holes(MESH, 0.1, 0.012, 2)
                solids.append(block((0, bays * _BAY_M), (-_DEEP_M, 0), (z - 0.006, z), metal(rng), wires))
    for bay in range(bays):
        for level in range(levels):
            for slot in range(2):
                if rng.random() < 0.75 and len(solids) < 95:
                    x = (bay + 0.27 + 0.46 * slot) * _BAY_M
                    goods = load(rng, level * step, step - 0.3, simple=bay >= detailed or level > 1)
                    solids += stood(goods, x, -0.5 * _DEEP_M + rng.uniform(-0.05, 0.1))
    return solids, top


def warehouse_scene(rng: Random) -> Layout:
    """Draw an aisle along x between two rows of rack in a hall."""
    aisle, levels, bays = rng.uniform(2.4, 3.6), rng.choice((2, 3, 3, 4)), rng.choice((3, 4, 5))
    length = bays * _BAY_M + rng.uniform(4.0, 12.0)
    room = Room(0.0, 0.0, length, aisle + 2 * _DEEP_M + rng.uniform(0.3, 6.0), rng.uniform(4.5, 9.0))
    plan, start = Plan(), rng.uniform(1.0, 2.5)
    low = 0.5 * (room.y1_m - aisle)
    for side, both in ((0, True), (1, rng.random() < 0.8)):
        if both:
            solids, _ = rack(rng, bays, min(levels, int((room.height_m - 0.6) / 1.9)), detailed=2)
            end = start + bays * _BAY_M
            # mirrored row: turned about, so that its face looks into the aisle too
            plan.add(stood(solids, start, low) if side == 0 else stood(solids, end, low + aisle, math.pi))
    _floor_things(rng, room, plan, low, aisle)
    for i in range(3):
        x = room.x1_m * (i + 0.5) / 3
        plan.add(stood([openings.lamp_panel(rng, 0.7, 0.2, room.height_m - 0.6)], x, 0.5 * room.y1_m))
    if rng.random() < 0.7:
        plan.add(_gate(rng, room))
    strength, ambient = rng.uniform(0.5, 1.0), rng.uniform(0.3, 0.55)
    layout = Layout(
        Camera(1.0, 0.5 * room.y1_m),
        room,
        tuple(plan.solids),
        floor=concrete(rng),
        wall=grid(
            hsv(0.6, rng.uniform(0, 0.15), rng.uniform(0.5, 0.9)),
            None,
            hsv(0.6, 0.05, 0.4),
            cell=(1.0, 50.0),
            joint_m=0.03,
        ),
        ceiling=grid(hsv(0.6, 0.05, 0.6), None, hsv(0.6, 0.05, 0.3), cell=(50.0, 1.0), joint_m=0.15),
        lighting=Lighting(
            main=(room.x1_m * rng.choice((0.5, 1.5, 2.5)) / 3, 0.5 * room.y1_m, room.height_m - 0.75),
            main_colour=(strength, strength * 0.97, strength * 0.92),
            fill=(rng.uniform(1, room.x1_m - 1), 0.5 * room.y1_m, room.height_m - 0.8),
            fill_colour=(0.6 * strength, 0.6 * strength, 0.6 * strength),
            ambient=(ambient, ambient, ambient * 0.97),
            reach_m=rng.uniform(5.0, 9.0),
        ),
        photo=draw_photo(rng),
        kind="warehouse",
    )

    def pose(draw: Random) -> Pose:
        x = draw.uniform(0.6, room.x1_m - 1.0)
        ahead = 0.0 if x < 0.5 * room.x1_m else math.pi
        return x, low + aisle * draw.uniform(0.25, 0.75), ahead + draw.gauss(0, 0.4)

    return placed_camera(rng, layout, pose)


def _floor_things(rng: Random, room: Room, plan: Plan, low: float, aisle: float) -> None:
    """Lines on the floor, and pallets or cartons left in the aisle."""
    line = plain(hsv(0.14, 0.8, 0.85))
    for y in (low + 0.12, low + aisle - 0.22):
        plan.add([block((0, room.x1_m), (y, y + 0.1), (0, 0.003), line)])
    for _ in range(rng.randrange(4)):
        goods = pallet(rng) if rng.random() < 0.4 else load(rng, 0.0, rng.uniform(0.5, 1.4), simple=False)
        x, y = rng.uniform(2.0, room.x1_m - 1.0), low + rng.choice((0.55, aisle - 0.55))
        plan.put(Thing(tuple(goods), 0.6, 0.4), x, y, rng.gauss(0, 0.1))
    for _ in range(rng.randrange(3)):
        half, high = rng.uniform(0.12, 0.3), rng.uniform(0.15, 0.5)
        box = Thing((block((-half, half), (-0.7 * half, 0.7 * half), (0, high), cardboard(rng)),), half, half)
        plan.put(box, rng.uniform(1.0, room.x1_m - 1.0), low + rng.uniform(0.3, aisle - 0.3), rng.uniform(0, math.pi))


def _gate(rng: Random, room: Room) -> list[Solid]:
    """A door for people and a roller gate at the far end."""
    slats = grid(
        hsv(0.6, rng.uniform(0, 0.4), rng.uniform(0.5, 0.85)), None, hsv(0, 0, 0.25), cell=(50.0, 0.1), joint_m=0.01
    )
    width, high = rng.uniform(2.5, 3.5), rng.uniform(3.0, 4.0)
    side = rng.choice((1, 3))
    gate = block((-0.5 * width, 0.5 * width), (0, 0.06), (0, high), slats, WHOLE)
    solids = stood([gate], *wall_pose(room, side, 0.5 * room.y1_m))
    solids += stood(openings.door(rng, width=1.0), *wall_pose(room, side, 0.5 * room.y1_m + 0.5 * width + 0.7))
    return solids
