# SPDX-License-Identifier: Apache-2.0
"""Layouts packed into tensors: solids, their materials, and the room or ground as one more box."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain

import numpy as np
import torch

from depthpro_ros.scenes.layout import Layout, Solid
from depthpro_ros.scenes.raycast import BOX, SolidTable
from depthpro_ros.scenes.textures import Material

_BEADS = 6
# Rays that meet the ground further off than this are the horizon's last sliver; they count as sky.
_HORIZON_M = 1e5


def shell(layout: Layout) -> Solid:
    """The room, or the ground as the top of a vast slab: one more box to read normals and textures from."""
    if layout.room is None:
        return Solid(BOX, (0.0, 0.0, -1.0), (1e9, 1e9, 1.0))
    room = layout.room
    half = (0.5 * (room.x1_m - room.x0_m), 0.5 * (room.y1_m - room.y0_m), 0.5 * room.height_m)
    return Solid(BOX, (room.x0_m + half[0], room.y0_m + half[1], half[2]), half)


def shell_exit(layouts: Sequence[Layout], o: torch.Tensor, d: torch.Tensor) -> torch.Tensor:
    """Ray parameter [B, R] at which rays [3, B, R] reach the room's inside or the ground; +inf for sky."""
    low = [(s.room.x0_m, s.room.y0_m, 0.0) if s.room else (-math.inf, -math.inf, 0.0) for s in layouts]
    high = [(s.room.x1_m, s.room.y1_m, s.room.height_m) if s.room else (math.inf,) * 3 for s in layouts]
    low_t, high_t = (torch.tensor(v, dtype=torch.float32, device=d.device).T[:, :, None] for v in (low, high))
    d = torch.where(d.abs() < 1e-9, 1e-9, d)
    t = ((torch.where(d > 0, high_t, low_t) - o) / d).amin(0)
    return torch.where(t < _HORIZON_M, t, torch.inf)


def axes_of(yaw: np.ndarray, tilt: np.ndarray) -> np.ndarray:
    """Axes of solids in the world [..., 3, 3], a column each."""
    cos, sin, lean, upright = np.cos(yaw), np.sin(yaw), np.sin(tilt), np.cos(tilt)
    axes = np.zeros((*yaw.shape, 3, 3))
    axes[..., 0] = np.stack([cos * upright, sin * upright, -lean], -1)
    axes[..., 1] = np.stack([-sin, cos, np.zeros_like(cos)], -1)
    axes[..., 2] = np.stack([cos * lean, sin * lean, upright], -1)
    return axes


def _numbers(rows: Sequence[tuple[float, ...]]) -> np.ndarray:
    """float64 [rows, columns]; many times faster than numpy's own reading of nested tuples."""
    width = len(rows[0])
    return np.fromiter(chain.from_iterable(rows), np.float64, count=width * len(rows)).reshape(-1, width)


def solid_table(layouts: Sequence[Layout], device: torch.device) -> SolidTable:
    """Pack solids, padding each scene to the longest; the last slot is the shell, which no ray is tested with."""
    slots = max(len(layout.solids) for layout in layouts) + 1
    counts = np.array([len(layout.solids) for layout in layouts])
    packed = [
        (s.kind, *s.centre, *s.half, s.yaw_rad, s.tilt_rad, *s.holes)
        for layout in layouts
        for s in (*layout.solids, shell(layout))
    ]
    values = np.zeros((len(layouts), slots, len(packed[0])))
    values[..., 4:7] = 1.0
    # row by row: the solids first, the shell in the last slot
    used = np.arange(slots) < counts[:, None]
    used[:, -1] = True
    values[used] = _numbers(packed)
    centre, half, yaw, tilt = values[..., 1:4], values[..., 4:7], values[..., 7], values[..., 8]

    axes = axes_of(yaw, tilt)
    # Spheres in a row along the longest axis, as many as bring them near the size of the second longest.
    longest = half.argmax(-1)
    order = np.sort(half, -1)
    count = np.clip(np.ceil(order[..., 2] / np.maximum(order[..., 1], 1e-3)), 1, _BEADS)
    step = np.minimum(np.arange(_BEADS), count[..., None] - 1)
    along = ((2 * step + 1) / count[..., None] - 1) * order[..., 2:]
    direction = np.take_along_axis(axes, longest[..., None, None], -1)[..., 0]
    beads = centre[..., None, :] + along[..., None] * direction[..., None, :]
    radius = np.sqrt((order[..., 2] / count) ** 2 + order[..., 1] ** 2 + order[..., 0] ** 2)
    used[:, -1] = False
    radius = np.where(used, radius, -1.0)

    def send(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(device)

    return SolidTable(
        kind=torch.from_numpy(values[..., 0].astype(np.int64)).to(device),
        centre=send(centre),
        axes=send(axes),
        half=send(half),
        holes=send(values[..., 9:]),
        beads=send(beads),
        bead_radius=send(radius),
    )


def finish_table(layouts: Sequence[Layout], device: torch.device) -> torch.Tensor:
    """Materials as float32 [fields of Material, B * (P + 3)]: solids and shell slot, then floor, wall, ceiling."""
    slots = max(len(layout.solids) for layout in layouts) + 4
    counts = np.array([len(layout.solids) for layout in layouts])
    packed = [
        material
        for layout in layouts
        for material in (*(s.material for s in layout.solids), layout.floor, layout.wall, layout.ceiling)
    ]
    values = np.zeros((len(layouts), slots, len(Material._fields)), np.float32)
    used = np.arange(slots) < counts[:, None]
    used[:, -3:] = True
    values[used] = _numbers(packed)
    return torch.from_numpy(values.reshape(-1, values.shape[2])).to(device).T.contiguous()
