# SPDX-License-Identifier: Apache-2.0
"""Small models with random weights."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from depthpro_ros.models.depthart.config import DepthArtConfig
from depthpro_ros.models.depthart.network import DepthArt
from depthpro_ros.models.depthart.presets import PICO
from depthpro_ros.models.depthart.transformer import initialise
from depthpro_ros.models.vit import ViTConfig

TRANSFORMER = PICO.transformer
CONFIGS = {
    "var": PICO,
    "plain queries": replace(PICO, transformer=replace(TRANSFORMER, unit_queries=False)),
    "image alone": replace(
        PICO, transformer=replace(TRANSFORMER, prefix_sees_start=False, modality=True, smooth_prefix=True)
    ),
    "encoder": replace(
        PICO,
        transformer=replace(
            TRANSFORMER,
            prefix="encoder",
            encoder=ViTConfig(dim=32, depth=1, heads=2),
            encoder_px=16,
            encoder_patch_px=4,
            prefix_sees_start=False,
        ),
        depth_code="log",
    ),
}
CONFIGS["aligned"] = replace(CONFIGS["encoder"], transformer=replace(CONFIGS["encoder"].transformer, aligned=True))


def random_model(config: DepthArtConfig, seed: int = 0) -> DepthArt:
    """Weights of a size that lets every part matter."""
    torch.manual_seed(seed)
    model = DepthArt(config).eval()
    initialise(model.transformer, gate=1.0, head=1.0)
    torch.nn.init.normal_(model.tokenizer.quantize.embedding.weight, std=0.5)
    if config.transformer.modality:
        torch.nn.init.normal_(model.transformer.modality)
    return model.requires_grad_(False)


@pytest.fixture(params=CONFIGS, scope="module")
def model(request: pytest.FixtureRequest) -> DepthArt:
    return random_model(CONFIGS[request.param])


@pytest.fixture(scope="module")
def pico() -> DepthArt:
    return random_model(PICO)


@pytest.fixture
def rgb() -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (2, 24, 32, 3), dtype=torch.uint8, generator=generator)
