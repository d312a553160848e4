# SPDX-License-Identifier: Apache-2.0
"""Named sizes of the network."""

from __future__ import annotations

from depthpro_ros.models.depth_pro.config import DepthProConfig
from depthpro_ros.models.vit import ViTConfig

# Windows of 64 px with patches of 8 px: the same 35 windows and the same decoder levels per window as Apple's, at
# a sixth of the side. Only one window goes through the image encoder, so there width is cheap.
NANO = DepthProConfig(
    window_px=64,
    patch_px=8,
    patch_encoder=ViTConfig(dim=128, depth=6, heads=4),
    image_encoder=ViTConfig(dim=192, depth=8, heads=3),
    fov_encoder=ViTConfig(dim=128, depth=4, heads=4),
    hooks=(2,),
    latent_dims=(32,),
    pyramid_dims=(32, 64, 64),
    decoder_dim=32,
    antialias=True,
)

# For tests and for trying a data set out: it learns next to nothing, fast.
PICO = DepthProConfig(
    window_px=32,
    patch_px=4,
    patch_encoder=ViTConfig(dim=32, depth=2, heads=2),
    image_encoder=ViTConfig(dim=32, depth=2, heads=2),
    fov_encoder=ViTConfig(dim=32, depth=1, heads=2),
    hooks=(0,),
    latent_dims=(16,),
    pyramid_dims=(16, 16, 16),
    decoder_dim=16,
    head_dim=8,
    antialias=True,
)

PRESETS = {"depth_pro": DepthProConfig(), "nano": NANO, "pico": PICO}
