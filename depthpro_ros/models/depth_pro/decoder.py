# SPDX-License-Identifier: Apache-2.0
"""The multi-resolution decoder and the depth head (after DPT, Ranftl et al. 2021)."""

from __future__ import annotations

from torch import Tensor, nn

from depthpro_ros.models.depth_pro.config import DepthProConfig


class ResidualUnit(nn.Module):
    """z + conv(relu(conv(relu(z))))."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.ReLU(), nn.Conv2d(dim, dim, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(dim, dim, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        # onto the new map: at the finest level one of these is 300 MB in float16
        return self.residual(x).add_(x)


class FusionBlock(nn.Module):
    """Add a finer level to the running map and, but for the last block, double its resolution."""

    def __init__(self, dim: int, doubles: bool) -> None:
        super().__init__()
        self.resnet1 = ResidualUnit(dim)
        self.resnet2 = ResidualUnit(dim)
        self.deconv = nn.ConvTranspose2d(dim, dim, 2, stride=2, bias=False) if doubles else None
        self.out_conv = nn.Conv2d(dim, dim, 1)

    def forward(self, x: Tensor, skip: Tensor | None = None) -> Tensor:
        if skip is not None:
            x = self.resnet1(skip).add_(x)
        x = self.resnet2(x)
        if self.deconv is not None:
            x = self.deconv(x)
        return self.out_conv(x)


class Decoder(nn.Module):
    """Fuse the encoder's maps from the coarsest to the finest.

    The first block's `resnet1` exists in the published checkpoints and is never used.
    """

    def __init__(self, config: DepthProConfig) -> None:
        super().__init__()
        dim = config.decoder_dim
        widths = (*config.latent_dims, *config.pyramid_dims)
        finest = nn.Identity() if widths[0] == dim else nn.Conv2d(widths[0], dim, 3, padding=1, bias=False)
        coarser = [nn.Conv2d(width, dim, 3, padding=1, bias=False) for width in widths[1:]]
        self.convs = nn.ModuleList([finest, *coarser])
        self.fusions = nn.ModuleList(FusionBlock(dim, doubles=index > 0) for index in range(len(widths)))

    def forward(self, features: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Decode.

        Args:
            features: maps, finest first, from `Encoder`. The list is emptied as they are used, which
                frees their memory early.

        Returns:
            The finest map [B, decoder_dim, output_px / 2, output_px / 2], and the projected global map
            that the field-of-view head looks at.
        """
        lowres = self.convs[-1](features.pop())
        x = self.fusions[-1](lowres)
        while features:
            level = len(features) - 1
            x = self.fusions[level](x, self.convs[level](features.pop()))
        return x, lowres


def depth_head(config: DepthProConfig) -> nn.Sequential:
    """Decoder map to canonical inverse depth [B, 1, output_px, output_px], at least 0."""
    dim = config.decoder_dim // 2
    return nn.Sequential(
        nn.Conv2d(config.decoder_dim, dim, 3, padding=1),
        nn.ConvTranspose2d(dim, dim, 2, stride=2),
        nn.Conv2d(dim, config.head_dim, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(config.head_dim, 1, 1),
        nn.ReLU(),
    )
