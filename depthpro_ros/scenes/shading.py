# SPDX-License-Identifier: Apache-2.0
"""Light and air: what reaches surface points, and what lies before and behind them."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from depthpro_ros.scenes.culling import keys, touching
from depthpro_ros.scenes.layout import Layout
from depthpro_ros.scenes.raycast import RAYS, SolidTable, any_hit
from depthpro_ros.scenes.textures import value_noise

# Shadow rays start this far off the surface, so that it does not shade itself.
_LIFT_M = 3e-3
_SHADOW_M = 150.0
# Light so weak casts no shadow that anyone would see.
_FAINT = 0.03


def rows(device: torch.device, values: Sequence[Sequence[float]]) -> torch.Tensor:
    """One row of K numbers per scene, as [K, B, 1] to broadcast over pixels."""
    return torch.tensor(values, dtype=torch.float32, device=device).T[:, :, None]


def _unblocked(
    solids: SolidTable, point: torch.Tensor, lamp: torch.Tensor, is_sun: torch.Tensor, needed: torch.Tensor
) -> torch.Tensor:
    """Whether points [3, B, R] see the lamp (position, or direction where `is_sun` [B, 1]): bool [B, R]."""
    scenes, count = needed.shape
    # Rays run from the lamp to the point, or from the point to the sun: one origin or one direction per scene.
    axis = lamp / lamp.square().sum(0).sqrt().clamp(min=1e-6)
    origin = torch.where(is_sun, torch.zeros_like(lamp), lamp)
    key = keys(point - origin, axis, is_sun).reshape(3, scenes, -1, RAYS)
    pairs = touching(solids, key, needed.view(scenes, -1, RAYS), origin, axis, is_sun)
    blocked = torch.zeros(scenes, count, dtype=torch.bool, device=point.device)
    sun_pair = is_sun[:, 0][pairs[0] // (count // RAYS)]
    points = point.reshape(3, -1, RAYS)
    per_tile = lamp.expand(3, scenes, count // RAYS).reshape(3, -1, 1)
    for sunny in (True, False):
        some = pairs[:, sun_pair == sunny]
        if some.shape[1]:
            start, way, end = (points, per_tile, 1e6) if sunny else (per_tile, points - per_tile, 1.0)
            blocked |= any_hit(solids, some, start, way, end, scenes * count).view_as(blocked)
    return ~(blocked & needed)


def light(
    layouts: Sequence[Layout], solids: SolidTable, point: torch.Tensor, normal: torch.Tensor, *, shadows: bool = True
) -> torch.Tensor:
    """Light at points [3, B, R]: ambient with dark corners, main light and fill with hard shadows; linear RGB."""
    device = point.device
    lights = [layout.lighting for layout in layouts]
    indoor = rows(device, [(layout.room is not None,) for layout in layouts])[0] > 0
    half_at = rows(device, [(lamp.reach_m,) for lamp in lights])[0]
    lifted = point + _LIFT_M * normal

    def lambert(lamp: torch.Tensor, is_sun: torch.Tensor) -> torch.Tensor:
        towards = torch.where(is_sun, lamp.expand_as(point), lamp - point)
        square = towards.square().sum(0)
        cosine = ((normal * towards).sum(0) * square.clamp(min=1e-6).rsqrt()).clamp(min=0)
        return torch.where(is_sun, cosine, cosine * 2 / (1 + square / (half_at * half_at)))

    main = rows(device, [lamp.main for lamp in lights])
    near = point[:2].abs().amax(0) < _SHADOW_M
    strength = lambert(main, ~indoor)
    # Only lit faces within reach of the scene's solids need a shadow ray.
    brightest = rows(device, [(max(lamp.main_colour),) for lamp in lights])[0]
    if shadows:
        strength = strength * _unblocked(solids, lifted, main, ~indoor, (strength * brightest > _FAINT) & near)

    # Level faces that look up see more of the sky or the ceiling than walls do, and corners see less of it.
    ambient = (
        rows(device, [lamp.ambient for lamp in lights]) * (0.8 + 0.2 * normal[2]) * _openness(layouts, point, normal)
    )
    total = ambient + strength * rows(device, [lamp.main_colour for lamp in lights])
    filled = rows(device, [(max(lamp.fill_colour),) for lamp in lights])[0]
    if bool((filled > 0).any()):
        lamp = rows(device, [lamp.fill for lamp in lights])
        strength = lambert(lamp, torch.zeros_like(indoor))
        needed = (strength * filled > _FAINT) & near
        if shadows:
            strength = strength * _unblocked(solids, lifted, lamp, torch.zeros_like(indoor), needed)
        total = total + strength * rows(device, [lamp.fill_colour for lamp in lights])
    return total


def _openness(layouts: Sequence[Layout], point: torch.Tensor, normal: torch.Tensor) -> torch.Tensor:
    """Share of ambient light that is left near the floor and in the corners of a room [B, R]."""
    device = point.device
    far = 1e6
    low = rows(device, [(r.x0_m, r.y0_m, 0.0) if (r := s.room) else (-far, -far, 0.0) for s in layouts])
    high = rows(device, [(r.x1_m, r.y1_m, r.height_m) if (r := s.room) else (far, far, far) for s in layouts])
    # A face is not darkened by the wall that it lies on or looks away from.
    dim = torch.exp(-(point - low).abs() / 0.25) * (1 - normal).clamp(max=1)
    dim = dim + torch.exp(-(high - point).abs() / 0.25) * (1 + normal).clamp(max=1)
    return 1 - 0.45 * dim.amax(0).clamp(max=1)


def air(
    layouts: Sequence[Layout], table: torch.Tensor, colour: torch.Tensor, d: torch.Tensor, depth: torch.Tensor
) -> torch.Tensor:
    """Haze in front of far surfaces and the sky behind them: colour [3, B, R]."""
    if all(layout.room is not None for layout in layouts):
        return colour
    visibility = rows(colour.device, [(s.lighting.visibility_m if s.room is None else 1e9,) for s in layouts])[0]
    horizon = rows(colour.device, [s.lighting.horizon for s in layouts])
    clear = torch.exp(-depth * d.square().sum(0).sqrt() / visibility)
    return torch.where(depth.isinf(), sky(layouts, table, d), torch.lerp(horizon.expand_as(d), colour, clear))


def sky(layouts: Sequence[Layout], table: torch.Tensor, d: torch.Tensor) -> torch.Tensor:
    """Colour of the sky along d [3, B, R]."""
    device = d.device
    lights = [layout.lighting for layout in layouts]
    length = d.square().sum(0).sqrt()
    up = d[2] / length
    horizon = rows(device, [lamp.horizon for lamp in lights])
    rise = up.clamp(0, 1).sqrt()
    colour = torch.lerp(horizon.expand_as(d), rows(device, [lamp.zenith for lamp in lights]).expand_as(d), rise)
    # Clouds lie on a level sheet; towards the horizon they shrink below a pixel and fade.
    flat = up.clamp(min=0.02)
    u, v = (d[0] / length / flat * 1.5).flatten(), (d[1] / length / flat * 1.5).flatten()
    puff = 0.55 * value_noise(table, u, v) + 0.3 * value_noise(table, 2.7 * u + 9, 2.7 * v)
    puff = puff + 0.15 * value_noise(table, 7.1 * u + 3, 7.1 * v)
    cover = rows(device, [(lamp.cloud,) for lamp in lights])[0]
    puff = ((puff.view_as(up) - 0.45) * 4).clamp(0, 1) * cover * ((up - 0.05) * 4).clamp(0, 1)
    return torch.lerp(colour, (horizon * 1.1).clamp(max=1.2).expand_as(d), puff)
