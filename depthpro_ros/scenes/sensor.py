# SPDX-License-Identifier: Apache-2.0
"""Lens and sensor: exposure, vignette, blur, tone curve and noise, from light to the 8-bit image."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from depthpro_ros.scenes.layout import Layout
from depthpro_ros.scenes.shading import rows

# What a camera's automatic makes of a scene: its typical light becomes middle grey.
_MIDDLE_GREY = 0.24


def sensor(layouts: Sequence[Layout], colour: torch.Tensor) -> torch.Tensor:
    """Linear light [3, B, H, W] to uint8 [B, H, W, 3]."""
    device, (height, width) = colour.device, colour.shape[2:]
    photos = [layout.photo for layout in layouts]

    def column(values: list[float]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float32, device=device)[:, None, None]

    light = colour.mean(0).clamp(1e-3, 20)
    # The mean of logarithms leaves out what a lamp, a window or the sky would do to a plain mean.
    typical = light.clamp(min=0.02, max=0.6).log().mean((1, 2), True).exp()
    gain = column([p.exposure for p in photos]) * _MIDDLE_GREY / typical
    x = torch.linspace(-1, 1, width, device=device).square()
    y = torch.linspace(-1, 1, height, device=device).square()
    gain = gain * (1 - column([p.vignette for p in photos]) * 0.5 * (x + y[:, None]))
    balance = rows(device, [p.white_balance for p in photos])[..., None]
    image = _blurred(colour * gain * balance, column([_side_weight(p.blur_px) for p in photos]))
    # A soft shoulder, as film and every camera's tone curve have.
    image = 1 - torch.exp(-1.25 * image.clamp(min=0) - 0.6 * image.clamp(min=0).square())
    image = image.clamp(1e-4, 1) ** column([1 / p.gamma for p in photos])
    seeds = torch.tensor([p.noise_seed for p in photos], dtype=torch.int32, device=device)
    noise = _gaussian(seeds, height * width).view_as(image)
    image = image + column([p.noise for p in photos]) * noise
    return (image.clamp(0, 1) * 255 + 0.5).to(torch.uint8).permute(1, 2, 3, 0).contiguous()


def _side_weight(sigma_px: float) -> float:
    """Weight of each neighbour in a kernel of three with that standard deviation."""
    return min(0.5 * sigma_px * sigma_px, 1 / 3)


def _blurred(image: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Separable blur of [3, B, H, W] with the kernel (w, 1 - 2 w, w), borders repeated."""
    for axis in (2, 3):
        size = image.shape[axis]
        index = torch.arange(size, device=image.device)
        before = image.index_select(axis, (index - 1).clamp(min=0))
        after = image.index_select(axis, (index + 1).clamp(max=size - 1))
        image = image + weight * (before + after - 2 * image)
    return image


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
