# SPDX-License-Identifier: Apache-2.0
"""Decoder and depth head at inference, merged, and computed in strips where memory is short.

The finest maps (256 x 768 x 768 in Apple's size: 300 MB each in float16, several alive) are what the whole network
needs most memory for. A strip of rows with a few more on either side gives those rows exactly: every layer is local.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from depthpro_ros.models.depth_pro.decoder import FusionBlock, ResidualUnit
from depthpro_ros.models.depth_pro.inference.resampling import (
    Enlarge,
    EnlargingConv,
    Layers,
    before_pointwise,
    bordered_conv,
)

FINEST_REACH = 6
"""Rows of the finest map, at half the output's resolution, that an output depends on in each direction: two of
each residual unit, one of each of the head's 3x3 convolutions."""
FINER_REACH = 5
"""The same for the map before it: two of each residual unit, one of the convolution that projects the level."""


class MergedFusion(nn.Module):
    """Add a finer level to the running map; then double its resolution, which takes in the 1x1 convolution.

    Args:
        block: the original.
        skips: whether a level is added.
    """

    def __init__(self, block: FusionBlock, skips: bool) -> None:
        super().__init__()
        self.resnet1 = block.resnet1 if skips else None
        self.resnet2 = block.resnet2
        self.enlarge: Enlarge | None = None
        if block.deconv is not None:
            weight = before_pointwise(block.deconv.weight, block.out_conv.weight)
            self.enlarge = Enlarge(weight, block.out_conv.bias)

    def forward(
        self, coarser: Tensor, enlarge: Layers | None = None, skip: Callable[[], Tensor] | None = None
    ) -> Tensor:
        """The running map [B, C, h, w], before it is doubled.

        Args:
            coarser: the running map so far.
            enlarge: doubles it first; the block's that it comes from.
            skip: makes the level to add, [B, C, h, w]. Made here, it is nobody else's and is freed when used.
        """
        if skip is None or self.resnet1 is None:
            return residual(self.resnet2, coarser)
        x = residual(self.resnet1, skip())
        x += coarser if enlarge is None else enlarge(coarser)
        return residual(self.resnet2, x)


def residual(unit: ResidualUnit, x: Tensor) -> Tensor:
    """`ResidualUnit` with as few maps alive as can be."""
    _, first, _, second = unit.residual
    y = first(F.relu(x)).relu_()
    return second(y).add_(x)


class MergedHead(nn.Module):
    """The last fusion block's 1x1 convolution and the depth head: to canonical inverse depth.

    Args:
        pointwise: that 1x1 convolution.
        head: the original head.
    """

    def __init__(self, pointwise: nn.Conv2d, head: nn.Sequential) -> None:
        super().__init__()
        first, deconv, second, _, last, _ = head
        assert isinstance(first, nn.Conv2d) and isinstance(second, nn.Conv2d) and isinstance(last, nn.Conv2d)
        assert isinstance(deconv, nn.ConvTranspose2d) and last.bias is not None
        self.first = bordered_conv(pointwise, first)
        self.second = EnlargingConv(deconv.weight, second.weight, lambda x: second(deconv(x)))
        # the four groups of pixels share the last one
        self.weight = nn.Parameter(last.weight.detach().repeat(4, 1, 1, 1), requires_grad=False)
        self.bias = nn.Parameter(last.bias.detach().repeat(4), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, h, w] to [B, 1, 2 h, 2 w], at least 0."""
        y = self.second.conv(self.first(x)).relu_()
        y = F.conv2d(y, self.weight, self.bias, groups=4).relu_()
        height, width = y.shape[2] - 1, y.shape[3] - 1
        groups = [y[:, i : i + 1, i // 2 : i // 2 + height, i % 2 : i % 2 + width] for i in range(4)]
        return F.pixel_shuffle(torch.cat(groups, 1), 2)


def in_strips(stage: Callable[..., Tensor], maps: Sequence[Tensor], cells: int, strips: int, reach: int) -> Tensor:
    """Compute a stage by strips of rows; what it returns is the same as of the whole.

    Args:
        stage: local function of maps [B, C, k cells, w], for whole k, to [B, C', k' cells, w'].
        maps: its inputs.
        cells: number of rows, common to all inputs, that a strip may consist of.
        strips: how many; at most `cells` are made.
        reach: cells above and below a strip that its result depends on.

    Returns:
        [B, C', k' cells, w'].
    """
    if strips <= 1:
        return stage(*maps)
    out: Tensor | None = None
    bounds = [round(cells * i / min(strips, cells)) for i in range(min(strips, cells) + 1)]
    for top, bottom in pairwise(bounds):
        first, last = max(0, top - reach), min(cells, bottom + reach)
        part = stage(*(m[:, :, first * (m.shape[2] // cells) : last * (m.shape[2] // cells)] for m in maps))
        scale = part.shape[2] // (last - first)
        if out is None:
            batch, dim, _, width = part.shape
            out = part.new_empty(batch, cells * scale, width, dim).permute(0, 3, 1, 2)
        out[:, :, top * scale : bottom * scale] = part[:, :, (top - first) * scale : (bottom - first) * scale]
        del part
    assert out is not None
    return out
