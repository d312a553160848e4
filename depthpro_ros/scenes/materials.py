# SPDX-License-Identifier: Apache-2.0
"""Random materials: everyday surfaces at their real sizes, in their usual colours."""

from __future__ import annotations

import colorsys
from random import Random

from depthpro_ros.scenes.layout import Colour
from depthpro_ros.scenes.textures import Material


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """Linear RGB of a colour named as painters do; value is how bright it looks, 0..1."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return red**2.2, green**2.2, blue**2.2


def shade(colour: Colour, gain: float) -> Colour:
    """The colour made brighter or darker."""
    red, green, blue = colour
    return min(1.0, red * gain), min(1.0, green * gain), min(1.0, blue * gain)


def grid(
    a: Colour,
    b: Colour | None = None,
    joint: Colour | None = None,
    *,
    cell: tuple[float, float] = (1.0, 1.0),
    joint_m: float = 0.0,
    shift: float = 0.0,
    checker: float = 0.0,
    noise: tuple[float, float] = (0.0, 0.5),
    offset: float = 0.0,
) -> Material:
    """A material of cells coloured between a and b with joints between them; noise is (amplitude, cell in metres)."""
    return Material(*a, *(b or a), *(joint or a), *cell, shift, joint_m, checker, *noise, offset)


def plain(colour: Colour, *, glow: float = 0.0, noise: float = 0.05) -> Material:
    """One colour."""
    return grid(colour, noise=(noise, 0.3))._replace(glow=glow)


def any_colour(rng: Random) -> Colour:
    """Mostly muted, a vivid one now and then."""
    saturation = rng.betavariate(1.2, 3.0) if rng.random() < 0.75 else rng.uniform(0.5, 0.95)
    return hsv(rng.random(), saturation, rng.uniform(0.2, 0.95))


def wood(rng: Random) -> Material:
    """Furniture wood: boards with a fine grain."""
    a = hsv(rng.uniform(0.05, 0.11), rng.uniform(0.25, 0.65), rng.uniform(0.25, 0.85))
    return grid(a, shade(a, 0.85), cell=(4.0, 0.012), noise=(0.25, 0.12), offset=rng.uniform(0, 50))


def paint(rng: Random) -> Material:
    """Painted or laminated board."""
    colour = hsv(0, 0, rng.uniform(0.75, 0.97)) if rng.random() < 0.4 else any_colour(rng)
    return grid(colour, noise=(0.05, 0.4))


def cloth(rng: Random) -> Material:
    """Upholstery and blankets: plain, striped or checked."""
    a = any_colour(rng)
    draw = rng.random()
    if draw < 0.6:
        return grid(a, shade(a, 0.75), cell=(0.008, 0.008), checker=0.5, noise=(0.25, 0.08))
    b = shade(a, rng.choice((0.35, 0.6, 1.8)))
    stripe = rng.uniform(0.03, 0.12)
    return grid(a, b, cell=(stripe, stripe if draw < 0.75 else 1e4), checker=1.0, noise=(0.15, 0.1))


def metal(rng: Random) -> Material:
    """Grey or dark metal, now and then painted."""
    colour = hsv(0.6, rng.uniform(0, 0.1), rng.uniform(0.1, 0.75)) if rng.random() < 0.75 else any_colour(rng)
    return grid(colour, noise=(0.08, 0.1))


def wall_finish(rng: Random) -> Material:
    """Indoor wall: paint, paper, brick, panels or tiles."""
    draw = rng.random()
    a = hsv(rng.uniform(0.02, 0.65), rng.betavariate(1, 5), rng.uniform(0.6, 0.97))
    if draw < 0.62:
        return grid(a, noise=(rng.uniform(0.02, 0.12), rng.uniform(0.2, 1.5)), offset=rng.uniform(0, 50))
    if draw < 0.72:
        return grid(a, shade(a, 0.8), cell=(rng.uniform(0.06, 0.3), 1e4), checker=1.0)
    if draw < 0.82:
        return bricks(rng)
    if draw < 0.9:
        return grid(a, shade(a, 0.95), shade(a, 0.5), cell=(rng.uniform(0.4, 1.2), rng.uniform(0.8, 2.4)), joint_m=0.01)
    return tiles(rng, (0.1, 0.3))


def bricks(rng: Random) -> Material:
    """Brickwork with mortar: 21 x 6.5 cm bricks, 1 cm joints."""
    a = hsv(rng.uniform(0.0, 0.09), rng.uniform(0.15, 0.65), rng.uniform(0.4, 0.8))
    mortar = hsv(0.1, rng.uniform(0, 0.15), rng.uniform(0.5, 0.85))
    return grid(a, shade(a, 0.6), mortar, cell=(0.22, 0.075), joint_m=0.01, shift=0.5, noise=(0.25, 0.4))


def tiles(rng: Random, side_m: tuple[float, float] = (0.2, 0.6)) -> Material:
    """Square tiles; sometimes a chequerboard."""
    a = hsv(rng.uniform(0.02, 0.65), rng.betavariate(1, 4), rng.uniform(0.4, 0.95))
    side = rng.uniform(*side_m)
    checked = rng.random() < 0.2
    b = hsv(0, 0, rng.uniform(0.1, 0.35)) if checked else shade(a, 0.85)
    joint = shade(a, rng.choice((0.4, 0.6, 1.3)))
    return grid(
        a, b, joint, cell=(side, side), joint_m=rng.uniform(0.003, 0.008), checker=float(checked), noise=(0.15, 0.5)
    )


def planks(rng: Random) -> Material:
    """A wooden floor: boards of 1.2 m with dark joints."""
    a = hsv(rng.uniform(0.05, 0.11), rng.uniform(0.2, 0.6), rng.uniform(0.35, 0.85))
    cell = (1.2, rng.uniform(0.08, 0.2))
    return grid(a, shade(a, 0.65), shade(a, 0.3), cell=cell, joint_m=0.004, shift=0.37, noise=(0.2, 0.15))


def carpet(rng: Random) -> Material:
    """Carpet: fine fibres and soft wear."""
    a = any_colour(rng)
    return grid(a, shade(a, 0.7), cell=(0.01, 0.01), noise=(0.35, 0.06))


def concrete(rng: Random) -> Material:
    """Screed, slabs or bare concrete."""
    a = hsv(rng.uniform(0.05, 0.6), rng.uniform(0, 0.12), rng.uniform(0.4, 0.8))
    slab = rng.uniform(2.0, 5.0)
    return grid(a, shade(a, 0.93), shade(a, 0.5), cell=(slab, slab), joint_m=0.01, noise=(0.3, rng.uniform(0.3, 1.5)))


def room_floor(rng: Random) -> Material:
    """Floor of a home or office."""
    return rng.choice((tiles, planks, planks, carpet, concrete))(rng)


def asphalt(rng: Random) -> Material:
    """Road surface."""
    a = hsv(0.6, rng.uniform(0, 0.08), rng.uniform(0.28, 0.5))
    return grid(a, shade(a, 0.8), cell=(0.02, 0.02), noise=(0.35, rng.uniform(0.2, 0.8)), offset=rng.uniform(0, 50))


def paving(rng: Random) -> Material:
    """Pavement stones."""
    a = hsv(rng.uniform(0.0, 0.12), rng.uniform(0, 0.25), rng.uniform(0.5, 0.75))
    cell = rng.choice(((0.2, 0.1), (0.3, 0.3), (0.5, 0.5)))
    return grid(a, shade(a, 0.8), shade(a, 0.5), cell=cell, joint_m=0.008, shift=0.5, noise=(0.3, 0.6))


def grass(rng: Random) -> Material:
    """Lawn or meadow."""
    a = hsv(rng.uniform(0.17, 0.3), rng.uniform(0.35, 0.7), rng.uniform(0.35, 0.6))
    return grid(a, shade(a, 0.6), cell=(0.015, 0.04), noise=(0.6, rng.uniform(0.15, 0.8)), offset=rng.uniform(0, 50))


def soil(rng: Random) -> Material:
    """Bare earth, sand or gravel."""
    a = hsv(rng.uniform(0.05, 0.12), rng.uniform(0.15, 0.45), rng.uniform(0.4, 0.75))
    return grid(a, shade(a, 0.75), cell=(0.03, 0.03), noise=(0.5, rng.uniform(0.1, 0.6)))


def bark(rng: Random) -> Material:
    """Tree bark."""
    a = hsv(rng.uniform(0.05, 0.1), rng.uniform(0.15, 0.45), rng.uniform(0.25, 0.5))
    return grid(a, shade(a, 0.5), cell=(0.03, 0.15), shift=0.4, noise=(0.5, 0.1))


def foliage(rng: Random) -> Material:
    """Leaves, green or autumnal."""
    hue = rng.uniform(0.2, 0.36) if rng.random() < 0.85 else rng.uniform(0.03, 0.14)
    a = hsv(hue, rng.uniform(0.4, 0.8), rng.uniform(0.3, 0.6))
    return grid(a, shade(a, 0.4), cell=(0.07, 0.07), shift=0.3, noise=(0.6, 0.35), offset=rng.uniform(0, 50))


def facade(rng: Random) -> Material:
    """Outer wall of a building."""
    draw = rng.random()
    if draw < 0.35:
        return bricks(rng)
    a = hsv(rng.uniform(0.02, 0.6), rng.betavariate(1, 4), rng.uniform(0.5, 0.92))
    if draw < 0.75:
        return grid(a, noise=(0.2, rng.uniform(0.5, 2.0)))
    cell = (rng.uniform(1.0, 2.5), rng.uniform(0.3, 1.5))
    return grid(a, shade(a, 0.9), shade(a, 0.55), cell=cell, joint_m=0.02, noise=(0.1, 1.0))


def glass_pane(rng: Random) -> Material:
    """A dark pane that mirrors the sky."""
    colour = hsv(0.6, rng.uniform(0.1, 0.4), rng.uniform(0.1, 0.3))
    return grid(colour, noise=(0.3, 0.8))._replace(glass=1.0, mirror=rng.uniform(0.3, 0.7))


def mirror_pane() -> Material:
    """A mirror."""
    return grid(hsv(0.5, 0.05, 0.6))._replace(glass=1.0, mirror=0.92)


def cardboard(rng: Random) -> Material:
    """Brown board with a strip of tape across."""
    a = hsv(rng.uniform(0.07, 0.1), rng.uniform(0.35, 0.55), rng.uniform(0.55, 0.78))
    tape = hsv(0.09, rng.uniform(0.1, 0.3), 0.8)
    return grid(a, shade(a, 0.97), tape, cell=(50.0, rng.uniform(0.25, 0.5)), joint_m=0.05, noise=(0.12, 0.2))
