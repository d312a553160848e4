# SPDX-License-Identifier: Apache-2.0
"""Random changes of training images that change colours only.

The sums are exact or element by element, so that the result does not depend on how many threads there are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from depthpro_ros.training.data.augment import Change, Colour, flip
from depthpro_ros.training.data.batch import Batch

GREY = (0.299, 0.587, 0.114)
"""ITU-R BT.601's luma."""


def apply(batch: Batch, changes: Sequence[Change]) -> Batch:
    """Mirror, recolour, blur and disturb each image as its change says; crops are made before, on the frames."""
    batch = flip(batch, changes)
    images = []
    for rgb, change in zip(batch.rgb, changes, strict=True):
        if change.gamma != (1.0, 1.0, 1.0):
            rgb = bend(rgb, change.gamma)
        if change.colour is not None:
            rgb = recolour(rgb, change.colour)
        if change.blur > 0:
            rgb = blur(rgb, change.blur * rgb.shape[1])
        if change.noise > 0:
            rgb = disturb(rgb, change.noise, change.noise_seed)
        images.append(rgb)
    return replace(batch, rgb=torch.stack(images))


def bend(rgb: Tensor, gamma: tuple[float, float, float]) -> Tensor:
    """Bend each colour's tone curve: v becomes 255 (v / 255)^gamma.

    Args:
        rgb: uint8 [H, W, 3].
        gamma: exponents of red, green and blue.
    """
    tones = torch.arange(256, dtype=torch.float64) / 255
    curves = (255 * tones[None] ** torch.tensor(gamma, dtype=torch.float64)[:, None]).round().byte().to(rgb.device)
    return torch.stack([curve[rgb[..., channel].long()] for channel, curve in enumerate(curves)], dim=-1)


def disturb(rgb: Tensor, sigma: float, seed: int) -> Tensor:
    """Add Gaussian noise, independent for every pixel and colour.

    Args:
        rgb: uint8 [H, W, 3].
        sigma: standard deviation, of full scale.
        seed: the same noise for the same seed, on one kind of device.
    """
    generator = torch.Generator(rgb.device).manual_seed(seed)
    noise = torch.randn(rgb.shape, generator=generator, device=rgb.device)
    return (rgb + 255 * sigma * noise).round_().clamp_(0, 255).byte()


def recolour(rgb: Tensor, colour: Colour) -> Tensor:
    """Change brightness and balance, then contrast, then saturation.

    Args:
        rgb: uint8 [H, W, 3].
        colour: factors.
    """
    gain = torch.tensor(colour.balance, dtype=torch.float32, device=rgb.device) * colour.brightness
    weights = torch.tensor(GREY, dtype=torch.float32, device=rgb.device)
    # an integer sum is the same in any order
    mean = rgb.sum((0, 1), dtype=torch.int64).double() / (rgb.shape[0] * rgb.shape[1])
    mean_grey = (mean.float() * gain * weights).sum()
    pixels = (rgb * gain - mean_grey) * colour.contrast + mean_grey
    grey = (pixels[..., 0] * GREY[0] + pixels[..., 1] * GREY[1] + pixels[..., 2] * GREY[2])[..., None]
    return ((pixels - grey) * colour.saturation + grey).round_().clamp_(0, 255).byte()


def blur(rgb: Tensor, sigma_px: float) -> Tensor:
    """Gaussian blur; beyond the border the outermost pixels go on.

    Args:
        rgb: uint8 [H, W, 3].
        sigma_px: standard deviation.
    """
    radius = math.ceil(3 * sigma_px)
    weights = [math.exp(-0.5 * (k / sigma_px) ** 2) for k in range(-radius, radius + 1)]
    pixels = rgb.float()
    for dim in (0, 1):
        length = pixels.shape[dim]
        places = torch.arange(length, device=rgb.device)
        blurred = torch.zeros_like(pixels)
        for k, weight in zip(range(-radius, radius + 1), weights, strict=True):
            shifted = pixels.index_select(dim, (places + k).clamp(0, length - 1))
            blurred += shifted * (weight / sum(weights))
        pixels = blurred
    return pixels.round_().clamp_(0, 255).byte()
