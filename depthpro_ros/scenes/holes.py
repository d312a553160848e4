# SPDX-License-Identifier: Apache-2.0
"""Surfaces with holes: railings, wire mesh, perforated plates and leaves, decided during the intersection."""

from __future__ import annotations

from typing import NamedTuple

import torch

SOLID, BARS, MESH, ROUND, LEAVES = 0, 1, 2, 3, 4


class Holes(NamedTuple):
    """Which parts of a surface are open.

    Attributes:
        pattern: BARS (upright bars), MESH (bars both ways), ROUND (round openings), LEAVES (blobs of leaf).
        cell_m: from one bar, opening or leaf to the next.
        bar_m: width of a bar; ROUND: diameter of an opening; LEAVES: share that is leaf, 0..1.
        face: the only face (axis 0, 1, 2 that it looks along) with holes, others are open: a thin plate has no
            edges; -1 for every face.
        offset_m: shifts the pattern.
    """

    pattern: int = SOLID
    cell_m: float = 1.0
    bar_m: float = 0.0
    face: int = -1
    offset_m: float = 0.0


WHOLE = Holes()
"""No holes."""


def _hash(i: torch.Tensor, j: torch.Tensor, salt: int) -> torch.Tensor:
    """Uniform number in 0..1 of two int32 cells, the same on every device."""
    x = i * 73856093 ^ j * 19349663 ^ salt
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B - 2**32)):
        # int32 shifts drag the sign along; the mask makes them logical
        x = (x ^ ((x >> shift) & ((1 << (32 - shift)) - 1))) * factor
    return ((x >> 8) & 0xFFFF).to(torch.float32) / 65536


def _leaf(u: torch.Tensor, v: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Whether a point (in cells) lies on a leaf: one tilted ellipse per cell, jittered about the cell's middle."""
    i, j = u.floor(), v.floor()
    ii, jj = i.to(torch.int32), j.to(torch.int32)
    first, second = _hash(ii, jj, 17), _hash(ii, jj, 91)
    x = u - i - 0.5 - 0.3 * (first - 0.5)
    y = v - j - 0.5 - 0.3 * (second - 0.5)
    lean = (first + second) * 3.2
    cos, sin = torch.cos(lean), torch.sin(lean)
    x, y = cos * x + sin * y, cos * y - sin * x
    return (x * x * 0.6 + y * y * 1.7) * 3.1416 < share


def open_at(holes: torch.Tensor, u: torch.Tensor, v: torch.Tensor, face: torch.Tensor) -> torch.Tensor:
    """Whether points of a surface are open.

    Args:
        holes: the fields of `Holes` as numbers, float32 [5, ...].
        u, v: surface coordinates in metres, from `raycast.surface_coordinates`.
        face: the axis that the face looks along, int64.

    Returns:
        bool, the shape of u.
    """
    pattern, cell, bar, only, offset = holes
    a, b = (u + offset) / cell, (v + offset) / cell
    fa, fb = a - a.floor(), b - b.floor()
    on_upright, on_level = fa * cell < bar, fb * cell < bar
    ring = ((fa - 0.5) ** 2 + (fb - 0.5) ** 2) * cell * cell > 0.25 * bar * bar
    closed = torch.where(pattern == BARS, on_upright, torch.where(pattern == MESH, on_upright | on_level, ring))
    if bool((pattern == LEAVES).any()):
        # a second, finer and shifted layer of leaves leaves no straight gaps between cells
        leaf = _leaf(a, b, bar) | _leaf(0.83 * a + 0.41 * b + 7.3, 0.83 * b - 0.41 * a + 2.9, bar)
        closed = torch.where(pattern == LEAVES, leaf, closed)
    return ~closed | ((only >= 0) & (face != only.to(face.dtype)))
