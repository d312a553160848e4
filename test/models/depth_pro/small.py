# SPDX-License-Identifier: Apache-2.0
"""Small Depth Pro networks with random weights that all take part."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch

from depthpro_ros.models.depth_pro.config import DepthProConfig
from depthpro_ros.models.depth_pro.inference import MergedDepthPro
from depthpro_ros.models.depth_pro.network import DepthPro
from depthpro_ros.models.vit import ViTConfig

VIT = ViTConfig(32, 4, 2)
SMALL = DepthProConfig(
    window_px=64,
    patch_px=8,
    patch_encoder=VIT,
    image_encoder=ViTConfig(48, 3, 3),
    fov_encoder=VIT,
    hooks=(0, 2),
    latent_dims=(16, 12),
    pyramid_dims=(16, 32, 48),
    decoder_dim=16,
    head_dim=8,
)
TINY = replace(SMALL, window_px=32)
"""With a quarter of the pixels; windows overlap by one token and by two."""


def original(config: DepthProConfig = SMALL, dtype: torch.dtype = torch.float64) -> DepthPro:
    """A network whose output is above its last ReLU, so that an error anywhere is seen."""
    generator = torch.Generator().manual_seed(0)
    network = DepthPro(config).double().eval().requires_grad_(False)
    for parameter in network.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * 0.15)
    last = network.head[4]
    last.weight /= 3
    last.bias.fill_(2.0)
    network.fov.head[4].weight /= 3
    network.fov.head[4].bias.fill_(55.0)
    return network.to(dtype)


def merged(network: DepthPro, dtype: torch.dtype | None = None, window_px: int | None = None) -> MergedDepthPro:
    """The merged form; the original stays as it is."""
    return MergedDepthPro(copy.deepcopy(network), dtype or next(network.parameters()).dtype, window_px)


def images(count: int, config: DepthProConfig = SMALL, seed: int = 1) -> torch.Tensor:
    """float64 [count, 3, input_px, input_px] in [0, 255]."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, config.input_px, config.input_px, generator=generator, dtype=torch.float64) * 255
