# SPDX-License-Identifier: Apache-2.0
"""DepthART as a straightforward composition of the published modules, to compare with.

The class condition is projected at every block of every pass, the cache grows by concatenation, and every module is
called as it was trained. It chooses the likeliest codes, as `depthpro_ros.models.depthart.inference` does by default.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from depthpro_ros.bench.depthart_frame import DECODE, ENCODE, FIRST_SCALE, LATER_SCALES
from depthpro_ros.models.depthart.blocks import LAYER_NORM_EPS, AdaLnBlock, CausalAttention
from depthpro_ros.models.depthart.network import DepthArt
from depthpro_ros.models.depthart.relative import decode_depth

Kept = list[tuple[Tensor, Tensor] | None]
"""Keys and values [B, heads, T, head_dim] of each block."""


class PlainDepthArt:
    """Images to depth up to scale.

    Args:
        model: whose prefix sees the start token and is made of token maps, as published; it is cast in place.
        dtype: number format; the quantiser and the head compute in float32.
    """

    def __init__(self, model: DepthArt, dtype: torch.dtype) -> None:
        assert model.config.transformer.prefix == "tokens" and model.config.transformer.prefix_sees_start
        self.model, self.config, self.dtype = model.to(dtype).eval(), model.config, dtype
        # a copy: what is left of the weights file in memory is given back with the last tensor of it
        model.tokenizer.quantize = copy.deepcopy(model.tokenizer.quantize).float()
        model.transformer.head.float()
        model.transformer.head_nm.float()

    def __call__(
        self, rgb: Tensor, mark: Callable[[str], None] = lambda stage: None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """One rollout.

        Args:
            rgb: uint8 [B, S, S, 3].
            mark: called with the name of each stage when it is done.

        Returns:
            Depth over its 98th percentile, float32 [B, S, S], and the codes of each scale.
        """
        transformer, tokenizer = self.model.transformer, self.model.tokenizer
        quantiser = tokenizer.quantize
        features = self._features(rgb)
        mark(ENCODE)
        x = torch.cat([transformer.prefix(features), transformer.start().expand(len(rgb), 1, -1)], dim=1)
        places = transformer.places()
        kept: Kept = [None] * len(transformer.blocks)
        codes: list[Tensor] = []
        total = torch.zeros(len(rgb), self.config.tokenizer.latent_dim, *[quantiser.latent_px] * 2, device=rgb.device)
        first = 0
        for scale, side in enumerate(quantiser.scales):
            if scale:
                inputs = quantiser.next_input(total, scale).to(self.dtype)
                x = transformer.word_embed(inputs) + places[first : first + side * side]
            codes.append(self._logits(x, kept, side * side).argmax(-1))
            if not scale:
                mark(FIRST_SCALE)
            total = total + quantiser.contribution(scale, quantiser.embedding(codes[-1]))
            first += side * side
        mark(LATER_SCALES)
        relative = decode_depth(tokenizer.decode(total).float().mean(1), self.config.depth_code)
        mark(DECODE)
        return relative, tuple(codes)

    def _features(self, rgb: Tensor) -> Tensor:
        """The image's own token maps, see `image_inputs`; in the network's number format up to the quantiser."""
        # channels first, as data loaders give it
        image = rgb.permute(0, 3, 1, 2).contiguous().to(self.dtype) / 127.5 - 1
        quantiser, rows = self.model.tokenizer.quantize, []
        path = quantiser.walk(self.model.tokenizer.encode(image))
        for side, total in zip(quantiser.scales, quantiser.sums(path.chosen), strict=True):
            if side != quantiser.latent_px:
                total = F.interpolate(total, (side, side), mode="bicubic", align_corners=False)
            rows.append(total.flatten(2).transpose(1, 2))
        return torch.cat(rows, dim=1)

    def _logits(self, x: Tensor, kept: Kept, last: int) -> Tensor:
        transformer = self.model.transformer
        condition = transformer.condition
        for index, block in enumerate(transformer.blocks):
            assert isinstance(block, AdaLnBlock)
            gate1, gate2, scale1, scale2, shift1, shift2 = block.ada_lin(condition).view(6, -1)
            y = F.layer_norm(x, x.shape[-1:], eps=LAYER_NORM_EPS) * (1 + scale1) + shift1
            attended, kept[index] = _attend(block.attn, y, kept[index])
            x = x + gate1 * attended
            y = F.layer_norm(x, x.shape[-1:], eps=LAYER_NORM_EPS) * (1 + scale2) + shift2
            x = x + gate2 * block.ffn(y)
        return transformer.head(transformer.head_nm(x[:, -last:].float(), condition.float()))


def _attend(
    attn: CausalAttention, x: Tensor, kept: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """What a block's attention says, and the keys and values of all tokens so far."""
    q, k, v, scale = attn.projected(x)
    if kept is not None:
        k, v = torch.cat([kept[0], k], dim=2), torch.cat([kept[1], v], dim=2)
    out = F.scaled_dot_product_attention(q, k, v, scale=scale)
    return attn.proj(out.transpose(1, 2).flatten(2)), (k, v)
