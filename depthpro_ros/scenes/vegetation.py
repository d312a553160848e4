# SPDX-License-Identifier: Apache-2.0
"""Trees, bushes and hedges whose crowns are leaves with real gaps between them."""

from __future__ import annotations

import math
from random import Random

from depthpro_ros.scenes.holes import LEAVES, Holes
from depthpro_ros.scenes.layout import Solid
from depthpro_ros.scenes.materials import bark, foliage
from depthpro_ros.scenes.parts import Thing, ball, block, post
from depthpro_ros.scenes.raycast import CYLINDER
from depthpro_ros.scenes.textures import Material


def leaves(
    rng: Random, x: float, y: float, z: float, half: tuple[float, float, float], material: Material, leaf_m: float
) -> list[Solid]:
    """A crown: two shells of leaves, one in the other, so that the eye meets leaves at several depths."""
    shells = []
    for scale, share in ((1.0, rng.uniform(0.2, 0.38)), (0.72, rng.uniform(0.3, 0.5))):
        holes = Holes(LEAVES, leaf_m, share, -1, rng.uniform(0, 20))
        size = (half[0] * scale, half[1] * scale, half[2] * scale)
        shells.append(ball(x, y, z, size, material, holes))
    return shells


def tree(rng: Random) -> Thing:
    """A broad-leaved tree of 3 to 10 m, bare in winter now and then."""
    height = rng.uniform(3.0, 10.0)
    trunk = height * rng.uniform(0.015, 0.03)
    stem, crown = height * rng.uniform(0.3, 0.45), height * rng.uniform(0.16, 0.28)
    skin, green = bark(rng), foliage(rng)
    solids = [post(0, 0, (0, height * 0.7), trunk, skin)]
    for _ in range(rng.randrange(3, 6)):
        lean, yaw, long = rng.uniform(0.5, 1.1), rng.uniform(-math.pi, math.pi), height * rng.uniform(0.15, 0.25)
        base = rng.uniform(stem, 0.62 * height)
        out = math.sin(lean) * long
        at = (math.cos(yaw) * out, math.sin(yaw) * out, base + math.cos(lean) * long)
        solids.append(Solid(CYLINDER, at, (0.35 * trunk, 0.35 * trunk, long), yaw, skin, lean))
    if rng.random() < 0.88:
        leaf = rng.uniform(0.14, 0.3)
        for _ in range(rng.randrange(2, 4)):
            yaw, off = rng.uniform(-math.pi, math.pi), crown * rng.uniform(0.2, 0.6)
            z = rng.uniform(stem + 0.7 * crown, height - 0.8 * crown)
            half = (crown * rng.uniform(0.8, 1.2), crown * rng.uniform(0.8, 1.2), crown * rng.uniform(0.7, 1.0))
            solids += leaves(rng, off * math.cos(yaw), off * math.sin(yaw), z, half, green, leaf)
    return Thing(tuple(solids), 1.5 * trunk + 0.1, 1.5 * trunk + 0.1, height)


def bush(rng: Random) -> Thing:
    """A bush of 0.5 to 1.6 m."""
    radius, height = rng.uniform(0.35, 0.9), rng.uniform(0.5, 1.6)
    half = (radius, radius * rng.uniform(0.8, 1.2), 0.55 * height)
    solids = leaves(rng, 0, 0, 0.5 * height, half, foliage(rng), rng.uniform(0.06, 0.12))
    return Thing(tuple(solids), radius, radius, height)


def hedge(rng: Random) -> Thing:
    """A clipped hedge along x."""
    half_x, height = rng.uniform(1.5, 5.0), rng.uniform(0.8, 1.8)
    green, leaf = foliage(rng), rng.uniform(0.06, 0.12)
    outer = Holes(LEAVES, leaf, 0.65, -1, rng.uniform(0, 20))
    solids = (
        block((-half_x, half_x), (-0.3, 0.3), (0.02, height), green, outer),
        block((-half_x + 0.1, half_x - 0.1), (-0.2, 0.2), (0, height - 0.1), green),
    )
    return Thing(solids, half_x, 0.3, height)
