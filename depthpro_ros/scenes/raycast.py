# SPDX-License-Identifier: Apache-2.0
"""Ray intersections with boxes, cylinders and ellipsoids, whole or with holes, batched over scenes.

World frame: x and y level, z up, ground at z = 0 (REP 103). Rays are o + t d with d of any length: with d
scaled to depth 1 along the optical axis, t is the z-depth itself. Vectors are stored with their three
components first. Rays come in tiles of `RAYS` neighbours; `culling` picks the few (tile, solid) pairs that
may touch, and only those get an exact test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from depthpro_ros.scenes.holes import open_at

BOX, CYLINDER, SPHERE = 0, 1, 2
RAYS = 64
_EPS = 1e-9
_NO_SOLID = (1 << 31) - 1
# Few enough for a CPU's cache; a GPU does not mind.
_PAIRS_AT_ONCE = 1 << 11


@dataclass(frozen=True)
class SolidTable:
    """Solids of B scenes, P slots each.

    Attributes:
        kind: int64 [B, P], BOX, CYLINDER or SPHERE.
        centre: float32 [B, P, 3] metres.
        axes: float32 [B, P, 3, 3], columns are the solid's own axes in the world.
        half: float32 [B, P, 3] half sizes in metres; cylinders: radius twice, half height; spheres: half axes.
        holes: float32 [B, P, 5], see `holes.open_at`; the first is 0 for a solid without holes.
        beads: float32 [B, P, K, 3], centres of K spheres that together hold the solid.
        bead_radius: float32 [B, P] metres, negative for an empty slot.
    """

    kind: torch.Tensor
    centre: torch.Tensor
    axes: torch.Tensor
    half: torch.Tensor
    holes: torch.Tensor
    beads: torch.Tensor
    bead_radius: torch.Tensor


Vector = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def _turn(axes: torch.Tensor, tilted: bool, vector: torch.Tensor) -> Vector:
    """World vectors [3, N, R] or [3, N, 1] in the axes [N, 3, 3] of their solids."""
    x, y, z = vector
    a = axes.permute(1, 2, 0)[..., None]
    if not tilted:
        cos, sin = a[0, 0], a[1, 0]
        return cos * x + sin * y, cos * y - sin * x, z
    first, second, third = (a[0, k] * x + a[1, k] * y + a[2, k] * z for k in range(3))
    return first, second, third


def _slab(o: torch.Tensor, d: torch.Tensor, half: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    # The tiny sum keeps level rays from dividing by zero; it is lost in the rounding of all others.
    inverse = 1 / (d + 1e-12)
    middle, reach = o * inverse, half * inverse.abs()
    return -(middle + reach), reach - middle


def _round(o: tuple[torch.Tensor, ...], d: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """Entry and exit of a unit circle (2 components) or unit sphere (3); entry > exit where missed."""
    # Solved about the closest approach, not the ray origin: far small solids would lose digits otherwise.
    a = sum((v * v for v in d[1:]), d[0] * d[0]).clamp(min=_EPS * _EPS)
    middle = -sum((p * v for p, v in zip(o[1:], d[1:], strict=True)), o[0] * d[0]) / a
    square = 1 - torch.stack([(p + middle * v).square() for p, v in zip(o, d, strict=True)]).sum(0)
    reach = (square / a).clamp(min=0).sqrt()
    return torch.where(square < 0, torch.inf, middle - reach), middle + reach


def _span(kind: int, o: Vector, d: Vector, half: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Ray parameters at which local rays enter and leave the solid; enter > leave where they miss it."""
    if kind == BOX:
        near, far = _slab(o[0], d[0], half[0])
        for axis in (1, 2):
            enter, leave = _slab(o[axis], d[axis], half[axis])
            near, far = torch.maximum(near, enter), torch.minimum(far, leave)
        return near, far
    scaled_o, scaled_d = (
        tuple(p / h for p, h in zip(o, half, strict=True)),
        tuple(v / h for v, h in zip(d, half, strict=True)),
    )
    if kind == CYLINDER:
        side_in, side_out = _round(scaled_o[:2], scaled_d[:2])
        cap_in, cap_out = _slab(o[2], d[2], half[2])
        return torch.maximum(side_in, cap_in), torch.minimum(side_out, cap_out)
    return _round(scaled_o, scaled_d)


def surface_coordinates(
    kind: torch.Tensor | int, local: torch.Tensor, half: torch.Tensor, centre_z: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Metric texture coordinates u, v of local points [3, ...] and the face: 0, 1, 2 the axis it looks along.

    Boxes and ellipsoids take the two coordinates across the axis that is nearest its limit; a cylinder is
    unrolled, its face is 0 but for its ends. v counts from the ground, so rows of bricks meet across solids.
    """
    x, y, z = local
    rx, ry, rz = (local / half).abs()
    is_round = torch.as_tensor(kind == CYLINDER, device=x.device)
    radial = torch.sqrt(rx * rx + ry * ry)
    level = rz >= torch.where(is_round, radial, torch.maximum(rx, ry))
    face_x = (rx > ry) | is_round
    across = torch.where(is_round, torch.atan2(y, x) * half[0], torch.where(face_x, y, x))
    u = torch.where(level, x, across)
    v = torch.where(level, y, z + centre_z)
    return u, v, torch.where(level, 2, torch.where(face_x, 0, 1))


def _first_surface(
    kind: int, holed: bool, o: Vector, d: Vector, half: torch.Tensor, z: torch.Tensor, holes: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Ray parameter of the first surface ahead and whether there is one; a holed solid is a hollow shell."""
    enter, leave = _span(kind, o, d, half)
    touched = enter <= leave
    ahead = touched & (enter > 0)
    if not holed:
        return enter, ahead

    def closed(t: torch.Tensor) -> torch.Tensor:
        t = torch.where(touched, t, 0.0)
        local = torch.stack([p + t * v for p, v in zip(o, d, strict=True)])
        return ~open_at(holes, *surface_coordinates(kind, local, half, z))

    front = ahead & closed(enter)
    back = touched & (leave > 0) & closed(leave)
    return torch.where(front, enter, leave), front | back


def _tests(
    solids: SolidTable, pairs: torch.Tensor, o: torch.Tensor, d: torch.Tensor
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Exact tests of pairs, group by group: the rays that hit, the solids they hit, and where, all [hits]."""
    tile, solid = pairs
    tilted = solids.axes.flatten(0, 1)[:, 2, 2] < 1 - 1e-9
    groups = solids.kind.flatten() * 4 + (solids.holes.flatten(0, 1)[:, 0] > 0) * 2 + tilted
    group = groups[solid]
    for name in torch.unique(group).tolist():
        kind, holed, lean = name // 4, bool(name // 2 % 2), bool(name % 2)
        for pick in (group == name).nonzero()[:, 0].split(_PAIRS_AT_ONCE):
            at, index = tile[pick], solid[pick]
            axes, centre = solids.axes.flatten(0, 1)[index], solids.centre.flatten(0, 1)[index].T[:, :, None]
            start = _turn(axes, lean, o.index_select(1, at) - centre)
            towards = _turn(axes, lean, d.index_select(1, at))
            half = solids.half.flatten(0, 1)[index].T[:, :, None]
            holes = solids.holes.flatten(0, 1)[index].T[:, :, None]
            t, hit = _first_surface(kind, holed, start, towards, half, centre[2], holes)
            flat = hit.flatten().nonzero()[:, 0]
            row = flat // RAYS
            yield at[row] * RAYS + flat % RAYS, index[row], t.flatten()[flat]


def nearest_hit(
    solids: SolidTable, pairs: torch.Tensor, o: torch.Tensor, d: torch.Tensor, t_max: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Find the first solid along each ray.

    Args:
        solids: of B scenes.
        pairs: int64 [2, pairs], tile (of all N) and solid (of B * P) that may touch.
        o, d: float32 [3, N, RAYS] or [3, N, 1] where a tile has one origin or direction.
        t_max: float32 [N, RAYS]; hits beyond it do not count.

    Returns:
        t float32 [N, RAYS], the smaller of the hit and t_max, and the solid int64 [N, RAYS] into B * P, -1: none.
    """
    # One number to compare: positive floats order as their bits do; the solid below breaks ties.
    best = (t_max.flatten().view(torch.int32).to(torch.int64) << 31) | _NO_SOLID
    for ray, solid, t in _tests(solids, pairs, o, d):
        best.scatter_reduce_(0, ray, (t.view(torch.int32).to(torch.int64) << 31) | solid, "amin")
    best = best.view_as(t_max)
    solid = best & _NO_SOLID
    return (best >> 31).to(torch.int32).view(torch.float32), torch.where(solid == _NO_SOLID, -1, solid)


def any_hit(
    solids: SolidTable, pairs: torch.Tensor, o: torch.Tensor, d: torch.Tensor, t_max: float, rays: int
) -> torch.Tensor:
    """Whether anything lies on each ray before t_max, bool [rays]; arguments as of `nearest_hit`."""
    blocked = torch.zeros(rays, dtype=torch.bool, device=d.device)
    for ray, _, t in _tests(solids, pairs, o, d):
        blocked[ray[t < t_max]] = True
    return blocked


@dataclass(frozen=True)
class Surface:
    """Where rays ended: the normal (world, facing the ray) [3, N] and texture coordinates in metres [N]."""

    normal: torch.Tensor
    u: torch.Tensor
    v: torch.Tensor
    face: torch.Tensor  # int64 [N], the solid's own axis that the face looks along


def surface_at(solids: SolidTable, index: torch.Tensor, point: torch.Tensor, d: torch.Tensor) -> Surface:
    """Describe solids `index` (int64 [N] into B * P) at the world points [3, N] hit along d [3, N]."""
    kind = solids.kind.flatten()[index]
    half = solids.half.flatten(0, 1).T[:, index]
    centre = solids.centre.flatten(0, 1).T[:, index]
    axes = solids.axes.flatten(0, 1).permute(1, 2, 0)[:, :, index]
    local = (axes * (point - centre)[:, None]).sum(0)
    u, v, face = surface_coordinates(kind, local, half, centre[2])
    bulge = local / (half * half)
    rim = torch.stack([bulge[0], bulge[1], torch.zeros_like(u)])
    flat = torch.stack([(face == k).to(u.dtype) for k in range(3)])
    side = torch.where(kind == SPHERE, bulge, torch.where((kind == CYLINDER) & (face != 2), rim, flat))
    normal = (axes * side).sum(1)
    normal = normal / normal.square().sum(0).sqrt().clamp(min=_EPS)
    facing = (normal * d).sum(0) > 0
    return Surface(torch.where(facing, -normal, normal), u, v, face)
