# SPDX-License-Identifier: Apache-2.0
"""Random changes of training images: which ones, and those that change the geometry.

The changes and how often each is made follow arXiv 2410.02073 (colour 75 %, blur 30 %, centre crop 50 %) with a
mirror image half of the time; their strengths, which the paper does not give, are chosen here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch

from depthpro_ros.frames import RgbdFrame
from depthpro_ros.training.data.batch import Batch

SMALLEST_SHARE = 0.5
COLOUR_STRENGTH = 0.3
BALANCE_STRENGTH = 0.1
BLUR_SIGMA = (0.0005, 0.003)
"""Of the image's width: the same lens is as blurred for a network of any size."""
GAMMA_OCTAVES = 1.0
"""Each colour's tone curve is bent by an exponent of 1/2 to 2."""
NOISE_SIGMA = (0.005, 0.05)
"""Of full scale."""


class Rates(Protocol):
    """How often each change is made, 0 to 1, and how far colours change (1: as this module's constants say)."""

    @property
    def colour(self) -> float: ...
    @property
    def colour_strength(self) -> float: ...
    @property
    def tone(self) -> float: ...
    @property
    def noise(self) -> float: ...
    @property
    def blur(self) -> float: ...
    @property
    def crop(self) -> float: ...
    @property
    def flip(self) -> float: ...


@dataclass(frozen=True)
class PaperRates:
    """The paper's."""

    colour: float = 0.75
    blur: float = 0.30
    crop: float = 0.50
    flip: float = 0.50
    colour_strength: float = 1.0
    tone: float = 0.0
    noise: float = 0.0


@dataclass(frozen=True)
class Colour:
    """A change of colours; the defaults change nothing.

    Attributes:
        brightness: factor.
        contrast: factor about the image's mean grey.
        saturation: factor about each pixel's grey.
        balance: factors of red, green and blue.
    """

    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    balance: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Change:
    """What is done to one image; the defaults change nothing.

    Attributes:
        share: of width and height that a centre crop keeps.
        flip: mirrored, left to right.
        gamma: exponents of red, green and blue, each 0 to 1; all 1 for none.
        colour: made after gamma; None leaves the colours alone.
        blur: standard deviation of a Gaussian, of the image's width; 0 for none.
        noise: standard deviation of Gaussian noise on every pixel and colour, of full scale; 0 for none.
        noise_seed: of that noise.
    """

    share: float = 1.0
    flip: bool = False
    gamma: tuple[float, float, float] = (1.0, 1.0, 1.0)
    colour: Colour | None = None
    blur: float = 0.0
    noise: float = 0.0
    noise_seed: int = 0


def draw(rng: np.random.Generator, rates: Rates) -> Change:
    """Draw the changes of one image; always takes as many numbers from `rng`, whatever the rates."""
    crop, flip, tone, colour, blur, noise = rng.random(6)
    share = rng.uniform(SMALLEST_SHARE, 1.0)
    sigma = rng.uniform(*BLUR_SIGMA)
    noise_sigma = rng.uniform(*NOISE_SIGMA)
    noise_seed = rng.integers(1 << 31)
    brightness, contrast, saturation = 1 + rates.colour_strength * COLOUR_STRENGTH * rng.uniform(-1, 1, 3)
    red, green, blue = 1 + rates.colour_strength * BALANCE_STRENGTH * rng.uniform(-1, 1, 3)
    gamma = np.exp2(GAMMA_OCTAVES * rng.uniform(-1, 1, 3))
    drawn = Colour(float(brightness), float(contrast), float(saturation), (float(red), float(green), float(blue)))
    noisy = noise < rates.noise
    return Change(
        share=float(share) if crop < rates.crop else 1.0,
        flip=bool(flip < rates.flip),
        gamma=(float(gamma[0]), float(gamma[1]), float(gamma[2])) if tone < rates.tone else (1.0, 1.0, 1.0),
        colour=drawn if colour < rates.colour else None,
        blur=float(sigma) if blur < rates.blur else 0.0,
        noise=float(noise_sigma) if noisy else 0.0,
        noise_seed=int(noise_seed) if noisy else 0,
    )


def crop(frame: RgbdFrame, share: float) -> RgbdFrame:
    """The middle of a frame, as a lens with a longer focal length sees it.

    Depth and focal length in pixels stay as they are, and the width W becomes W' = share W. So the field of
    view becomes 2 atan(W' / 2 fx), and C = fx / (W' D) grows by 1 / share. The same number of columns (rows)
    goes on either side, so that the principal point stays in the middle.

    Args:
        frame: any size.
        share: kept part of width and height, in ]0, 1].
    """
    height, width = frame.depth_m.shape
    top, left = (min(round(0.5 * length * (1 - share)), (length - 1) // 2) for length in (height, width))
    window = slice(top, height - top), slice(left, width - left)
    return RgbdFrame(frame.rgb[window], frame.depth_m[window], frame.fx_px)


def flip(batch: Batch, changes: Sequence[Change]) -> Batch:
    """Mirror the images whose change says so; neither C nor the field of view is another then."""
    mirrored = torch.tensor([change.flip for change in changes], device=batch.rgb.device).view(-1, 1, 1)
    return replace(
        batch,
        rgb=torch.where(mirrored[..., None], batch.rgb.flip(2), batch.rgb),
        canonical=torch.where(mirrored, batch.canonical.flip(2), batch.canonical),
        valid=torch.where(mirrored, batch.valid.flip(2), batch.valid),
    )
