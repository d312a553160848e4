# SPDX-License-Identifier: Apache-2.0
"""Named sizes of the model."""

from __future__ import annotations

from depthpro_ros.models.depthart.config import DepthArtConfig, TokenizerConfig, TransformerConfig
from depthpro_ros.models.vit import ViTConfig

# The paper's: VAR d16 and its tokenizer. With `unit_queries` as var_d16.pth has them; the authors' own weights do not.
FULL = DepthArtConfig()

# 64 pixels and five scales of at most 8x8 tokens. The image's prefix is a vision transformer, of the size of
# depth_pro_nano's image encoder, so that it can start as one that has seen many scenes: the paper starts from a
# transformer that has seen ImageNet.
NANO = DepthArtConfig(
    tokenizer=TokenizerConfig(
        channels=16,
        multipliers=(1, 2, 3, 4),
        blocks=1,
        groups=8,
        attention=False,
        latent_dim=16,
        codes=64,
        scales=(1, 2, 3, 5, 8),
        shared_convs=3,
    ),
    transformer=TransformerConfig(
        dim=128,
        depth=6,
        heads=4,
        classes=0,
        prefix="encoder",
        encoder=ViTConfig(dim=192, depth=8, heads=3),
        encoder_px=64,
        encoder_patch_px=8,
        aligned=True,
        prefix_sees_start=False,
    ),
    depth_code="log",
)

# For tests: every part is there, as in the paper, and nothing is learned.
PICO = DepthArtConfig(
    tokenizer=TokenizerConfig(
        channels=16,
        multipliers=(1, 2),
        blocks=1,
        groups=8,
        latent_dim=8,
        codes=32,
        scales=(1, 2, 4),
        shared_convs=2,
    ),
    transformer=TransformerConfig(dim=32, depth=2, heads=2, classes=3),
)

PRESETS = {"depthart_ar": FULL, "nano": NANO, "pico": PICO}
