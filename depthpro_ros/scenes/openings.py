# SPDX-License-Identifier: Apache-2.0
"""Doors, windows and what hangs on walls: x along the wall, y out of it, z from the floor."""

from __future__ import annotations

from random import Random

from depthpro_ros.scenes.holes import BARS, Holes
from depthpro_ros.scenes.layout import Solid
from depthpro_ros.scenes.materials import (
    any_colour,
    cloth,
    glass_pane,
    grid,
    hsv,
    metal,
    mirror_pane,
    paint,
    plain,
    wood,
)
from depthpro_ros.scenes.parts import block, post

DOOR_HEIGHT_M = 2.0


def door(rng: Random, *, width: float | None = None, height: float = DOOR_HEIGHT_M) -> list[Solid]:
    """A closed door with frame and handle; the leaf is exactly `height` high."""
    w = 0.5 * (width or rng.uniform(0.8, 1.0))
    leaf = wood(rng) if rng.random() < 0.5 else paint(rng)
    frame = leaf if rng.random() < 0.3 else plain(hsv(0.1, 0.05, rng.uniform(0.3, 0.95)))
    handle, side = metal(rng), rng.choice((-1, 1))
    trim = rng.uniform(0.05, 0.1)
    solids = [
        block((-w, w), (0, 0.03), (0.0, height), leaf),
        block((-w - trim, -w - 0.004), (0, 0.055), (0, height + trim), frame),
        block((w + 0.004, w + trim), (0, 0.055), (0, height + trim), frame),
        block((-w, w), (0, 0.055), (height + 0.005, height + trim), frame),
    ]
    at = side * (w - 0.07)
    lever = sorted((at, at - side * 0.12))
    solids.append(block((lever[0], lever[1]), (0.07, 0.085), (1.02, 1.04), handle))
    solids.append(block((at - 0.02, at + 0.02), (0.03, 0.075), (0.94, 1.1), handle))
    draw = rng.random()
    if draw < 0.25:
        solids.append(block((-0.6 * w, 0.6 * w), (0.028, 0.034), (1.2, height - 0.2), glass_pane(rng)))
    elif draw < 0.65:
        for low, high in ((0.15, 0.85), (1.15, height - 0.15)):
            solids.append(block((-0.7 * w, 0.7 * w), (0.028, 0.04), (low, high), leaf))
    return solids


def window(rng: Random, width: float, sill: float, top: float) -> list[Solid]:
    """A window as seen from inside by day: bright panes, frame, sill, and curtains or a radiator now and then."""
    w, frame = 0.5 * width, plain(hsv(0.1, 0.04, rng.uniform(0.5, 0.95)))
    bright = rng.uniform(1.2, 3.5)
    horizon = sill + (top - sill) * rng.uniform(0.1, 0.5)
    sky = plain(hsv(0.58, rng.uniform(0.05, 0.35), 0.95), glow=bright)._replace(glass=1.0)
    ground = hsv(rng.uniform(0.1, 0.35), rng.uniform(0.1, 0.5), rng.uniform(0.4, 0.7))
    land = grid(ground, noise=(0.7, 0.4))._replace(glass=1.0, glow=0.6 * bright)
    solids = [
        block((-w, w), (0, 0.012), (horizon, top), sky),
        block((-w, w), (0, 0.012), (sill, horizon), land),
        block((-w - 0.06, w + 0.06), (0, 0.18), (sill - 0.04, sill), frame),
        block((-w - 0.06, w + 0.06), (0, 0.05), (top, top + 0.06), frame),
    ]
    bars = max(1, round(width / 0.9))
    for i in range(bars + 1):
        x = -w + width * i / bars
        solids.append(block((x - 0.03, x + 0.03), (0, 0.05), (sill, top), frame))
    if rng.random() < 0.4:
        z = sill + 0.65 * (top - sill)
        solids.append(block((-w, w), (0, 0.045), (z - 0.02, z + 0.02), frame))
    draw = rng.random()
    if draw < 0.3:
        curtain = cloth(rng)
        for side in (-1, 1):
            edges = sorted((side * (w + 0.2), side * (w - rng.uniform(0.05, 0.3))))
            solids.append(block((edges[0], edges[1]), (0.06, 0.14), (0.05, top + 0.15), curtain))
    elif draw < 0.6 and sill > 0.7:
        fins = Holes(BARS, 0.05, 0.035, 1)
        body = plain(hsv(0.1, 0.03, 0.92))
        solids.append(block((-0.8 * w, 0.8 * w), (0.03, 0.09), (0.12, sill - 0.12), body))
        solids.append(block((-0.8 * w, 0.8 * w), (0.09, 0.11), (0.12, sill - 0.12), body, fins))
    elif draw < 0.7:
        slats = Holes(BARS, 0.12, 0.09, 1)
        solids.append(block((-w, w), (0.06, 0.064), (sill, top), plain(hsv(0.1, 0.1, 0.85)), slats))
    return solids


def picture(rng: Random) -> list[Solid]:
    """A framed picture, a board or a mirror."""
    w, h, z = rng.uniform(0.15, 0.6), rng.uniform(0.15, 0.45), rng.uniform(1.3, 1.65)
    frame = metal(rng) if rng.random() < 0.4 else wood(rng)
    if rng.random() < 0.3:
        inside = mirror_pane()
        w, h = max(w, 0.3), max(h, 0.4)
    else:
        a = any_colour(rng)
        cell = (rng.uniform(0.05, 0.3), rng.uniform(0.05, 0.3))
        inside = grid(a, any_colour(rng), any_colour(rng), cell=cell, joint_m=0.01, noise=(0.6, 0.15), checker=0.3)
    return [
        block((-w, w), (0, 0.02), (z - h, z + h), frame),
        block((-w + 0.03, w - 0.03), (0.018, 0.022), (z - h + 0.03, z + h - 0.03), inside),
    ]


def extinguisher(rng: Random) -> list[Solid]:
    """A red fire extinguisher on its hook."""
    red = plain(hsv(0.0, 0.85, 0.75))
    z = rng.uniform(0.5, 0.9)
    return [
        post(0, 0.09, (z, z + 0.42), 0.075, red),
        post(0, 0.09, (z + 0.42, z + 0.5), 0.025, plain(hsv(0, 0, 0.1))),
        block((-0.1, 0.1), (0, 0.012), (z + 0.75, z + 0.95), plain(hsv(0.0, 0.8, 0.8))),
    ]


def lamp_panel(rng: Random, half_x: float, half_y: float, ceiling: float) -> Solid:
    """A lit panel under the ceiling."""
    glow = plain(hsv(0.12, rng.uniform(0.0, 0.15), 0.98), glow=rng.uniform(1.0, 3.0), noise=0.0)
    return block((-half_x, half_x), (-half_y, half_y), (ceiling - 0.05, ceiling), glow)
