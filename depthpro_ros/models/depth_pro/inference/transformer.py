# SPDX-License-Identifier: Apache-2.0
"""The vision transformer at inference: everything that only scales or shifts is folded into the products beside it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from depthpro_ros.allocator import give_back_freed_memory
from depthpro_ros.models.vit import LAYER_NORM_EPS, Block, VisionTransformer

BYTE_HALF = 127.5
"""RGB in [-1, 1] is RGB in [0, 255] over this, minus 1."""


def input_scale(dtype: torch.dtype) -> float:
    """What pixels in [0, 255] are multiplied with before a network of this number format sees them.

    The patch embedding's weights for whole levels are below float16's normal range. A power of two costs nothing.
    """
    return 1 / 128 if dtype == torch.float16 else 1.0


class MergedBlock(nn.Module):
    """A transformer block without LayerNorm's factors, LayerScale, and the scale of the queries.

    Args:
        block: the original.
        dtype: number format to compute in.
    """

    def __init__(self, block: Block, dtype: torch.dtype) -> None:
        super().__init__()
        dim = block.attn.proj.out_features
        self.heads = block.attn.heads
        self.dim = dim
        qkv, qkv_bias = _fold_norm(block.norm1, block.attn.qkv)
        scale = torch.ones_like(qkv_bias)
        scale[:dim] = (dim // self.heads) ** -0.5
        self.qkv = linear(qkv * scale[:, None], qkv_bias * scale, dtype)
        self.proj = linear(*_fold_scale(block.attn.proj, block.ls1.gamma), dtype)
        self.fc1 = linear(*_fold_norm(block.norm2, block.mlp.fc1), dtype)
        self.fc2 = linear(*_fold_scale(block.mlp.fc2, block.ls2.gamma), dtype)

    def forward(self, x: Tensor) -> Tensor:
        """[N, tokens, dim], changed in place."""
        rows, tokens, dim = x.shape
        normed = F.layer_norm(x, (dim,), eps=LAYER_NORM_EPS)
        qkv = self.qkv(normed).view(rows, tokens, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        # on a CPU attention is a quarter faster on contiguous heads than the copy costs
        q, k, v = qkv.contiguous() if x.device.type == "cpu" else qkv
        attended = F.scaled_dot_product_attention(q, k, v, scale=1.0)
        x += self.proj(attended.transpose(1, 2).reshape(rows, tokens, dim))
        del normed, qkv, q, k, v, attended  # before the widest tensor is made
        hidden = self.fc1(F.layer_norm(x, (dim,), eps=LAYER_NORM_EPS))
        x += self.fc2(torch.ops.aten.gelu_(hidden))
        return x


class MergedTransformer(nn.Module):
    """Image windows to tokens, as `VisionTransformer`, for windows in [0, 255] times `input_scale`.

    Args:
        vit: the original, which gives its weights away: afterwards it is empty.
        dtype: number format to compute in.
        grid: tokens along one side of a window; None is as it was trained. For another number its position
            embedding is resampled (bicubic), which is approximate.
    """

    def __init__(self, vit: VisionTransformer, dtype: torch.dtype, grid: int | None = None) -> None:
        super().__init__()
        conv = vit.patch_embed.proj
        assert conv.bias is not None
        self.patch_px = conv.kernel_size[0]
        scale = 1 / (BYTE_HALF * input_scale(dtype))
        self.embed = linear(conv.weight.flatten(1) * scale, None, dtype)
        shift = conv.bias - conv.weight.sum((1, 2, 3))
        position = resampled(_wide(vit.pos_embed[0]), grid)
        position[0] += vit.cls_token[0, 0]
        position[1:] += shift
        self.position = nn.Parameter(position.to(dtype), requires_grad=False)
        self.blocks = nn.ModuleList()
        for index in range(len(vit.blocks)):
            self.blocks.append(MergedBlock(vit.blocks[index], dtype))  # type: ignore[arg-type]
            vit.blocks[index] = nn.Identity()
            give_back_freed_memory()
        self.norm = vit.norm.to(dtype)

    def forward(self, windows: Tensor, hooks: Sequence[int] = ()) -> tuple[Tensor, list[Tensor]]:
        """Run all blocks.

        Args:
            windows: [N, 3, window_px, window_px].
            hooks: block indices whose raw output is wanted.

        Returns:
            The normed tokens without the class token, [N, g, g, dim], and the hooked outputs likewise.
        """
        rows, _, side, _ = windows.shape
        grid, px = side // self.patch_px, self.patch_px
        patches = windows.view(rows, 3, grid, px, grid, px).permute(0, 2, 4, 1, 3, 5).reshape(rows, grid * grid, -1)
        x = windows.new_empty(rows, 1 + grid * grid, self.position.shape[1])
        x[:, :1] = self.position[:1]
        torch.add(self.embed(patches), self.position[1:], out=x[:, 1:])
        hooked: dict[int, Tensor] = {}
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in hooks:
                hooked[index] = x[:, 1:].clone()  # the next block changes x
        tokens = self.norm(x[:, 1:])
        shape = (rows, grid, grid, -1)
        return tokens.view(shape), [hooked[index].view(shape) for index in hooks]


def resampled(position: Tensor, grid: int | None) -> Tensor:
    """A copy of a position embedding [1 + g^2, dim], class token first, for another grid."""
    trained = round((len(position) - 1) ** 0.5)
    if grid in (None, trained):
        return position.clone()
    square = position[1:].T.reshape(1, -1, trained, trained)
    square = F.interpolate(square, (grid, grid), mode="bicubic", align_corners=False)
    return torch.cat([position[:1], square[0].flatten(1).T])


def linear(weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> nn.Linear:
    """A linear layer with these weights, in this number format."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    layer.weight = nn.Parameter(weight.detach().to(dtype).contiguous(), requires_grad=False)
    if bias is not None:
        layer.bias = nn.Parameter(bias.detach().to(dtype), requires_grad=False)
    return layer


def _fold_norm(norm: nn.LayerNorm, layer: nn.Linear) -> tuple[Tensor, Tensor]:
    """Weight and bias of `layer(norm(x))` for a normed x without factors."""
    factor, shift, weight = (_wide(t) for t in (norm.weight, norm.bias, layer.weight))
    return weight * factor, _wide(layer.bias) + weight @ shift


def _fold_scale(layer: nn.Linear, factor: Tensor) -> tuple[Tensor, Tensor]:
    """Weight and bias of `factor * layer(x)`."""
    factor = _wide(factor)
    return _wide(layer.weight) * factor[:, None], _wide(layer.bias) * factor


def _wide(tensor: Tensor) -> Tensor:
    """In a format that folding does not round: float32 at least."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()
