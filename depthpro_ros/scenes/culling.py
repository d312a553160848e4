# SPDX-License-Identifier: Apache-2.0
"""Which solids may touch which tiles of rays, when all rays share an origin or a direction.

Rays from one point are compared as unit directions, parallel rays as positions across their direction: in
both cases a tile is a small ball of such keys, a solid a few balls, and what does not overlap cannot touch.
"""

from __future__ import annotations

import functools

import torch

from depthpro_ros.scenes.raycast import SolidTable

_SLACK = 2e-3
_TINY = 1e-6


def keys(offset: torch.Tensor, axis: torch.Tensor, parallel: torch.Tensor) -> torch.Tensor:
    """Keys of points: direction from the common origin, or the part across the common direction.

    Args:
        offset: points from the origin, float [3, B, N].
        axis: unit common direction, float [3, B, 1]; read where `parallel`.
        parallel: bool [B, 1].
    """
    across = offset - (offset * axis).sum(0) * axis
    length = offset.square().sum(0).sqrt().clamp(min=_TINY)
    return torch.where(parallel, across, offset / length)


def touching(
    solids: SolidTable,
    tile_keys: torch.Tensor,
    active: torch.Tensor,
    origin: torch.Tensor,
    axis: torch.Tensor,
    parallel: torch.Tensor,
) -> torch.Tensor:
    """Pairs (tile, solid) that may touch.

    Args:
        solids: of B scenes.
        tile_keys: keys of the rays, float32 [3, B, T, RAYS].
        active: bool [B, T, RAYS], rays that count.
        origin: common origin of the rays, float32 [3, B, 1] (zero for parallel rays).
        axis: unit common direction, float32 [3, B, 1].
        parallel: bool [B, 1].

    Returns:
        int64 [2, pairs]: tile of B * T and solid of B * P, tiles in order.
    """
    scenes, slots, beads = solids.beads.shape[:3]
    if not slots:
        return torch.empty((2, 0), dtype=torch.int64, device=active.device)
    # A GPU may be set to round float32 matrix products to TF32, which would drop hits here; float64 never is.
    dtype = torch.float64 if active.is_cuda else torch.float32
    low = torch.where(active, tile_keys, torch.inf).amin(3)
    high = torch.where(active, tile_keys, -torch.inf).amax(3)
    alive = active.any(2)
    middle = torch.where(alive, 0.5 * (low + high), 0.0).to(dtype)
    reach = torch.where(alive, 0.5 * (high - low), 0.0).square().sum(0).sqrt().to(dtype)

    centre = solids.beads.permute(3, 0, 2, 1).flatten(2) - origin
    bound = solids.bead_radius.repeat(1, beads)
    distance = centre.square().sum(0).sqrt()
    # A ball of angular radius a spans a chord of 2 sin(a / 2) on each side; from inside it is everywhere.
    sine = (bound / distance.clamp(min=_TINY)).clamp(max=1)
    chord = (2 * (1 - (1 - sine * sine).clamp(min=0).sqrt())).clamp(min=0).sqrt()
    spread = torch.where(parallel, bound, torch.where(distance <= bound, 4.0, chord)).to(dtype) + _SLACK
    key = keys(centre, axis, parallel).to(dtype)

    # |a - b|^2 < (r + s)^2 as one product of [B, T, 6] and [B, 6, K * P]
    m, k = middle.permute(1, 2, 0), key.permute(1, 0, 2)
    left = torch.cat(
        [-2 * m, ((m * m).sum(2) - reach * reach)[..., None], -2 * reach[..., None], torch.ones_like(m[..., :1])], 2
    )
    right = torch.cat([k, torch.ones_like(k[:, :1]), spread[:, None], ((k * k).sum(1) - spread * spread)[:, None]], 1)
    near = ((left @ right) < 1e-5 * (1 + (k * k).sum(1)[:, None])).view(scenes, -1, beads, slots)
    hit = alive[..., None] & (solids.bead_radius > 0)[:, None]
    hit &= functools.reduce(torch.bitwise_or, near.unbind(2))
    scene, tile, slot = hit.nonzero().T
    return torch.stack([scene * hit.shape[1] + tile, scene * slots + slot])
