# SPDX-License-Identifier: Apache-2.0
"""What a transformer is trained on: an image's features, and its true depth as a latent."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from depthpro_ros.models.depthart.network import DepthArt
from depthpro_ros.models.depthart.relative import encode_depth, far_depth, fill_unknown
from depthpro_ros.training.data.batch import Batch

FARTHEST_M = 80.0
"""Finite depth beyond it is seen as the sky is: an open field's horizon would take all of the code's range."""


@dataclass(frozen=True)
class Samples:
    """Images for one step.

    Attributes:
        rgb: uint8 [B, S, S, 3]; None where features stand for it.
        features: [B, P, C], see `DepthArt.features`; None where the image is yet to be encoded.
        latent: float32 [B, C, s, s], the true depth's, before it is quantised.
    """

    rgb: Tensor | None
    features: Tensor | None
    latent: Tensor

    def __len__(self) -> int:
        return len(self.latent)

    def map(self, change: Callable[[Tensor], Tensor]) -> Samples:
        """The same with each tensor changed."""
        rgb, features = (None if t is None else change(t) for t in (self.rgb, self.features))
        return Samples(rgb, features, change(self.latent))


def depth_of(batch: Batch) -> tuple[Tensor, Tensor]:
    """Depth in metres [B, S, S], +inf for the sky and beyond `FARTHEST_M`, and where it is known."""
    focal = 0.5 / torch.tan(0.5 * batch.fov_deg * math.pi / 180)
    depth = focal.view(-1, 1, 1) / batch.canonical  # inf where C is 0: sky
    depth = torch.where(depth > FARTHEST_M, torch.inf, depth)
    return depth, batch.valid


def depth_image(batch: Batch, model: DepthArt) -> tuple[Tensor, Tensor]:
    """What the tokenizer sees of depth, [B, 3, S, S] in [-1, 1], and where it is known [B, S, S].

    Images of nothing but sky have no 98th percentile and come out as unknown.
    """
    depth, valid = depth_of(batch)
    far = far_depth(depth, valid)
    valid = valid & far.isfinite().view(-1, 1, 1)
    x = encode_depth(torch.where(valid, depth, 1.0), far.nan_to_num(1.0), model.config.depth_code)
    image = fill_unknown(x, valid)[:, None].expand(-1, 3, -1, -1)
    return image.contiguous(memory_format=torch.channels_last), valid


@torch.no_grad()
def prepare(batch: Batch, model: DepthArt, *, features: bool) -> Samples:
    """Tokenize the true depth, and encode the image if its encoder is not trained."""
    image, _ = depth_image(batch, model)
    latent = model.tokenizer.encode(image)
    if features:
        return Samples(None, model.features(batch.rgb), latent)
    return Samples(batch.rgb, None, latent)
