# SPDX-License-Identifier: Apache-2.0
"""Ray intersections with boxes, vertical cylinders and spheres, batched over scenes.

World frame: x and y level, z up, ground at z = 0 (REP 103). Rays are o + t d with d of any length: with d
scaled to depth 1 along the optical axis, t is the z-depth itself.
Vectors are stored [3, N], a row per component.

Bounding spheres pick the few (solid, ray) pairs that may touch; only those get an exact test.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

BOX, CYLINDER, SPHERE = 0, 1, 2
_EPS = 1e-9


@dataclass(frozen=True)
class SolidTable:
    """Solids of B scenes, P slots each.

    Attributes:
        kind: int64 [B, P], BOX, CYLINDER or SPHERE.
        centre: float32 [3, B, P] metres.
        cos, sin: float32 [B, P] of the yaw about z.
        half: float32 [3, B, P] half sizes in metres; cylinders: radius twice, half height;
            spheres: radius three times.
        bound: float32 [B, P] bounding radius in metres, negative for an empty slot.
    """

    kind: torch.Tensor
    centre: torch.Tensor
    cos: torch.Tensor
    sin: torch.Tensor
    half: torch.Tensor
    bound: torch.Tensor


def to_local(solids: SolidTable, index: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    """Turn world vectors [3, N] into the axes of the solids `index` (int64 [N] into B * P)."""
    cos, sin = solids.cos.flatten()[index], solids.sin.flatten()[index]
    x, y, z = vector
    return torch.stack([cos * x + sin * y, cos * y - sin * x, z])


def to_world(solids: SolidTable, index: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    """Inverse of `to_local`."""
    cos, sin = solids.cos.flatten()[index], solids.sin.flatten()[index]
    x, y, z = vector
    return torch.stack([cos * x - sin * y, sin * x + cos * y, z])


def _safe(value: torch.Tensor) -> torch.Tensor:
    return torch.where(value.abs() < _EPS, _EPS, value)


def _slab(o: torch.Tensor, d: torch.Tensor, half: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    inverse = 1 / _safe(d)
    middle, reach = -o * inverse, half * inverse.abs()
    return middle - reach, middle + reach


def _round(o: torch.Tensor, d: torch.Tensor, radius: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Entry and exit of a circle (2 rows) or sphere (3 rows); entry > exit where missed."""
    # Solved about the closest approach, not the ray origin: far small solids would lose digits otherwise.
    a = _safe((d * d).sum(0))
    middle = -(o * d).sum(0) / a
    nearest = o + middle * d
    square = (radius * radius - (nearest * nearest).sum(0)) / a
    reach = square.clamp(min=0).sqrt()
    return torch.where(square < 0, torch.inf, middle - reach), middle + reach


def _entry(kind: int, o: torch.Tensor, d: torch.Tensor, half: torch.Tensor) -> torch.Tensor:
    """Ray parameter where local rays [3, N] enter the solid, +inf where they miss it or start behind."""
    if kind == BOX:
        near, far = _slab(o, d, half)
        enter, leave = near.amax(0), far.amin(0)
    elif kind == CYLINDER:
        side_in, side_out = _round(o[:2], d[:2], half[0])
        cap_in, cap_out = _slab(o[2], d[2], half[2])
        enter, leave = torch.maximum(side_in, cap_in), torch.minimum(side_out, cap_out)
    else:
        enter, leave = _round(o, d, half[0])
    return torch.where((enter <= leave) & (enter > 0), enter, torch.inf)


def _candidates(solids: SolidTable, o: torch.Tensor, d: torch.Tensor, t_max: torch.Tensor) -> torch.Tensor:
    """Pairs (scene, slot, ray) where a ray with t_max > 0 meets a bounding sphere: int64 [3, pairs]."""
    scenes = solids.bound.shape[0]
    # A GPU may be set to round float32 matrix products to TF32, which would drop hits here; float64 never is.
    dtype = torch.float64 if d.is_cuda else torch.float32
    centre, bound = solids.centre.permute(1, 2, 0).to(dtype), solids.bound[:, :, None].to(dtype)
    o, d, t_max = (x.reshape(-1, scenes, x.shape[-1] // scenes).transpose(0, 1).to(dtype) for x in (o, d, t_max[None]))
    d = d / (d * d).sum(1, keepdim=True).sqrt().clamp(min=_EPS)
    one, big = torch.ones_like(t_max), 1e18
    # Squared distance from origin to centre, less the squared radius: one product [B, P, 5] x [B, 5, R].
    # The slack keeps rounding from ever dropping a true hit; `big` drops idle rays and empty slots.
    slack = 1 - 1e-5
    power = (centre * centre).sum(2, keepdim=True) * slack - 1.01 * bound * bound - 1e-3
    power = torch.where(bound > 0, power, big)
    square = torch.where(t_max > 0, (o * o).sum(1, keepdim=True) * slack, big)
    left = torch.cat([-2 * slack * centre, power, torch.ones_like(bound)], 2)
    gap = left @ torch.cat([o, one, square], 1)
    along = torch.cat([centre, -torch.ones_like(bound)], 2) @ torch.cat([d, (o * d).sum(1, keepdim=True)], 1)
    touched = along > -bound
    touched &= gap < along.square_()
    return touched.nonzero().T


def nearest_hit(
    solids: SolidTable, o: torch.Tensor, d: torch.Tensor, t_max: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Find the first solid along each ray.

    Args:
        solids: of B scenes.
        o, d: ray origins and directions, float32 [3, B * R], scene by scene.
        t_max: float32 [B * R]; hits at or beyond it do not count.

    Returns:
        t float32 [B * R], the smaller of the hit and t_max, and the slot int64 [B * R], -1 for no hit.
    """
    scenes, slots = solids.bound.shape
    best = t_max.clone()
    slot_of = torch.full(best.shape, -1, dtype=torch.int64, device=best.device)
    if slots == 0:
        return best, slot_of
    scene, slot, ray = _candidates(solids, o, d, t_max)
    ray = scene * (best.shape[0] // scenes) + ray
    solid = scene * slots + slot
    kinds = solids.kind.flatten()[solid]
    found: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
    for kind in (BOX, CYLINDER, SPHERE):
        pick = (kinds == kind).nonzero()[:, 0]
        index, at = solid[pick], ray[pick]
        start = to_local(solids, index, o[:, at] - solids.centre.flatten(1)[:, index])
        t = _entry(kind, start, to_local(solids, index, d[:, at]), solids.half.flatten(1)[:, index])
        best.scatter_reduce_(0, at, t, "amin")
        found.append((t, at, slot[pick]))
    for t, at, which in found:
        # Of two solids at exactly one depth the higher slot wins, in whatever order the device writes.
        won = ((t == best[at]) & (t < t_max[at])).nonzero()[:, 0]
        slot_of.scatter_reduce_(0, at[won], which[won], "amax")
    return best, slot_of


@dataclass(frozen=True)
class Surface:
    """Where rays ended: the normal (world, facing the ray) [3, N] and texture coordinates in metres [N]."""

    normal: torch.Tensor
    u: torch.Tensor
    v: torch.Tensor
    axis_z: torch.Tensor  # bool [N], the face is level (floor, ceiling, top)


def surface_at(solids: SolidTable, index: torch.Tensor, point: torch.Tensor, d: torch.Tensor) -> Surface:
    """Describe solids `index` (int64 [N] into B * P) at the world points [3, N] hit along d [3, N]."""
    kind = solids.kind.flatten()[index]
    half = solids.half.flatten(1)[:, index]
    x, y, z = local = to_local(solids, index, point - solids.centre.flatten(1)[:, index])
    rx, ry, rz = local.abs() / half
    radial = torch.sqrt(x * x + y * y)
    is_box, is_ball = kind == BOX, kind == SPHERE
    level = torch.where(is_box, rz >= torch.maximum(rx, ry), (rz > radial / half[0]) & ~is_ball)
    face_x = rx > ry
    angle = torch.atan2(y, x) * half[0]
    u = torch.where(level, x, torch.where(is_box, torch.where(face_x, y, x), angle))
    v = torch.where(level, y, torch.where(is_ball, torch.asin((z / half[2]).clamp(-1, 1)) * half[2], point[2]))

    zero = torch.zeros_like(x)
    one = torch.ones_like(x)
    nx = torch.where(is_box, torch.where(face_x, one, zero), x / half[0])
    ny = torch.where(is_box, torch.where(face_x, zero, one), y / half[1])
    nz = torch.where(is_ball, z / half[2], zero)
    nx, ny, nz = torch.where(level, zero, nx), torch.where(level, zero, ny), torch.where(level, one, nz)
    normal = to_world(solids, index, torch.stack([nx, ny, nz]))
    facing = (normal * d).sum(0) > 0
    return Surface(torch.where(facing, -normal, normal), u, v, level)
