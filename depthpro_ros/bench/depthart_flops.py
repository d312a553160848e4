# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of one frame of DepthART, counted and not measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from depthpro_ros.bench.depthart_frame import STAGES
from depthpro_ros.models.depthart.config import DepthArtConfig
from depthpro_ros.models.depthart.tokenizer import Tokenizer


@dataclass(frozen=True)
class DepthArtFlops:
    """Floating-point operations of the published network for one image and one rollout with the likeliest codes.

    Attributes:
        stages: of each of `STAGES`, in order. The class condition is projected in every pass, as published.
    """

    stages: tuple[int, ...]

    @property
    def total(self) -> int:
        """Of a frame."""
        return sum(self.stages)

    @property
    def depth(self) -> int:
        """The same: there is no field of view."""
        return self.total

    def stage(self, name: str) -> int:
        """Of one of `STAGES`."""
        return self.stages[STAGES.index(name)]

    @property
    def floor(self) -> str:
        """The floor in a few words."""
        return "floor"

    @property
    def words(self) -> str:
        """How much it is."""
        return f"{self.total / 1e12:.3f} TFLOP"


def depthart_flops(config: DepthArtConfig) -> DepthArtFlops:
    """Count them.

    Args:
        config: of a network whose prefix is the image's token maps and sees the start token.
    """
    with torch.device("meta"):
        tokenizer = Tokenizer(config.tokenizer).requires_grad_(False)
        image = torch.empty(1, 3, config.tokenizer.image_px, config.tokenizer.image_px)
        latent = torch.empty(1, config.tokenizer.latent_dim, *[config.tokenizer.latent_px] * 2)
    encode = _counted([tokenizer.encoder, tokenizer.quant_conv], image) + _telling(config, image=True)
    decode = _counted([tokenizer.post_quant_conv, tokenizer.decoder], latent)
    passes = [_pass(config, 0, config.prefix_tokens + 1)]
    before = config.prefix_tokens + 1
    for side in config.tokenizer.scales[1:]:
        passes.append(_pass(config, before, side * side))
        before += side * side
    # the sum of what was said takes a shared convolution after each scale
    each = _telling(config, image=False) // len(config.tokenizer.scales)
    later = sum(passes[1:]) + each * len(passes)
    embedding = 2 * config.prefix_tokens * config.tokenizer.latent_dim * config.transformer.dim
    return DepthArtFlops((encode, passes[0] + embedding, later, decode))


def _counted(modules: Sequence[nn.Module], x: torch.Tensor) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        for module in modules:
            x = module(x)
    return int(counter.get_total_flops())


def _telling(config: DepthArtConfig, *, image: bool) -> int:
    """The quantiser's share: for an image, distances to all codes, and twice the sums of all scales."""
    t = config.tokenizer
    sums = len(t.scales) * 2 * 9 * t.latent_px**2 * t.latent_dim**2
    return 2 * t.tokens * t.latent_dim * t.codes + 2 * sums if image else sums


def _pass(config: DepthArtConfig, before: int, tokens: int) -> int:
    """So many tokens through the transformer, after so many others; the first pass answers for its last one alone."""
    t = config.transformer
    hidden = round(t.dim * t.mlp_ratio)
    linear = 2 * tokens * t.dim * (3 * t.dim + t.dim + 2 * hidden)
    attention = 4 * tokens * (before + tokens) * t.dim
    answers = tokens if before else 1
    head = 2 * answers * t.dim * config.tokenizer.codes
    embedding = 2 * tokens * config.tokenizer.latent_dim * t.dim if before else 0
    condition = 2 * t.dim * (6 * t.depth + 2) * t.dim
    return t.depth * (linear + attention) + condition + head + embedding
