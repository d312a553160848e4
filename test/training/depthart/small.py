# SPDX-License-Identifier: Apache-2.0
"""A small model and images for it."""

from __future__ import annotations

import torch

from depthpro_ros.models.depthart.network import DepthArt
from depthpro_ros.models.depthart.presets import PICO
from depthpro_ros.models.depthart.transformer import initialise
from depthpro_ros.training.depthart.samples import Samples


def small_model(seed: int = 0) -> DepthArt:
    """PICO, with weights of a size that lets every part matter."""
    torch.manual_seed(seed)
    model = DepthArt(PICO)
    initialise(model.transformer, gate=1.0, head=1.0)
    torch.nn.init.normal_(model.tokenizer.quantize.embedding.weight, std=0.5)
    return model


def samples(model: DepthArt, count: int = 3) -> Samples:
    """Images of noise, with a latent of noise for their depth."""
    generator = torch.Generator().manual_seed(1)
    rgb = torch.randint(0, 256, (count, 8, 8, 3), dtype=torch.uint8, generator=generator)
    latent = torch.randn(count, 8, 4, 4, generator=generator)
    return Samples(None, model.features(rgb), latent)
