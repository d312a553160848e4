# SPDX-License-Identifier: Apache-2.0
"""The multi-scale VQ-VAE: images to token maps of growing size, and back (arXiv 2404.02905)."""

from __future__ import annotations

from torch import Tensor, nn

from depthpro_ros.models.depthart.autoencoder import Decoder, Encoder
from depthpro_ros.models.depthart.config import TokenizerConfig
from depthpro_ros.models.depthart.quantiser import MultiScaleQuantiser


class Tokenizer(nn.Module):
    """Encoder, quantiser and decoder; its state dict is laid out as VAR's release.

    Args:
        config: all sizes.
    """

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder, self.decoder = Encoder(config), Decoder(config)
        self.quantize = MultiScaleQuantiser(config)
        self.quant_conv = nn.Conv2d(config.latent_dim, config.latent_dim, 3, padding=1)
        self.post_quant_conv = nn.Conv2d(config.latent_dim, config.latent_dim, 3, padding=1)

    def encode(self, image: Tensor) -> Tensor:
        """Images [B, 3, S, S] in [-1, 1] to continuous latents, float32 [B, latent_dim, s, s]."""
        return self.quant_conv(self.encoder(image)).float()

    def decode(self, latent: Tensor) -> Tensor:
        """Latents [B, latent_dim, s, s] to images [B, 3, S, S], not clamped."""
        return self.decoder(self.post_quant_conv(latent.to(self.post_quant_conv.weight.dtype)))
