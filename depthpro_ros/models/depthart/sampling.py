# SPDX-License-Identifier: Apache-2.0
"""From logits to token vectors: the likeliest code, or the mean of several that are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from depthpro_ros.errors import InputError

Decoding = Literal["argmax", "sampled", "spread"]
DECODINGS: tuple[Decoding, ...] = ("argmax", "sampled", "spread")


@dataclass(frozen=True)
class DecodingSettings:
    """How tokens are chosen.

    Attributes:
        decoding: `argmax`, the likeliest code; `sampled`, for each token the mean of several drawn codes, in one pass
            (as the authors of DepthART do); `spread`, several passes with one drawn code each, whose mean depth is
            returned with its relative standard deviation.
        samples: how many are drawn.
        top_k: codes that may be drawn are among the likeliest so many; 0 is all.
        top_p: and among the likeliest that hold this share of the probability together; 1 is all.
        seed: draws start from it for each image, so that the same image gives the same depth.

    Raises:
        InputError: a value is out of range.
    """

    decoding: Decoding = "argmax"
    samples: int = 5
    top_k: int = 900
    top_p: float = 0.9
    seed: int = 0

    def __post_init__(self) -> None:
        if self.decoding not in DECODINGS:
            raise InputError(f"decoding {self.decoding!r} is unknown: choose {', '.join(DECODINGS)}")
        if not 1 <= self.samples <= 1000:
            raise InputError(f"samples is {self.samples}, expected 1 to 1000")
        if self.top_k < 0 or not 0 < self.top_p <= 1 or self.seed < 0:
            raise InputError(
                f"top_k {self.top_k}, top_p {self.top_p}, seed {self.seed}: expected top_k and seed of at least 0 and "
                "top_p above 0 and at most 1"
            )


def truncate(logits: Tensor, top_k: int, top_p: float) -> Tensor:
    """Give codes that may not be drawn a logit of minus infinity.

    Args:
        logits: [..., codes].
        top_k: those below the k-th largest are out; 0 for none.
        top_p: of the others, the least likely that hold 1 - top_p of the probability together are out, never the
            likeliest.
    """
    if 0 < top_k < logits.shape[-1]:
        least = logits.topk(top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    if top_p < 1:
        ordered, places = logits.sort(dim=-1)
        out = ordered.softmax(-1).cumsum(-1) <= 1 - top_p
        out[..., -1] = False
        logits = logits.masked_fill(out.scatter(-1, places, out), -torch.inf)
    return logits


def draw(logits: Tensor, settings: DecodingSettings, generator: torch.Generator, samples: int) -> Tensor:
    """Draw codes with replacement, int64 [..., samples].

    Args:
        logits: float32 [..., codes].
        settings: for `top_k` and `top_p`.
        generator: on the logits' device.
        samples: for each token.
    """
    weights = truncate(logits, settings.top_k, settings.top_p).softmax(-1)
    flat = torch.multinomial(weights.flatten(0, -2), samples, replacement=True, generator=generator)
    return flat.view(*logits.shape[:-1], samples)
