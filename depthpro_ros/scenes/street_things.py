# SPDX-License-Identifier: Apache-2.0
"""What stands along streets and yards: cars, lamp posts, signs, benches, fences, bollards."""

from __future__ import annotations

import math
from random import Random

from depthpro_ros.scenes.holes import BARS, MESH, Holes
from depthpro_ros.scenes.layout import Solid
from depthpro_ros.scenes.materials import any_colour, glass_pane, hsv, metal, plain, wood
from depthpro_ros.scenes.parts import Thing, block, post
from depthpro_ros.scenes.raycast import BOX, CYLINDER


def car(rng: Random) -> Thing:
    """A car along x, front towards +x: 3.6 to 4.8 m long, 1.4 to 1.8 m high; or a van."""
    van = rng.random() < 0.2
    half, wide = rng.uniform(1.8, 2.4), rng.uniform(0.82, 0.92)
    belt, roof = rng.uniform(0.82, 0.95), rng.uniform(1.9, 2.2) if van else rng.uniform(1.38, 1.65)
    body = plain(hsv(0.6, 0.05, rng.uniform(0.08, 0.9)) if rng.random() < 0.6 else any_colour(rng))._replace(
        noise_cell_m=2.0
    )
    dark, glass = plain(hsv(0, 0, 0.12)), glass_pane(rng)
    front, back = (
        half * rng.uniform(0.15, 0.3),
        -half * (0.98 if van or rng.random() < 0.5 else rng.uniform(0.55, 0.75)),
    )
    rake = rng.uniform(0.25, 0.6)
    solids = [
        block((-half, half), (-wide, wide), (0.32, belt - 0.12), body),
        block((-half + 0.06, half - 0.1), (-wide + 0.05, wide - 0.05), (0.2, belt), body),
        block((back, front), (-wide + 0.1, wide - 0.1), (belt, roof - 0.06), body if van else glass),
        block((back - 0.02, front + 0.02), (-wide + 0.08, wide - 0.08), (roof - 0.07, roof), body),
        block((-half - 0.05, -half + 0.1), (-wide + 0.04, wide - 0.04), (0.28, 0.5), dark),
        block((half - 0.1, half + 0.05), (-wide + 0.04, wide - 0.04), (0.25, 0.48), dark),
    ]
    rise = roof - belt
    for x, lean, height in ((front, -rake, rise), (back, 0.5 * rake, rise)):
        reach = 0.5 * height / math.cos(lean)
        at = x - math.tan(lean) * 0.5 * height - (0.02 if lean < 0 else -0.02)
        solids.append(Solid(BOX, (at, 0, belt + 0.5 * height), (0.025, wide - 0.12, reach), 0.0, glass, lean))
        for y in (-wide + 0.1, wide - 0.1):
            solids.append(Solid(BOX, (at, y, belt + 0.5 * height), (0.035, 0.035, reach), 0.0, body, lean))
    for y in (-wide + 0.1, wide - 0.1):
        solids.append(
            block(
                (0.45 * (front + back) - 0.05, 0.45 * (front + back) + 0.05),
                (y - 0.01, y + 0.01),
                (belt, roof - 0.05),
                body,
            )
        )
        side = math.copysign(1, y)
        mirror = sorted((side * wide, side * (wide + 0.18)))
        solids.append(block((front - 0.05, front + 0.1), (mirror[0], mirror[1]), (belt, belt + 0.14), body))
        low, high = sorted((side * (wide - 0.32), side * (wide - 0.03)))
        solids.append(block((half - 0.05, half + 0.012), (low, high), (0.58, 0.72), plain(hsv(0.15, 0.05, 0.95))))
        solids.append(block((-half - 0.012, -half), (low, high), (0.58, 0.74), plain(hsv(0.0, 0.9, 0.6))))
    for x in (-0.62 * half, 0.62 * half):
        for y in (-wide + 0.09, wide - 0.09):
            solids.append(Solid(CYLINDER, (x, y, 0.31), (0.31, 0.31, 0.11), math.pi / 2, dark, math.pi / 2))
            solids.append(
                Solid(CYLINDER, (x, y, 0.31), (0.19, 0.19, 0.115), math.pi / 2, plain(hsv(0, 0, 0.65)), math.pi / 2)
            )
    for x in (-half - 0.055, half + 0.045):
        solids.append(block((x, x + 0.01), (-0.26, 0.26), (0.42, 0.53), plain(hsv(0.1, 0.1, 0.9))))
    return Thing(tuple(solids), half + 0.1, wide + 0.15, roof)


def lamp_post(rng: Random) -> Thing:
    """A street lamp of 4 to 8 m with an arm, or a plain pole."""
    height, skin = rng.uniform(4.0, 8.0), metal(rng)
    solids = [post(0, 0, (0, height), rng.uniform(0.05, 0.09), skin), post(0, 0, (0, 0.5), 0.12, skin)]
    if rng.random() < 0.8:
        arm = rng.uniform(0.6, 1.8)
        solids.append(block((-0.03, 0.03), (0, arm), (height - 0.08, height), skin))
        solids.append(block((-0.12, 0.12), (arm - 0.4, arm + 0.2), (height - 0.12, height + 0.02), skin))
    return Thing(tuple(solids), 0.15, 0.15, height)


def sign(rng: Random) -> Thing:
    """A traffic sign, 2 to 2.6 m high, facing -y."""
    z, r = rng.uniform(2.0, 2.4), rng.uniform(0.25, 0.38)
    face, rim = plain(hsv(rng.choice((0.0, 0.6, 0.14, 0.0)), 0.85, 0.8)), plain(hsv(0, 0, 0.95))
    solids = [post(0, 0, (0, z + r), 0.03, metal(rng))]
    if rng.random() < 0.5:
        # a disc: a cylinder tilted until its axis is level, then turned to look along y
        for half, y, skin in ((r, -0.045, face), (0.75 * r, -0.055, rim)):
            solids.append(Solid(CYLINDER, (0, y, z), (half, half, 0.008), math.pi / 2, skin, math.pi / 2))
    else:
        solids.append(block((-r, r), (-0.05, -0.035), (z - r, z + r), face))
        solids.append(block((-0.7 * r, 0.7 * r), (-0.058, -0.05), (z - 0.15 * r, z + 0.15 * r), rim))
    return Thing(tuple(solids), 0.35, 0.1, z + r)


def bench(rng: Random) -> Thing:
    """A park bench of slats."""
    timber, iron = wood(rng), metal(rng)
    seat = Holes(BARS, 0.12, 0.09, 2)
    solids = [
        block((-0.8, 0.8), (-0.2, 0.25), (0.42, 0.46), timber),
        block((-0.8, 0.8), (-0.26, -0.22), (0.55, 0.66), timber),
        block((-0.8, 0.8), (-0.26, -0.22), (0.7, 0.82), timber),
        block((-0.8, 0.8), (0.27, 0.33), (0.41, 0.45), timber, seat),
    ]
    for x in (-0.6, 0.6):
        solids.append(block((x - 0.03, x + 0.03), (-0.26, 0.25), (0.36, 0.42), iron))
        solids += [block((x - 0.03, x + 0.03), (y, y + 0.05), (0, z), iron) for y, z in ((-0.27, 0.85), (0.2, 0.42))]
    return Thing(tuple(solids), 0.8, 0.35, 0.85)


def fence(rng: Random, length: float) -> Thing:
    """A fence along x: pickets, iron bars, wire mesh or rails, with posts."""
    half, height = 0.5 * length, rng.uniform(0.8, 1.9)
    draw = rng.random()
    skin = wood(rng) if draw < 0.4 else metal(rng)
    if draw < 0.4:
        holes = Holes(BARS, rng.uniform(0.11, 0.2), rng.uniform(0.07, 0.1), 1)
    elif draw < 0.65:
        holes = Holes(BARS, rng.uniform(0.1, 0.14), rng.uniform(0.016, 0.03), 1)
    else:
        side = rng.uniform(0.05, 0.2)
        holes = Holes(MESH, side, max(0.006, 0.06 * side), 1)
    thick = 0.01 if draw < 0.4 else 0.006
    solids: list[Solid] = [block((-half, half), (-thick, thick), (0.04, height), skin, holes)]
    for z in (0.2, height - 0.15):
        solids.append(block((-half, half), (thick, thick + 0.03), (z, z + 0.05), skin))
    posts = max(1, min(8, round(length / 2.2)))
    for i in range(posts + 1):
        solids.append(post(-half + length * i / posts, 0.04, (0, height + 0.08), 0.035, skin))
    return Thing(tuple(solids), half, 0.1, height)


def bollard(rng: Random) -> Thing:
    """A bollard, a litter bin or a traffic cone of rings."""
    draw = rng.random()
    if draw < 0.4:
        height, radius = rng.uniform(0.7, 1.1), rng.uniform(0.05, 0.1)
        ring = plain(hsv(0.0, 0.8, 0.8) if rng.random() < 0.5 else hsv(0, 0, 0.95))
        skin = metal(rng)
        return Thing(
            (post(0, 0, (0, height), radius, skin), post(0, 0, (height - 0.2, height - 0.1), radius + 0.004, ring)),
            radius,
            radius,
            height,
        )
    if draw < 0.7:
        skin = plain(any_colour(rng))
        return Thing(
            (
                post(0, 0, (0.1, 0.9), 0.22, skin),
                post(0, 0, (0, 0.1), 0.1, metal(rng)),
                post(0, 0, (0.9, 0.94), 0.24, metal(rng)),
            ),
            0.24,
            0.24,
            0.94,
        )
    orange, white = plain(hsv(0.05, 0.9, 0.9)), plain(hsv(0, 0, 0.95))
    rings = [block((-0.2, 0.2), (-0.2, 0.2), (0, 0.03), plain(hsv(0, 0, 0.15)))]
    for i in range(7):
        rings.append(post(0, 0, (0.03 + 0.08 * i, 0.11 + 0.08 * i), 0.15 - 0.018 * i, white if i in (2, 4) else orange))
    return Thing(tuple(rings), 0.2, 0.2, 0.6)
