# SPDX-License-Identifier: Apache-2.0
"""The plain vision transformer (Dosovitskiy et al. 2021) with DINOv2's LayerScale.

Module names follow the published checkpoints, so that a state dict loads without renaming.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from depthpro_ros.models.sizes import check_ratio, check_whole

LAYER_NORM_EPS = 1e-6


@dataclass(frozen=True)
class ViTConfig:
    """Size of one transformer.

    Attributes:
        dim: width of a token.
        depth: number of blocks.
        heads: attention heads; must divide `dim`.
        mlp_ratio: hidden width of a block's perceptron over `dim`.
    """

    dim: int = 1024
    depth: int = 24
    heads: int = 16
    mlp_ratio: float = 4.0

    def __post_init__(self) -> None:
        check_whole("ViT", dim=self.dim, depth=self.depth, heads=self.heads)
        check_ratio("ViT", mlp_ratio=self.mlp_ratio)
        if self.dim % self.heads:
            raise ValueError(f"ViT dim {self.dim} is not a multiple of heads {self.heads}")


class Attention(nn.Module):
    """Multi-head self-attention with one fused projection, in the order query, key, value."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        rows, tokens, dim = x.shape
        qkv = self.qkv(x).view(rows, tokens, 3, self.heads, dim // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        out = F.scaled_dot_product_attention(q, k, v)
        return self.proj(out.transpose(1, 2).reshape(rows, tokens, dim))


class Mlp(nn.Module):
    """Two linear layers with the exact (erf) GELU between them."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class LayerScale(nn.Module):
    """A learned factor per channel on a residual branch (Touvron et al. 2021)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor, branch: Tensor) -> Tensor:
        """x + gamma * branch, in one pass over memory."""
        return torch.addcmul(x, branch, self.gamma)


class Block(nn.Module):
    """Pre-norm transformer block."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.dim, eps=LAYER_NORM_EPS)
        self.attn = Attention(config.dim, config.heads)
        self.ls1 = LayerScale(config.dim)
        self.norm2 = nn.LayerNorm(config.dim, eps=LAYER_NORM_EPS)
        self.mlp = Mlp(config.dim, int(config.dim * config.mlp_ratio))
        self.ls2 = LayerScale(config.dim)

    def forward(self, x: Tensor) -> Tensor:
        x = self.ls1(x, self.attn(self.norm1(x)))
        return self.ls2(x, self.mlp(self.norm2(x)))


class PatchEmbed(nn.Module):
    """Cut the image into patches and project each to a token."""

    def __init__(self, patch_px: int, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, kernel_size=patch_px, stride=patch_px)

    def forward(self, image: Tensor) -> Tensor:
        return self.proj(image).flatten(2).transpose(1, 2)


class VisionTransformer(nn.Module):
    """Image windows to tokens.

    Args:
        config: width, depth and heads.
        window_px: side of the square input in pixels.
        patch_px: side of one patch in pixels; must divide `window_px`.

    Attributes:
        recompute: in training, keep only each block's input and compute the block again in the backward
            pass: a third more work for a fraction of the memory.
    """

    recompute = False

    def __init__(self, config: ViTConfig, window_px: int, patch_px: int) -> None:
        super().__init__()
        grid = window_px // patch_px
        self.patch_embed = PatchEmbed(patch_px, config.dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + grid * grid, config.dim))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.dim, eps=LAYER_NORM_EPS)

    def forward(
        self, windows: Tensor, hooks: Sequence[int] = (), hook_rows: int | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Run all blocks.

        Args:
            windows: [N, 3, window_px, window_px], values in [-1, 1].
            hooks: block indices whose raw output (before the last norm) is wanted.
            hook_rows: keep only the first rows of the hooked outputs (all of them if None).

        Returns:
            The normed tokens [N, 1 + grid^2, dim] (class token first), and the hooked outputs in the
            order of `hooks`, each [hook_rows, 1 + grid^2, dim].
        """
        x = self.patch_embed(windows)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], dim=1) + self.pos_embed
        hooked: dict[int, Tensor] = {}
        for index, block in enumerate(self.blocks):
            recompute = self.recompute and torch.is_grad_enabled()
            x = checkpoint(block, x, use_reentrant=False) if recompute else block(x)
            if index in hooks:
                hooked[index] = x[:hook_rows]
        return self.norm(x), [hooked[index] for index in hooks]


def tokens_to_map(tokens: Tensor) -> Tensor:
    """Drop the class token and lay the others out: [N, 1 + g^2, C] to [N, g, g, C] (row-major)."""
    rows, count, dim = tokens.shape
    grid = round((count - 1) ** 0.5)
    return tokens[:, 1:].reshape(rows, grid, grid, dim)
