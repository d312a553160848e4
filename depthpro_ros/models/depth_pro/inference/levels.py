# SPDX-License-Identifier: Apache-2.0
"""From the transformers' maps to the decoder's width, merged: one module for each level."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from depthpro_ros.models.depth_pro.encoder import Encoder
from depthpro_ros.models.depth_pro.inference.resampling import Enlarge, EnlargingConv, after_pointwise, compose


class MergedLevel(nn.Module):
    """A 1x1 convolution, transposed convolutions, and the decoder's 3x3 convolution or none.

    Args:
        layers: of the encoder: the 1x1 convolution and the transposed ones, all without bias.
        conv: the decoder's, or its identity.

    Attributes:
        project: the 1x1 convolution as a matrix product on tokens; None where it is part of what follows,
            which it is where it does not make tokens narrower.
    """

    def __init__(self, layers: nn.Sequential, conv: nn.Module) -> None:
        super().__init__()
        pointwise, *deconvolutions = _weights(layers)
        narrows = pointwise.shape[0] < pointwise.shape[1]
        self.project = nn.Parameter(pointwise[..., 0, 0].clone(), requires_grad=False) if narrows else None
        if not narrows:
            deconvolutions[0] = after_pointwise(pointwise, deconvolutions[0])
        last = deconvolutions.pop() if isinstance(conv, nn.Conv2d) else None
        weight: Tensor | None = None
        for deconvolution in deconvolutions:
            weight = deconvolution if weight is None else compose(weight, deconvolution)
        self.enlarge = None if weight is None else Enlarge(weight)
        self.conv = EnlargingConv(last, conv.weight) if last is not None and isinstance(conv, nn.Conv2d) else None

    def narrow(self, tokens: Tensor) -> Tensor:
        """The matrix product on tokens [..., dim]."""
        return tokens if self.project is None else nn.functional.linear(tokens, self.project)

    def forward(self, x: Tensor) -> Tensor:
        """Narrowed tokens' map [B, C, g, g] to [B, decoder_dim, G, G]."""
        if self.enlarge is not None:
            x = self.enlarge(x)
        return x if self.conv is None else self.conv(x)


def global_level(encoder: Encoder, conv: nn.Conv2d) -> EnlargingConv:
    """The coarsest level: window and context tokens [B, dim + context, g, g] to [B, decoder_dim, 2 g, 2 g]."""
    window, context, fuse = encoder.upsample2, encoder.upsample_lowres, encoder.fuse_lowres
    split, dim = context.out_channels, encoder.config.patch_encoder.dim
    of_window = after_pointwise(*_weights(window))
    weight = torch.cat(
        [
            torch.einsum("imkl,om->iokl", of_window, fuse.weight[:, :split, 0, 0]),
            torch.einsum("imkl,om->iokl", context.weight, fuse.weight[:, split:, 0, 0]),
        ]
    )
    return EnlargingConv(
        weight, conv.weight, lambda x: conv(fuse(torch.cat([window(x[:, :dim]), context(x[:, dim:])], 1)))
    )


def _weights(layers: nn.Sequential) -> list[Tensor]:
    return [layer.weight for layer in layers if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
