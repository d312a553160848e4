# SPDX-License-Identifier: Apache-2.0
"""The multi-scale encoder: an image pyramid cut into windows, one transformer over all of them.

Paper: Depth Pro (arXiv 2410.02073), section 3.1 and figure 3.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from depthpro_ros.models.depth_pro.config import DepthProConfig
from depthpro_ros.models.vit import VisionTransformer, tokens_to_map

FULL_STEPS = 5
"""Windows along a side at full resolution: they overlap by a quarter."""
HALF_STEPS = 3
"""Windows along a side at half resolution: they overlap by a half."""


def pyramid(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The image at scale 1, 1/2 and 1/4, each made from the first (bilinear, no low-pass)."""
    half = F.interpolate(image, scale_factor=0.5, mode="bilinear", align_corners=False)
    quarter = F.interpolate(image, scale_factor=0.25, mode="bilinear", align_corners=False)
    return image, half, quarter


def split(image: Tensor, window: int, steps: int) -> Tensor:
    """Cut [B, C, S, S] into steps^2 overlapping windows: [steps^2 * B, C, window, window].

    Windows are in row-major order; the images of the batch are neighbours within each position.
    """
    stride = (image.shape[-1] - window) // (steps - 1)
    starts = range(0, steps * stride, stride)
    return torch.cat([image[..., y : y + window, x : x + window] for y in starts for x in starts])


def merge(maps: Tensor, batch: int, steps: int, overlap: int) -> Tensor:
    """Put windows' maps back together, cutting them in the middle of every overlap.

    Args:
        maps: [steps^2 * batch, g, g, C], in the order of `split`.
        overlap: cells that neighbours share; of an odd number the second one loses more.

    Returns:
        [batch, C, G, G] with G = steps * g - overlap * (steps - 1), stored channels-last.
    """
    grid = maps.shape[1]
    last = steps - 1
    before, after = overlap - overlap // 2, overlap // 2
    spans = [(before if i else 0, grid - after if i < last else grid) for i in range(steps)]
    # split, not indexing: its backward is one concatenation instead of a sum over all windows
    cells = maps.split(batch)
    rows = [
        torch.cat([cells[j * steps + i][:, y0:y1, x0:x1] for i, (x0, x1) in enumerate(spans)], dim=2)
        for j, (y0, y1) in enumerate(spans)
    ]
    return torch.cat(rows, dim=1).permute(0, 3, 1, 2)


def upsampler(dim_in: int, dim_hidden: int, dim_out: int, doublings: int) -> nn.Sequential:
    """A 1x1 projection and `doublings` transposed convolutions, all linear and without bias."""
    layers: list[nn.Module] = [nn.Conv2d(dim_in, dim_hidden, 1, bias=False)]
    for index in range(doublings):
        layers.append(nn.ConvTranspose2d(dim_out if index else dim_hidden, dim_out, 2, stride=2, bias=False))
    return nn.Sequential(*layers)


class Encoder(nn.Module):
    """Image to feature maps, finest first: one per hook, then full, half and global resolution.

    With token grid g and n hooks, level i has side g * 2 ** (n + 3 - i).
    """

    def __init__(self, config: DepthProConfig) -> None:
        super().__init__()
        self.config = config
        self.patch_encoder = VisionTransformer(config.patch_encoder, config.window_px, config.patch_px)
        self.image_encoder = VisionTransformer(config.image_encoder, config.window_px, config.patch_px)
        dim, count = config.patch_encoder.dim, len(config.hooks)
        for index, width in enumerate(config.latent_dims):
            coarsest = index == count - 1
            hidden = config.decoder_dim if coarsest else width
            self.add_module(f"upsample_latent{index}", upsampler(dim, hidden, width, count + 1 - index))
        full, half, quarter = config.pyramid_dims
        self.upsample0 = upsampler(dim, full, full, 1)
        self.upsample1 = upsampler(dim, half, half, 1)
        self.upsample2 = upsampler(dim, quarter, quarter, 1)
        self.upsample_lowres = nn.ConvTranspose2d(config.image_encoder.dim, quarter, 2, stride=2)
        self.fuse_lowres = nn.Conv2d(2 * quarter, quarter, 1)

    def forward(self, image: Tensor) -> tuple[list[Tensor], Tensor]:
        """Encode.

        Args:
            image: [B, 3, input_px, input_px], values in [-1, 1].

        Returns:
            The feature maps, finest first, and the image at quarter resolution (one window).
        """
        config, batch = self.config, len(image)
        full, half, quarter = pyramid(image)
        windows = torch.cat(
            [split(full, config.window_px, FULL_STEPS), split(half, config.window_px, HALF_STEPS), quarter]
        )
        full_rows, half_rows = FULL_STEPS**2 * batch, HALF_STEPS**2 * batch
        tokens, hooked = self.patch_encoder(windows, config.hooks, full_rows)
        maps = tokens_to_map(tokens).split([full_rows, half_rows, batch])

        fine, coarse = config.grid // 4, config.grid // 2
        features = []
        for index, hook in enumerate(hooked):
            latent = merge(tokens_to_map(hook), batch, FULL_STEPS, fine)
            features.append(self.get_submodule(f"upsample_latent{index}")(latent))
        features.append(self.upsample0(merge(maps[0], batch, FULL_STEPS, fine)))
        features.append(self.upsample1(merge(maps[1], batch, HALF_STEPS, coarse)))
        features.append(self._global_map(maps[2], quarter))
        return features, quarter

    def global_map(self, quarter: Tensor) -> Tensor:
        """The coarsest map alone, from the image as one window: 2 windows instead of 36."""
        tokens, _ = self.patch_encoder(quarter)
        return self._global_map(tokens_to_map(tokens), quarter)

    def _global_map(self, window_map: Tensor, quarter: Tensor) -> Tensor:
        lowres = self.upsample2(window_map.permute(0, 3, 1, 2))
        tokens, _ = self.image_encoder(quarter)
        context = self.upsample_lowres(tokens_to_map(tokens).permute(0, 3, 1, 2))
        return self.fuse_lowres(torch.cat([lowres, context], dim=1))
