# SPDX-License-Identifier: Apache-2.0
"""The field-of-view head at inference."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from depthpro_ros.models.depth_pro.fov import FovHead
from depthpro_ros.models.depth_pro.inference.transformer import MergedTransformer
from depthpro_ros.models.vit import VisionTransformer


class MergedFov(nn.Module):
    """`FovHead` with a merged transformer.

    Args:
        head: the original, which gives its weights away.
        dtype: number format to compute in.
        window_px: side of the window that it was trained with.
        grid: tokens along one side of that window.
    """

    def __init__(self, head: FovHead, dtype: torch.dtype, window_px: int, grid: int) -> None:
        super().__init__()
        self._sides = (window_px, 2 * grid)
        vit, project = head.encoder
        assert isinstance(vit, VisionTransformer)
        self.encoder = MergedTransformer(vit, dtype)
        self.project = project.to(dtype)
        self.downsample, self.head = head.downsample.to(dtype), head.head.to(dtype)

    def forward(self, quarter: Tensor, lowres: Tensor, stay: bool = True) -> Tensor:
        """Estimate.

        Args:
            quarter: [B, 3, n, n], scaled as the network's input. It and the next are resized to what the head was
                trained with, where the network's resolution is reduced.
            lowres: the decoder's projected global map [B, decoder_dim, m, m].
            stay: keep the weights on the device of `quarter`; else they go back to host memory.

        Returns:
            Horizontal field of view in degrees, [B].
        """
        if self.project.weight.device != quarter.device:
            self.to(quarter.device)
        quarter, lowres = (
            x if x.shape[-1] == side else F.interpolate(x, (side, side), mode="bilinear", align_corners=False)
            for x, side in zip((quarter, lowres), self._sides, strict=True)
        )
        tokens, _ = self.encoder(quarter)
        x = self.project(tokens).permute(0, 3, 1, 2) + self.downsample(lowres)
        fov_deg = self.head(x).flatten()
        if not stay:
            self.to("cpu")
            torch.cuda.empty_cache()
        return fov_deg
