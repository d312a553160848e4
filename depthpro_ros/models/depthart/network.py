# SPDX-License-Identifier: Apache-2.0
"""The whole model as it is trained and stored, and its two ways from an image to features."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from depthpro_ros.models.depthart.config import DepthArtConfig
from depthpro_ros.models.depthart.tokenizer import Tokenizer
from depthpro_ros.models.depthart.transformer import RefinementTransformer, image_inputs


class DepthArt(nn.Module):
    """Tokenizer and transformer of one model.

    Args:
        config: all sizes.
        drop_path: of the transformer in training.
    """

    def __init__(self, config: DepthArtConfig, drop_path: float = 0.0) -> None:
        super().__init__()
        self.config = config
        self.tokenizer = Tokenizer(config.tokenizer)
        self.transformer = RefinementTransformer(config, drop_path)

    def features(self, rgb: Tensor) -> Tensor:
        """What the transformer's prefix is made of, see `RefinementTransformer.prefix`.

        Args:
            rgb: uint8 [B, H, W, 3], of any shape: squashed to a square.
        """
        t = self.config.transformer
        if t.prefix == "encoder":
            tokens, _ = self.transformer.encoder(square(rgb, t.encoder_px))
            return tokens[:, 1:]
        with torch.no_grad():  # the tokenizer is not trained with the transformer
            latent = self.tokenizer.encode(square(rgb, self.config.tokenizer.image_px))
            return image_inputs(self.tokenizer.quantize, latent, smooth=t.smooth_prefix)


def square(rgb: Tensor, side_px: int) -> Tensor:
    """Images uint8 [B, H, W, 3] squashed to [B, 3, side_px, side_px] in [-1, 1] (bilinear, antialiased)."""
    image = rgb.permute(0, 3, 1, 2).float()
    if image.shape[-2:] != (side_px, side_px):
        image = F.interpolate(image, (side_px, side_px), mode="bilinear", align_corners=False, antialias=True)
    return image.mul_(1 / 127.5).sub_(1)
