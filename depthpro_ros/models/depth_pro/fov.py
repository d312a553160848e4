# SPDX-License-Identifier: Apache-2.0
"""The field-of-view head: horizontal angle in degrees from one window and the depth network's features."""

from __future__ import annotations

from torch import Tensor, nn

from depthpro_ros.models.depth_pro.config import DepthProConfig
from depthpro_ros.models.vit import VisionTransformer, ViTConfig, tokens_to_map


class FovHead(nn.Module):
    """Depth Pro's focal length estimate (arXiv 2410.02073, section 3.4).

    Args:
        config: the network's sizes.
        encoder: size of the head's own transformer.
    """

    def __init__(self, config: DepthProConfig, encoder: ViTConfig) -> None:
        super().__init__()
        dim = config.decoder_dim // 2
        vit = VisionTransformer(encoder, config.window_px, config.patch_px)
        self.encoder = nn.Sequential(vit, nn.Linear(encoder.dim, dim))
        self.downsample = nn.Sequential(nn.Conv2d(config.decoder_dim, dim, 3, stride=2, padding=1), nn.ReLU())
        quarter_grid = (config.grid - 1) // 4 + 1
        self.head = nn.Sequential(
            nn.Conv2d(dim, dim // 2, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(dim // 2, dim // 4, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(dim // 4, 1, quarter_grid),
        )

    def forward(self, quarter: Tensor, lowres: Tensor) -> Tensor:
        """Estimate.

        Args:
            quarter: the image as one window [B, 3, window_px, window_px], values in [-1, 1].
            lowres: the decoder's projected global map [B, decoder_dim, 2 grid, 2 grid]; no gradient
                flows back through it.

        Returns:
            Horizontal field of view in degrees, [B].
        """
        vit, project = self.encoder
        tokens, _ = vit(quarter)
        x = tokens_to_map(project(tokens)).permute(0, 3, 1, 2) + self.downsample(lowres.detach())
        return self.head(x).flatten()
