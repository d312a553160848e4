# SPDX-License-Identifier: Apache-2.0
"""Surface patterns with metric scale: one grid pattern and one noise cover every material.

Tiles, bricks, planks, stripes and window fronts are all a grid of cells with joints between them, so a
material is a row of numbers and shading needs no branch per pattern. What is finer than a pixel fades away.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

_TABLE_BITS = 7
_TABLE_SIZE = 1 << _TABLE_BITS
# Octaves of the value noise: cell size relative to `noise_cell_m`, share of the amplitude.
_OCTAVES = ((1.0, 0.5), (0.37, 0.3), (0.137, 0.2))


class Material(NamedTuple):
    """One surface finish. Colours are linear RGB in 0..1; `albedo` takes the fields in this order."""

    red_a: float = 0.5
    green_a: float = 0.5
    blue_a: float = 0.5
    red_b: float = 0.5
    green_b: float = 0.5
    blue_b: float = 0.5
    red_joint: float = 0.5
    green_joint: float = 0.5
    blue_joint: float = 0.5
    cell_u_m: float = 1.0
    cell_v_m: float = 1.0
    row_shift: float = 0.0  # shift of each next row, in cells (0.5 for brick bond)
    joint_m: float = 0.0
    checker: float = 0.0  # 1: cells alternate between a and b; 0: a random mix per cell
    noise_amplitude: float = 0.0
    noise_cell_m: float = 0.5
    offset_m: float = 0.0
    glow: float = 0.0  # light given off, of its colour
    glass: float = 0.0  # 1: between the joints it is glass or a mirror, whose depth no sensor and no eye can tell
    mirror: float = 0.0  # share of the light that comes by reflection, between the joints


def noise_table(device: torch.device) -> torch.Tensor:
    """Return the fixed lattice of uniform values in 0..1 that all noise reads, float32 [16384]."""
    values = np.random.default_rng(20240917).random(_TABLE_SIZE * _TABLE_SIZE, dtype=np.float32)
    return torch.from_numpy(values).to(device)


def _lattice(table: torch.Tensor, column: torch.Tensor, row: torch.Tensor) -> torch.Tensor:
    mask = _TABLE_SIZE - 1
    return table.index_select(0, ((row & mask) << _TABLE_BITS) | (column & mask))


def value_noise(table: torch.Tensor, u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Return smooth noise in 0..1 at lattice coordinates u, v (float32 [N]); mean 0.5."""
    floor_u, floor_v = u.floor(), v.floor()
    fu, fv = u - floor_u, v - floor_v
    fu, fv = fu * fu * (3 - 2 * fu), fv * fv * (3 - 2 * fv)
    column, row = floor_u.to(torch.int32), floor_v.to(torch.int32)
    low = torch.lerp(_lattice(table, column, row), _lattice(table, column + 1, row), fu)
    high = torch.lerp(_lattice(table, column, row + 1), _lattice(table, column + 1, row + 1), fu)
    return torch.lerp(low, high, fv)


def _joint_cover(fraction: torch.Tensor, cell: torch.Tensor, joint: torch.Tensor, pixel: torch.Tensor) -> torch.Tensor:
    """Share of the pixel covered by the joint along one axis: a box filter `pixel` metres wide."""
    from_edge = torch.minimum(fraction, 1 - fraction) * cell
    half_sum = (joint + pixel) * 0.5
    return ((half_sum - from_edge) / pixel).clamp(min=0).minimum((joint / pixel).clamp(max=1))


def albedo(
    table: torch.Tensor, finish: torch.Tensor, u: torch.Tensor, v: torch.Tensor, pixel_m: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the colour of surface points.

    Args:
        table: from `noise_table`.
        finish: one row per field of Material, float32 [20, N].
        u: first surface coordinate in metres, float32 [N].
        v: second surface coordinate in metres, float32 [N].
        pixel_m: footprint of one pixel on the surface in metres, float32 [N].

    Returns:
        Linear RGB, float32 [3, N], and the share of the pixel that is joint, float32 [N].
    """
    colour_a, colour_b, colour_joint = finish[0:3], finish[3:6], finish[6:9]
    cell_u, cell_v, row_shift, joint, checker, noise_amplitude, noise_cell, offset = finish[9:17]
    row_f = v / cell_v
    row = row_f.floor()
    column_f = u / cell_u + row * row_shift
    column = column_f.floor()
    column_i, row_i, shift = column.to(torch.int32), row.to(torch.int32), (offset * 7).to(torch.int32)
    parity = ((column_i + row_i) & 1).to(u.dtype)
    mix = torch.lerp(_lattice(table, column_i + shift, row_i + shift), parity, checker)
    # Detail per cell is gone once a pixel spans a cell; it starts to fade at half of that.
    keep = (2 - 2 * pixel_m / torch.minimum(cell_u, cell_v)).clamp(0, 1)
    mix = 0.5 + (mix - 0.5) * keep

    cover_u = _joint_cover(column_f - column, cell_u, joint, pixel_m)
    cover_v = _joint_cover(row_f - row, cell_v, joint, pixel_m)
    cover = 1 - (1 - cover_u) * (1 - cover_v)
    mean_cover = 1 - (1 - joint / cell_u).clamp(0, 1) * (1 - joint / cell_v).clamp(0, 1)
    # A surface without joints must not show the rounding of cells at their edges.
    cover = torch.where(joint > 0, torch.lerp(mean_cover, cover, keep), 0.0)

    tint = torch.zeros_like(u)
    for scale, share in _OCTAVES:
        size = noise_cell * scale
        keep = (2 - 2 * pixel_m / size).clamp(0, 1)
        noise = value_noise(table, (u + offset) / size, (v - offset) / size)
        tint += (noise - 0.5) * keep * share
    gain = 1 + 2 * tint * noise_amplitude
    return (torch.lerp(torch.lerp(colour_a, colour_b, mix), colour_joint, cover) * gain).clamp_(0, 1), cover
