# SPDX-License-Identifier: Apache-2.0
"""Furniture at real sizes, its back towards -y."""

from __future__ import annotations

from random import Random

from depthpro_ros.scenes.holes import BARS, Holes
from depthpro_ros.scenes.layout import Solid
from depthpro_ros.scenes.materials import any_colour, cloth, foliage, hsv, metal, paint, plain, shade, wood
from depthpro_ros.scenes.parts import Thing, ball, block, legs, post
from depthpro_ros.scenes.textures import Material
from depthpro_ros.scenes.vegetation import leaves


def _finish(rng: Random) -> Material:
    return wood(rng) if rng.random() < 0.65 else paint(rng)


def table(rng: Random) -> Thing:
    """Dining table or desk (0.72 to 0.76 m high) or a coffee table."""
    low = rng.random() < 0.25
    top = rng.uniform(0.38, 0.48) if low else rng.uniform(0.72, 0.76)
    half_x, half_y = rng.uniform(0.45, 0.95), rng.uniform(0.3, 0.45)
    finish, thick = _finish(rng), rng.uniform(0.02, 0.04)
    support = finish if rng.random() < 0.6 else metal(rng)
    solids = [block((-half_x, half_x), (-half_y, half_y), (top - thick, top), finish)]
    if rng.random() < 0.15:
        solids += [post(0, 0, (0.03, top - thick), 0.05, support), post(0, 0, (0, 0.03), 0.6 * half_y, support)]
    else:
        solids += legs(half_x, half_y, top - thick, rng.uniform(0.018, 0.035), support, turned=rng.random() < 0.3)
        apron = (top - thick - 0.08, top - thick)
        solids.append(block((-half_x + 0.05, half_x - 0.05), (half_y - 0.07, half_y - 0.05), apron, support))
    for _ in range(rng.randrange(4)):
        solids.append(_clutter(rng, rng.uniform(-0.8, 0.8) * half_x, rng.uniform(-0.6, 0.6) * half_y, top))
    return Thing(tuple(solids), half_x, half_y, top + 0.3)


def _clutter(rng: Random, x: float, y: float, z: float) -> Solid:
    """A book, box, mug or vase on a surface."""
    material = plain(any_colour(rng))
    if rng.random() < 0.4:
        return post(x, y, (z, z + rng.uniform(0.08, 0.25)), rng.uniform(0.03, 0.06), material)
    w, d, h = rng.uniform(0.05, 0.14), rng.uniform(0.05, 0.11), rng.uniform(0.02, 0.22)
    return block((x - w, x + w), (y - d, y + d), (z, z + h), material)


def chair(rng: Random) -> Thing:
    """Seat 0.44 to 0.48 m high with a back of slats or a board."""
    half, seat, back = rng.uniform(0.2, 0.24), rng.uniform(0.44, 0.48), rng.uniform(0.8, 1.0)
    finish = _finish(rng)
    cushion = cloth(rng) if rng.random() < 0.4 else finish
    thick = rng.uniform(0.014, 0.022)
    solids = [block((-half, half), (-half, half), (seat - 0.035, seat), cushion)]
    solids += legs(half, half, seat - 0.035, thick, finish, turned=rng.random() < 0.4)
    for side in (-1, 1):
        at = side * (half - thick)
        solids.append(block((at - thick, at + thick), (-half, -half + 2 * thick), (seat, back), finish))
    inner = half - 2 * thick
    if rng.random() < 0.5:
        slats = Holes(BARS, 2 * inner / 5, rng.uniform(0.02, 0.035), 1, rng.uniform(0, 0.05))
        solids.append(block((-inner, inner), (-half + 0.01, -half + 0.022), (seat + 0.05, back - 0.06), finish, slats))
        solids.append(block((-inner, inner), (-half, -half + 0.03), (back - 0.07, back), finish))
    else:
        solids.append(block((-inner, inner), (-half, -half + 0.025), (seat + rng.uniform(0.12, 0.25), back), cushion))
    return Thing(tuple(solids), half, half, back)


def shelf(rng: Random) -> Thing:
    """Open shelf with boards 0.3 to 0.4 m apart and books or boxes on some."""
    half_x, depth, height = rng.uniform(0.35, 0.6), rng.uniform(0.25, 0.38), rng.uniform(0.9, 2.1)
    finish, t = _finish(rng), 0.018
    y = (-0.5 * depth, 0.5 * depth)
    solids = [
        block((-half_x, -half_x + t), y, (0, height), finish),
        block((half_x - t, half_x), y, (0, height), finish),
    ]
    if rng.random() < 0.6:
        solids.append(block((-half_x, half_x), (y[0], y[0] + 0.008), (0, height), finish))
    boards = max(2, round(height / rng.uniform(0.3, 0.4)))
    for board in range(boards + 1):
        z = 0.05 + (height - 0.05 - t) * board / boards
        solids.append(block((-half_x + t, half_x - t), y, (z, z + t), finish))
        if board < boards and rng.random() < 0.8:
            at = -half_x + t
            room = (height - 0.05 - t) / boards - 0.05
            for _ in range(rng.randrange(1, 4)):
                wide = rng.uniform(0.08, 0.35)
                if at + wide > half_x - t:
                    break
                cover = any_colour(rng)
                spines = Material(*cover, *shade(cover, 0.4), *shade(cover, 0.2), 0.035, 9.0, 0.0, 0.003)
                tall = room * rng.uniform(0.5, 1.0)
                solids.append(block((at, at + wide), (y[0] + 0.02, y[1] - 0.04), (z + t, z + t + tall), spines))
                at += wide + rng.uniform(0.0, 0.15)
    return Thing(tuple(solids), half_x, 0.5 * depth, height)


def cupboard(rng: Random) -> Thing:
    """Cupboard or chest of drawers with fronts, knobs and a plinth."""
    half_x, depth = rng.uniform(0.3, 0.9), rng.uniform(0.4, 0.6)
    height = rng.uniform(1.8, 2.2) if rng.random() < 0.4 else rng.uniform(0.6, 1.1)
    finish, t = _finish(rng), 0.02
    y0, y1 = -0.5 * depth, 0.5 * depth
    solids = [
        block((-half_x, half_x), (y0, y1 - t), (0.06, height), finish),
        block((-half_x + 0.03, half_x - 0.03), (y0, y1 - 0.06), (0, 0.06), plain(hsv(0, 0, 0.15))),
    ]
    knob = metal(rng)
    columns = max(1, round(half_x / 0.25))
    drawers = 1 if height > 1.5 else rng.choice((1, 3))
    wide, tall = 2 * half_x / columns, (height - 0.06) / drawers
    for i in range(columns):
        for j in range(drawers):
            x, z = -half_x + i * wide, 0.06 + j * tall
            solids.append(block((x + 0.004, x + wide - 0.004), (y1 - t, y1), (z + 0.004, z + tall - 0.004), finish))
            at = x + (wide - 0.06 if i % 2 == 0 else 0.06) if drawers == 1 else x + 0.5 * wide
            z_knob = z + 0.5 * tall
            solids.append(block((at - 0.012, at + 0.012), (y1, y1 + 0.025), (z_knob - 0.04, z_knob + 0.04), knob))
    return Thing(tuple(solids), half_x, 0.5 * depth + 0.03, height)


def sofa(rng: Random) -> Thing:
    """Two or three cushions between arms."""
    seats = rng.choice((1, 2, 3))
    half_x, depth = 0.33 * seats + 0.15, rng.uniform(0.8, 0.95)
    cover = cloth(rng)
    y0, y1, seat, back = -0.5 * depth, 0.5 * depth, 0.42, rng.uniform(0.75, 0.95)
    solids = [
        block((-half_x, half_x), (y0, y1 - 0.03), (0.08, 0.28), cover),
        block((-half_x, half_x), (y0, y0 + 0.2), (0.28, back), cover),
    ]
    for side in (-1, 1):
        x = sorted((side * half_x, side * (half_x - 0.15)))
        solids.append(block((x[0], x[1]), (y0, y1), (0.08, 0.6), cover))
    for i in range(seats):
        x0 = -half_x + 0.15 + i * 0.66
        solids.append(block((x0 + 0.006, x0 + 0.654), (y0 + 0.2, y1), (0.28, seat), cover))
        if rng.random() < 0.3:
            solids.append(ball(x0 + 0.33, y0 + 0.3, seat + 0.18, (0.2, 0.09, 0.19), cloth(rng)))
    solids += legs(half_x - 0.03, 0.5 * depth - 0.05, 0.08, 0.025, plain(hsv(0.07, 0.4, 0.2)), turned=True)
    return Thing(tuple(solids), half_x, 0.5 * depth, back)


def bed(rng: Random) -> Thing:
    """Mattress, blanket and pillows, 2 m long, head towards -y."""
    half_x, finish, sheet = rng.choice((0.45, 0.7, 0.8)), _finish(rng), plain(hsv(0.1, 0.03, 0.93))
    solids = [
        block((-half_x, half_x), (-1.02, 1.02), (0.12, 0.3), finish),
        block((-half_x, half_x), (-1.06, -1.02), (0.0, rng.uniform(0.7, 1.1)), finish),
        block((-half_x + 0.02, half_x - 0.02), (-1.0, 1.0), (0.3, 0.5), sheet),
        block((-half_x - 0.01, half_x + 0.01), (-0.45, 1.03), (0.33, 0.54), cloth(rng)),
    ]
    for i in range(1 if half_x < 0.6 else 2):
        x = 0.0 if half_x < 0.6 else (i - 0.5) * half_x
        solids.append(ball(x, -0.75, 0.54, (0.3, 0.2, 0.09), sheet))
    solids += legs(half_x, 1.0, 0.12, 0.03, finish, turned=False)
    return Thing(tuple(solids), half_x + 0.02, 1.06, 0.8)


def floor_lamp(rng: Random) -> Thing:
    """A pole with a bright shade, 1.4 to 1.8 m high."""
    height, pole = rng.uniform(1.4, 1.8), metal(rng)
    glow = plain(hsv(0.11, 0.2, 0.97), glow=rng.uniform(0.4, 1.6))
    solids = (
        post(0, 0, (0, 0.025), 0.14, pole),
        post(0, 0, (0.025, height - 0.25), 0.011, pole),
        post(0, 0, (height - 0.28, height), rng.uniform(0.13, 0.22), glow),
    )
    return Thing(solids, 0.22, 0.22, height)


def plant(rng: Random) -> Thing:
    """A potted plant with real gaps between its leaves."""
    pot, height = rng.uniform(0.1, 0.2), rng.uniform(0.6, 1.6)
    crown = rng.uniform(0.2, 0.4)
    solids = [
        post(0, 0, (0, 1.8 * pot), pot, plain(any_colour(rng))),
        post(0, 0, (1.8 * pot, height), 0.015, plain(hsv(0.08, 0.5, 0.3))),
    ]
    solids += leaves(
        rng,
        0,
        0,
        max(height, 1.8 * pot + 0.6 * crown),
        (crown, crown, 0.8 * crown),
        foliage(rng),
        rng.uniform(0.05, 0.1),
    )
    return Thing(tuple(solids), max(pot, crown), max(pot, crown), height + crown)


def bin_or_box(rng: Random) -> Thing:
    """Waste bin, parcel or stool."""
    half, height = rng.uniform(0.12, 0.25), rng.uniform(0.2, 0.55)
    if rng.random() < 0.4:
        return Thing((post(0, 0, (0, height), half, metal(rng)),), half, half, height)
    return Thing(
        (block((-half, half), (-0.8 * half, 0.8 * half), (0, height), _finish(rng)),), half, 0.8 * half, height
    )


AGAINST_WALL = (shelf, shelf, cupboard, cupboard, sofa, bed, table)
ANYWHERE = (table, table, chair, chair, chair, floor_lamp, plant, bin_or_box, sofa)
