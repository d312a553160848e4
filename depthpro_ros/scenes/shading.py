# SPDX-License-Identifier: Apache-2.0
"""Light, air and sensor: from surface colours to the 8-bit image."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from depthpro_ros.scenes.layout import Layout
from depthpro_ros.scenes.raycast import SolidTable, nearest_hit
from depthpro_ros.scenes.textures import value_noise

# Shadow rays start this far off the surface, so that it does not shade itself.
_LIFT_M = 2e-3
_SHADOW_M = 150.0


def rows(device: torch.device, values: Sequence[Sequence[float]]) -> torch.Tensor:
    """One row of K numbers per scene, as [K, B, 1] to broadcast over pixels."""
    return torch.tensor(values, dtype=torch.float32, device=device).T[:, :, None]


def light(layouts: Sequence[Layout], solids: SolidTable, point: torch.Tensor, normal: torch.Tensor) -> torch.Tensor:
    """Light at points [3, B * R]: ambient, fill, and the main light with hard shadows; linear RGB."""
    scenes, device = len(layouts), point.device

    lights = [layout.lighting for layout in layouts]
    indoor = rows(device, [(layout.room is not None,) for layout in layouts])[0] > 0
    half_at = rows(device, [(lamp.reach_m,) for lamp in lights])[0]
    p, n = point.reshape(3, scenes, -1), normal.reshape(3, scenes, -1)

    def lambert(towards: torch.Tensor, is_lamp: torch.Tensor) -> torch.Tensor:
        square = (towards * towards).sum(0)
        cosine = ((n * towards).sum(0) * square.clamp(min=1e-6).rsqrt()).clamp(min=0)
        return torch.where(is_lamp, cosine * 2 / (1 + square / (half_at * half_at)), cosine)

    main = rows(device, [lamp.main for lamp in lights])
    towards = torch.where(indoor, main - p, main.expand_as(p))
    strength = lambert(towards, indoor)
    # Only lit faces within reach of the scene's solids need a shadow ray: a limit of 0 idles the others.
    needed = (strength > 0) & (p[:2].abs().amax(0) < _SHADOW_M)
    t_max = torch.where(needed, torch.where(indoor, 1.0, 1e6), 0.0).flatten()
    lifted = (p + _LIFT_M * n).reshape(3, -1)
    _, blocker = nearest_hit(solids, lifted, towards.reshape(3, -1), t_max)
    strength = strength * (blocker < 0).reshape(scenes, -1)

    # Level faces that look up see more of the sky or the ceiling than walls do.
    ambient = rows(device, [lamp.ambient for lamp in lights]) * (0.85 + 0.15 * n[2])
    total = ambient + strength * rows(device, [lamp.main_colour for lamp in lights])
    if any(max(lamp.fill_colour) > 0 for lamp in lights):
        fill = lambert(rows(device, [lamp.fill for lamp in lights]) - p, indoor)
        total = total + fill * rows(device, [lamp.fill_colour for lamp in lights])
    return total.reshape(3, -1)


def air(
    layouts: Sequence[Layout], table: torch.Tensor, colour: torch.Tensor, d: torch.Tensor, depth: torch.Tensor
) -> torch.Tensor:
    """Haze in front of far surfaces and the sky behind them: colour [3, B, R]."""
    if all(layout.room is not None for layout in layouts):
        return colour
    device = colour.device
    lights = [layout.lighting for layout in layouts]
    length = (d * d).sum(0).sqrt()
    up = d[2] / length
    horizon = rows(device, [lamp.horizon for lamp in lights])
    rise = up.clamp(0, 1).sqrt()
    sky = torch.lerp(horizon.expand_as(d), rows(device, [lamp.zenith for lamp in lights]).expand_as(d), rise)
    # Clouds lie on a level sheet; towards the horizon they shrink below a pixel and fade.
    flat = up.clamp(min=0.02)
    u, v = (d[0] / length / flat * 1.5).flatten(), (d[1] / length / flat * 1.5).flatten()
    puff = 0.6 * value_noise(table, u, v) + 0.4 * value_noise(table, 2.7 * u + 9, 2.7 * v)
    cover = rows(device, [(lamp.cloud,) for lamp in lights])[0]
    puff = ((puff.view_as(up) - 0.45) * 4).clamp(0, 1) * cover * ((up - 0.05) * 4).clamp(0, 1)
    sky = torch.lerp(sky, (horizon * 1.1).clamp(max=1).expand_as(d), puff)
    visibility = rows(device, [(s.lighting.visibility_m if s.room is None else 1e9,) for s in layouts])[0]
    clear = torch.exp(-depth * length / visibility)
    return torch.where(depth.isinf(), sky, torch.lerp(horizon.expand_as(d), colour, clear))


def sensor(layouts: Sequence[Layout], colour: torch.Tensor, x_px: torch.Tensor, y_px: torch.Tensor) -> torch.Tensor:
    """Exposure, white balance, vignette, gamma and noise: linear [3, B, R] to uint8 [B, R, 3]."""
    device = colour.device
    photos = [layout.photo for layout in layouts]
    gain = rows(device, [tuple(p.exposure * w for w in p.white_balance) for p in photos])
    diagonal = max(float(x_px[-1] ** 2 + y_px[-1] ** 2), 1.0)
    radius = ((x_px**2)[None, :] + (y_px**2)[:, None]).flatten() / diagonal
    vignette = 1 - rows(device, [(p.vignette,) for p in photos])[0] * radius
    image = (colour * gain * vignette).clamp(1e-4, 1) ** rows(device, [(1 / p.gamma,) for p in photos])[0]
    seeds = torch.tensor([p.noise_seed for p in photos], dtype=torch.int32, device=colour.device)
    image = image + rows(device, [(p.noise,) for p in photos])[0] * _gaussian(seeds, colour.shape[2])
    return (image.clamp(0, 1) * 255 + 0.5).to(torch.uint8).permute(1, 2, 0).contiguous()


def _gaussian(seeds: torch.Tensor, count: int) -> torch.Tensor:
    """Unit noise [3, B, count], nearly normal, from an integer hash: the same on every device."""
    index = torch.arange(3 * count, dtype=torch.int32, device=seeds.device).reshape(3, 1, count)
    x = index * 747796405 + seeds[:, None]
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B - 2**32), (16, 1)):
        # int32 shifts drag the sign along; the mask makes them logical.
        x = (x ^ ((x >> shift) & ((1 << (32 - shift)) - 1))) * factor
    total = (x & 255) + ((x >> 8) & 255) + ((x >> 16) & 255) + ((x >> 24) & 255)
    # Sum of four uniform bytes: mean 510, variance 4 (256^2 - 1) / 12.
    return (total.float() - 510) / math.sqrt((256**2 - 1) / 3)
