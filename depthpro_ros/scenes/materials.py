# SPDX-License-Identifier: Apache-2.0
"""Random materials: everyday patterns at their real sizes, in varied but mostly muted colours."""

from __future__ import annotations

import colorsys

import numpy as np

from depthpro_ros.scenes.layout import Colour
from depthpro_ros.scenes.textures import Material


def random_colour(rng: np.random.Generator, *, value: tuple[float, float] = (0.15, 0.95)) -> Colour:
    """Draw a linear RGB colour; saturation leans to muted, with a vivid one now and then."""
    saturation = rng.beta(1.2, 3.0) if rng.random() < 0.8 else rng.uniform(0.5, 1.0)
    red, green, blue = colorsys.hsv_to_rgb(rng.random(), saturation, rng.uniform(*value))
    return red**2.0, green**2.0, blue**2.0


def _natural(rng: np.random.Generator, hue: tuple[float, float], saturation: tuple[float, float]) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(rng.uniform(*hue), rng.uniform(*saturation), rng.uniform(0.35, 0.85))
    return red**2.0, green**2.0, blue**2.0


def _near(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    gain = rng.uniform(1 - spread, 1 + spread)
    red, green, blue = (float(np.clip(c * gain * rng.uniform(0.93, 1.07), 0, 1)) for c in colour)
    return red, green, blue


def random_material(rng: np.random.Generator, kinds: str) -> Material:
    """Draw a material.

    Args:
        rng: the scene's generator.
        kinds: allowed patterns, one letter each, repeated for weight: t tiles, c checker, b bricks, p planks,
            s stripes, n noise, f fronts (drawers, panels), w windows, g grass and soil, . plain.
    """
    kind = kinds[int(rng.integers(len(kinds)))]
    a = random_colour(rng)
    b, joint = _near(rng, a, 0.15), _near(rng, a, 0.6)
    noise, noise_cell = rng.uniform(0.0, 0.35), rng.uniform(0.08, 1.0)
    cell_u = cell_v = 1.0
    row_shift = joint_m = checker = 0.0
    if kind == "t":
        cell_u = cell_v = rng.uniform(0.2, 0.6)
        joint_m = rng.uniform(0.004, 0.015)
    elif kind == "c":
        cell_u = cell_v = rng.uniform(0.2, 0.6)
        b, checker = random_colour(rng), 1.0
    elif kind == "b":
        a = _natural(rng, (0.0, 0.1), (0.1, 0.65))
        b, joint = _near(rng, a, 0.4), _natural(rng, (0.05, 0.15), (0.0, 0.15))
        cell_u, cell_v, row_shift, joint_m = 0.21, 0.075, 0.5, 0.01
    elif kind == "p":
        a = _natural(rng, (0.05, 0.11), (0.2, 0.65))
        b, joint = _near(rng, a, 0.4), _near(rng, a, 0.9)
        joint = (joint[0] * 0.4, joint[1] * 0.4, joint[2] * 0.4)
        cell_u, cell_v, row_shift, joint_m = 1.2, 0.12, 0.37, 0.004
    elif kind == "s":
        b = random_colour(rng)
        cell_u, cell_v, checker = rng.uniform(0.05, 0.4), 1e4, 1.0
        if rng.random() < 0.5:
            cell_u, cell_v = cell_v, cell_u
    elif kind == "n":
        noise = rng.uniform(0.3, 0.9)
    elif kind == "f":
        cell_u, cell_v = rng.uniform(0.3, 0.8), rng.uniform(0.2, 0.8)
        joint_m = rng.uniform(0.006, 0.02)
    elif kind == "w":
        glass = random_colour(rng, value=(0.05, 0.5))
        joint, a, b = a, glass, _near(rng, glass, 0.6)
        cell_u, cell_v = rng.uniform(1.2, 3.0), rng.uniform(2.4, 3.2)
        joint_m = rng.uniform(0.5, 0.8) * min(cell_u, cell_v) * 0.8
    elif kind == "g":
        a = _natural(rng, (0.07, 0.3), (0.15, 0.6))
        b = _near(rng, a, 0.3)
        noise, noise_cell = rng.uniform(0.4, 0.9), rng.uniform(0.15, 1.5)
    return Material(*a, *b, *joint, cell_u, cell_v, row_shift, joint_m, checker, noise, noise_cell, rng.uniform(0, 50))
