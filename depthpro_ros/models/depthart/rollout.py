# SPDX-License-Identifier: Apache-2.0
"""Depth said scale by scale, from the image and from what the model said before (arXiv 2409.15010, equation 5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from depthpro_ros.models.depthart.folded import FoldedTransformer
from depthpro_ros.models.depthart.quantiser import MultiScaleQuantiser
from depthpro_ros.models.depthart.sampling import DecodingSettings, draw

ChooseCodes = Callable[[int, Tensor], tuple[Tensor, Tensor]]
"""(scale's number, logits [B, p^2, codes]) to codes [B, p^2] and the vectors to go on with [B, p^2, C]."""


@dataclass(frozen=True)
class Rollout:
    """What was said.

    Attributes:
        latents: float32 [B, C, s, s] after each scale; the last is the answer.
        codes: int64 [B, p_k^2] of each scale; the likeliest ones where vectors are means of several.
        inputs: float32 [B, p_k^2, C] of each scale but the first.
        finite: bool [], whether all logits were finite numbers.
        entropy: float32 [B] of each scale, mean entropy of its tokens in nats; empty if it was not asked for.
    """

    latents: tuple[Tensor, ...]
    codes: tuple[Tensor, ...]
    inputs: tuple[Tensor, ...]
    finite: Tensor
    entropy: tuple[Tensor, ...] = ()


def roll_out(
    transformer: FoldedTransformer,
    quantiser: MultiScaleQuantiser,
    prefix: Tensor,
    choose: ChooseCodes,
    *,
    want_entropy: bool = False,
) -> Rollout:
    """Say all scales.

    Args:
        transformer: that says them.
        quantiser: whose codes they are.
        prefix: the image, [B, P, dim].
        choose: codes from logits, see `chooser`.
        want_entropy: measure how sure the model is.
    """
    cache = transformer.cache(len(prefix))
    total: Tensor | None = None
    latents: list[Tensor] = []
    codes: list[Tensor] = []
    inputs: list[Tensor] = []
    entropy: list[Tensor] = []
    finite = torch.ones((), dtype=torch.bool, device=prefix.device)
    for scale in range(len(quantiser.scales)):
        if total is None:
            logits = transformer.begin(prefix, cache)
        else:
            inputs.append(quantiser.next_input(total, scale))
            logits = transformer.say(scale, inputs[-1], cache)
        finite = finite & logits.isfinite().all()
        chosen, vectors = choose(scale, logits)
        added = quantiser.contribution(scale, vectors)
        total = added if total is None else total + added
        latents.append(total)
        codes.append(chosen)
        if want_entropy:
            log_p = logits.log_softmax(-1)
            entropy.append(-(log_p.exp() * log_p).sum(-1).mean(1))
    return Rollout(tuple(latents), tuple(codes), tuple(inputs), finite, tuple(entropy))


def chooser(quantiser: MultiScaleQuantiser, settings: DecodingSettings, device: torch.device) -> ChooseCodes:
    """How a decoding chooses; draws begin at the seed."""
    codebook = quantiser.embedding.weight

    def likeliest(scale: int, logits: Tensor) -> tuple[Tensor, Tensor]:
        codes = logits.argmax(-1)
        return codes, codebook[codes].float()

    if settings.decoding == "argmax":
        return likeliest
    generator = torch.Generator(device).manual_seed(settings.seed)
    samples = 1 if settings.decoding == "spread" else settings.samples

    def drawn(scale: int, logits: Tensor) -> tuple[Tensor, Tensor]:
        # NaN is found by `Rollout.finite`; drawing from it would end in an error that names nothing
        codes = draw(logits.nan_to_num(0.0), settings, generator, samples)
        vectors = codebook[codes].float().mean(2)
        return (codes[..., 0] if samples == 1 else logits.argmax(-1)), vectors

    return drawn
