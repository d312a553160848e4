# SPDX-License-Identifier: Apache-2.0
"""Buildings from outside: storeys, windows and doors of real size; the front looks along -y at y = 0."""

from __future__ import annotations

import math
from random import Random

from depthpro_ros.scenes.layout import Solid
from depthpro_ros.scenes.materials import any_colour, facade, glass_pane, grid, hsv, metal, plain, shade
from depthpro_ros.scenes.openings import door
from depthpro_ros.scenes.parts import Thing, block, stood
from depthpro_ros.scenes.raycast import BOX
from depthpro_ros.scenes.textures import Material


def house(rng: Random, *, detailed: bool, width: float | None = None) -> Thing:
    """A house or block of flats; with `detailed` its front has frames and panes that stand out."""
    storeys = rng.choice((1, 2, 2, 3, 4, 6))
    storey = rng.uniform(2.7, 3.2)
    wide, deep = width or rng.uniform(6.0, 14.0), rng.uniform(6.0, 11.0)
    top, half = storeys * storey, 0.5 * wide
    skin = facade(rng)
    spacing = rng.uniform(1.9, 3.0)
    pane = glass_pane(rng)
    solids = [block((-half, half), (0, deep), (0, top), skin)]
    # one skin of windows per face: cells of a grid whose joints are the wall between them
    grille = _windows(skin, pane, spacing, storey)
    solids.append(block((-half - 0.01, half + 0.01), (0.4, deep - 0.4), (0.0, top), grille))
    # between two windows
    entry = rng.choice((-1, 0, 1)) * spacing if wide > 3 * spacing else 0.0
    if detailed and storeys * int(wide / spacing) <= 24:
        solids += _front(rng, wide, storeys, storey, spacing, pane, entry)
    else:
        solids.append(
            block((-half + 0.3, half - 0.3), (-0.01, deep + 0.01), (0.0 if storeys > 1 else 0.2, top), grille)
        )
    leaf = door(rng, width=rng.uniform(0.9, 1.2))
    solids += stood(leaf if detailed else leaf[:1], entry, -0.01, math.pi)
    solids.append(block((entry - 0.9, entry + 0.9), (-0.9, 0), (2.25, 2.33), plain(hsv(0, 0, 0.5))))
    solids.append(block((entry - 0.8, entry + 0.8), (-0.6, 0), (0, 0.1), plain(hsv(0, 0, 0.6), noise=0.3)))
    solids += _roof(rng, wide, deep, top, skin, pitched=storeys <= 3 and rng.random() < 0.6)
    if rng.random() < 0.5:
        x = half - rng.uniform(0.1, 0.3)
        solids.append(block((x, x + 0.08), (-0.1, -0.02), (0, top), metal(rng)))
    return Thing(tuple(stood(solids, 0, -0.5 * deep)), half + 0.3, 0.5 * deep + 0.9, top + 3)


def _windows(skin: Material, pane: Material, spacing: float, storey: float) -> Material:
    wall = (skin.red_a, skin.green_a, skin.blue_a)
    glass = (pane.red_a, pane.green_a, pane.blue_a)
    tiled = grid(glass, shade(glass, 0.6), wall, cell=(spacing, storey), joint_m=storey - 1.4)
    return tiled._replace(glass=1.0, mirror=pane.mirror, noise_amplitude=skin.noise_amplitude, noise_cell_m=0.8)


def _front(
    rng: Random, wide: float, storeys: int, storey: float, spacing: float, pane: Material, entry: float
) -> list[Solid]:
    """Window by window: frame, pane, bar and shutters, none behind the door at `entry`."""
    frame = plain(hsv(0.1, rng.uniform(0, 0.3), rng.choice((0.9, 0.9, 0.3))))
    columns = int((wide - 0.6) / spacing)
    w, h = rng.uniform(0.45, 0.7), rng.uniform(0.55, 0.75)
    shutters = plain(any_colour(rng)) if rng.random() < 0.25 else None
    solids: list[Solid] = []
    for row in range(storeys):
        z = row * storey + 0.9 + h
        for column in range(columns):
            x = (column - 0.5 * (columns - 1)) * spacing
            if row == 0 and abs(x - entry) < w + 0.75:
                continue
            solids.append(block((x - w, x + w), (-0.05, 0), (z - h, z + h), frame))
            solids.append(block((x - w + 0.07, x + w - 0.07), (-0.054, 0), (z - h + 0.07, z + h - 0.07), pane))
            solids.append(block((x - 0.03, x + 0.03), (-0.06, 0), (z - h, z + h), frame))
            if shutters is not None:
                for side in (-1, 1):
                    at = sorted((x + side * (w + 0.02), x + side * (w + 0.4)))
                    solids.append(block((at[0], at[1]), (-0.05, 0), (z - h, z + h), shutters))
    return solids


def _roof(rng: Random, wide: float, deep: float, top: float, skin: Material, *, pitched: bool) -> list[Solid]:
    if not pitched:
        return [
            block(
                (-0.5 * wide - 0.15, 0.5 * wide + 0.15),
                (-0.15, deep + 0.15),
                (top, top + rng.uniform(0.2, 0.6)),
                facade(rng),
            )
        ]
    a = hsv(rng.choice((0.02, 0.04, 0.6)), rng.uniform(0.1, 0.6), rng.uniform(0.25, 0.6))
    cover = grid(a, shade(a, 0.7), shade(a, 0.5), cell=(0.25, 0.3), joint_m=0.02, noise=(0.2, 0.5))
    # A square bar turned by 45 degrees: its lower half hides in the house, the upper half makes the gables.
    half = 0.5 * deep / math.sqrt(2)
    roof = [Solid(BOX, (0, 0.5 * deep, top), (half, 0.5 * wide - 0.005, half), math.pi / 2, skin, math.pi / 4)]
    eave = 0.25 * deep + 0.2
    for side in (-1, 1):
        at = (0, 0.5 * deep + side * eave, top + 0.5 * deep + 0.05 - eave)
        slope = (math.sqrt(2) * eave, 0.5 * wide + 0.3, 0.05)
        roof.append(Solid(BOX, at, slope, math.pi / 2, cover, side * math.pi / 4))
    if rng.random() < 0.6:
        x, y = rng.uniform(-0.3, 0.3) * wide, 0.5 * deep + rng.uniform(0.5, 1.0)
        roof.append(block((x - 0.3, x + 0.3), (y - 0.3, y + 0.3), (top, top + 0.5 * deep + 0.8), facade(rng)))
    return roof


def shed(rng: Random) -> Thing:
    """A garage or shed with a wide gate."""
    half, deep, top = rng.uniform(1.5, 3.0), rng.uniform(3.0, 6.0), rng.uniform(2.4, 3.2)
    slats = grid(any_colour(rng), None, hsv(0, 0, 0.3), cell=(60.0, 0.25), joint_m=0.015)
    solids = [
        block((-half, half), (0, deep), (0, top), facade(rng)),
        block((-1.2, 1.2), (-0.03, 0), (0, 2.1), slats),
        block((-half - 0.15, half + 0.15), (-0.2, deep + 0.15), (top, top + 0.15), plain(hsv(0, 0, 0.35))),
    ]
    return Thing(tuple(stood(solids, 0, -0.5 * deep)), half + 0.2, 0.5 * deep + 0.2, top)
