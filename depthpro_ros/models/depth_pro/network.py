# SPDX-License-Identifier: Apache-2.0
"""Depth Pro: one image to canonical inverse depth and a field of view."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from depthpro_ros.models.depth_pro.config import DepthProConfig
from depthpro_ros.models.depth_pro.decoder import Decoder, depth_head
from depthpro_ros.models.depth_pro.encoder import Encoder
from depthpro_ros.models.depth_pro.fov import FovHead

MIN_INVERSE_DEPTH = 1e-4
"""1/m: farther than 10 km is 10 km."""
MAX_INVERSE_DEPTH = 1e4


class DepthPro(nn.Module):
    """The network of arXiv 2410.02073, in any size; its state dict is laid out as Apple's release.

    Args:
        config: all sizes.
    """

    def __init__(self, config: DepthProConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.head = depth_head(config)
        self.fov = FovHead(config, config.fov_encoder) if config.fov_encoder is not None else None

    def forward(self, image: Tensor, want_fov: bool = True) -> tuple[Tensor, Tensor | None]:
        """Run the network.

        Args:
            image: [B, 3, input_px, input_px], RGB in [-1, 1].
            want_fov: run the field-of-view head too, where there is one.

        Returns:
            Canonical inverse depth C >= 0, [B, 1, output_px, output_px], such that depth in metres is
            focal_px / (width_px * C); and the horizontal field of view in degrees [B], or None.
        """
        features, quarter = self.encoder(image)
        decoded, lowres = self.decoder(features)
        canonical = self.head(decoded)
        fov_deg = self.fov(quarter, lowres) if want_fov and self.fov is not None else None
        return canonical, fov_deg

    def global_features(self, quarter: Tensor) -> Tensor:
        """What the field-of-view head looks at, without computing the rest of the network.

        Args:
            quarter: the image as one window [B, 3, window_px, window_px], RGB in [-1, 1].

        Returns:
            The decoder's projected global map [B, decoder_dim, 2 grid, 2 grid].
        """
        return self.decoder.convs[-1](self.encoder.global_map(quarter))


def normalise(rgb: Tensor, side_px: int, antialias: bool = False) -> Tensor:
    """Images to the network's input: scale to [-1, 1] and squash to a square.

    Args:
        rgb: uint8 [B, H, W, 3].
        side_px: side of the network's input.
        antialias: low-pass when shrinking (the published network does not).

    Returns:
        float32 [B, 3, side_px, side_px].
    """
    image = rgb.permute(0, 3, 1, 2).float().mul_(1 / 127.5).sub_(1)
    if image.shape[-2:] == (side_px, side_px):
        return image
    return F.interpolate(image, (side_px, side_px), mode="bilinear", align_corners=False, antialias=antialias)


def focal_from_fov(fov_deg: Tensor, width_px: int) -> Tensor:
    """Focal length in pixels of an image `width_px` wide: W / (2 tan(fov / 2))."""
    return 0.5 * width_px / torch.tan(0.5 * torch.deg2rad(fov_deg.float()))


def metric_depth(canonical: Tensor, focal_px: Tensor, height_px: int, width_px: int) -> Tensor:
    """Canonical inverse depth to z-depth in metres.

    Inverse depth, not depth, is resized, and it is clamped to [1e-4, 1e4] 1/m, as in the release.

    Args:
        canonical: [B, 1, h, w].
        focal_px: [B], pixels of the given width.

    Returns:
        float32 [B, height_px, width_px], metres along the optical axis, in [1e-4, 1e4].
    """
    inverse = canonical.float() * (width_px / focal_px.float()).view(-1, 1, 1, 1)
    if inverse.shape[-2:] != (height_px, width_px):
        inverse = F.interpolate(inverse, (height_px, width_px), mode="bilinear", align_corners=False)
    return inverse.clamp_(MIN_INVERSE_DEPTH, MAX_INVERSE_DEPTH).reciprocal_().squeeze(1)
