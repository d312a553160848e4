# SPDX-License-Identifier: Apache-2.0
"""The tokenizer's convolutional encoder and decoder (Esser et al. 2021, as VAR uses it).

Module names follow the published checkpoint, so that a state dict loads without renaming.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from depthpro_ros.models.depth_pro.inference.resampling import EnlargingConv
from depthpro_ros.models.depthart.config import TokenizerConfig

GROUP_NORM_EPS = 1e-6


def group_norm(width: int, groups: int) -> nn.GroupNorm:
    """The normalisation that all blocks use."""
    return nn.GroupNorm(groups, width, eps=GROUP_NORM_EPS)


class ResBlock(nn.Module):
    """Two normalised convolutions beside a shortcut, which is a 1x1 convolution where the width changes."""

    def __init__(self, width_in: int, width: int, groups: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = group_norm(width_in, groups), group_norm(width, groups)
        self.conv1 = nn.Conv2d(width_in, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.nin_shortcut = nn.Conv2d(width_in, width, 1) if width_in != width else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(F.silu(self.norm1(x), inplace=True))
        y = self.conv2(F.silu(self.norm2(y), inplace=True))
        return y.add_(self.nin_shortcut(x))


class AttnBlock(nn.Module):
    """Attention of one head over all positions of a map."""

    def __init__(self, width: int, groups: int) -> None:
        super().__init__()
        self.norm = group_norm(width, groups)
        self.qkv = nn.Conv2d(width, 3 * width, 1)
        self.proj_out = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        batch, width, height, columns = x.shape
        q, k, v = self.qkv(self.norm(x)).flatten(2).transpose(1, 2).split(width, dim=2)
        out = F.scaled_dot_product_attention(q, k, v)
        return x + self.proj_out(out.transpose(1, 2).reshape(batch, width, height, columns))


class Downsample(nn.Module):
    """Halve the side: a convolution of stride two over the map with a row and a column of zeros below and right."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    """Double the side: nearest neighbour, then a convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Middle(nn.Module):
    """What encoder and decoder have at the latent's resolution."""

    def __init__(self, width: int, groups: int, attention: bool) -> None:
        super().__init__()
        self.block_1 = ResBlock(width, width, groups)
        self.attn_1 = AttnBlock(width, groups) if attention else nn.Identity()
        self.block_2 = ResBlock(width, width, groups)

    def forward(self, x: Tensor) -> Tensor:
        return self.block_2(self.attn_1(self.block_1(x)))


class Level(nn.Module):
    """The blocks of one resolution, each followed by attention where the level has it."""

    def __init__(self, widths: list[tuple[int, int]], groups: int, attention: bool) -> None:
        super().__init__()
        self.downsample: Downsample | None = None
        self.upsample: Upsample | EnlargingConv | None = None
        self.block = nn.ModuleList(ResBlock(width_in, width, groups) for width_in, width in widths)
        self.attn = nn.ModuleList(AttnBlock(width, groups) for _, width in widths if attention)

    def forward(self, x: Tensor) -> Tensor:
        for index, block in enumerate(self.block):
            x = block(x)
            if self.attn:
                x = self.attn[index](x)
        return x


class Encoder(nn.Module):
    """Images [B, 3, S, S] in [-1, 1] to latents [B, latent_dim, s, s]."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        groups, last = config.groups, len(config.multipliers) - 1
        width = config.channels
        self.conv_in = nn.Conv2d(3, width, 3, padding=1)
        self.down = nn.ModuleList()
        for index, multiplier in enumerate(config.multipliers):
            wide = config.channels * multiplier
            widths = [(width if block == 0 else wide, wide) for block in range(config.blocks)]
            level = Level(widths, groups, config.attention and index == last)
            if index < last:
                level.downsample = Downsample(wide)
            self.down.append(level)
            width = wide
        self.mid = Middle(width, groups, config.attention)
        self.norm_out = group_norm(width, groups)
        self.conv_out = nn.Conv2d(width, config.latent_dim, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        x = self.conv_in(image)
        for level in self.down:
            assert isinstance(level, Level)
            x = level(x)
            if level.downsample is not None:
                x = level.downsample(x)
        return self.conv_out(F.silu(self.norm_out(self.mid(x)), inplace=True))


class Decoder(nn.Module):
    """Latents [B, latent_dim, s, s] to images [B, 3, S, S], not clamped. Levels are stored finest first."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        groups, last = config.groups, len(config.multipliers) - 1
        width = config.channels * config.multipliers[-1]
        self.conv_in = nn.Conv2d(config.latent_dim, width, 3, padding=1)
        self.mid = Middle(width, groups, config.attention)
        levels = []
        for index in range(last, -1, -1):
            wide = config.channels * config.multipliers[index]
            widths = [(width if block == 0 else wide, wide) for block in range(config.blocks + 1)]
            level = Level(widths, groups, config.attention and index == last)
            if index:
                level.upsample = Upsample(wide)
            levels.append(level)
            width = wide
        self.up = nn.ModuleList(reversed(levels))
        self.norm_out = group_norm(width, groups)
        self.conv_out = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, latent: Tensor) -> Tensor:
        x = self.mid(self.conv_in(latent))
        for level in reversed(self.up):
            assert isinstance(level, Level)
            x = level(x)
            if level.upsample is not None:
                x = level.upsample(x)
        return self.conv_out(F.silu(self.norm_out(x), inplace=True))


def merge_upsampling(decoder: Decoder) -> None:
    """Make a decoder ready for inference: of the convolution of a doubled map, 4/9 of the products suffice.

    The nine pixels that it sees are copies of four. The state dict is not the published one afterwards.

    Args:
        decoder: changed in place; float32, so that sums of weights are not rounded twice.
    """
    for level in decoder.up:
        assert isinstance(level, Level)
        if isinstance(level.upsample, Upsample):
            weight = level.upsample.conv.weight
            nearest = torch.eye(weight.shape[1], dtype=weight.dtype, device=weight.device)
            level.upsample = EnlargingConv(nearest[:, :, None, None].expand(-1, -1, 2, 2), weight, level.upsample)
