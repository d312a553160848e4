# SPDX-License-Identifier: Apache-2.0
"""The transformer at inference: the constant condition folded into the weights, and keys and values kept.

The condition is always the embedding of no class. So what its projections say is constant: scale and shift of a norm
go into the linear layer after it, a gate into the one before it. A third of the published weights is not needed then.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from depthpro_ros.models.depthart.transformer import (
    LARGEST_LOG_FACTOR,
    LAYER_NORM_EPS,
    AdaLnBlock,
    RefinementTransformer,
)


@dataclass(frozen=True)
class Linear:
    """A linear layer's weight [out, in] and bias [out]."""

    weight: Tensor
    bias: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)

    @classmethod
    def after_norm(cls, weight: Tensor, bias: Tensor, scale: Tensor, shift: Tensor) -> Linear:
        """The layer of (1 + scale) x + shift."""
        return cls(weight * (1 + scale), bias + weight @ shift)

    @classmethod
    def before_gate(cls, weight: Tensor, bias: Tensor, gate: Tensor) -> Linear:
        """gate times the layer."""
        return cls(gate[:, None] * weight, gate * bias)

    def to(self, dtype: torch.dtype) -> Linear:
        """The same in another number format."""
        return Linear(self.weight.to(dtype), self.bias.to(dtype))


@dataclass(frozen=True)
class FoldedBlock:
    """One block; `factor` [heads, 1, 1] multiplies queries of length one, and is None for plain ones."""

    qkv: Linear
    proj: Linear
    fc1: Linear
    fc2: Linear
    factor: Tensor | None

    @classmethod
    def of(cls, block: AdaLnBlock, condition: Tensor) -> FoldedBlock:
        """Fold a block as trained."""
        gate1, gate2, scale1, scale2, shift1, shift2 = block.ada_lin(condition).view(6, -1)
        attn, ffn = block.attn, block.ffn
        bias = torch.cat([attn.q_bias, torch.zeros_like(attn.q_bias), attn.v_bias])
        factor = None
        if attn.config.unit_queries:
            factor = attn.scale_mul_1H11[0].clamp(max=LARGEST_LOG_FACTOR).exp()
        return cls(
            Linear.after_norm(attn.mat_qkv.weight, bias, scale1, shift1),
            Linear.before_gate(attn.proj.weight, attn.proj.bias, gate1),
            Linear.after_norm(ffn.fc1.weight, ffn.fc1.bias, scale2, shift2),
            Linear.before_gate(ffn.fc2.weight, ffn.fc2.bias, gate2),
            factor,
        )

    def to(self, dtype: torch.dtype) -> FoldedBlock:
        """The same in another number format."""
        factor = None if self.factor is None else self.factor.to(dtype)
        return FoldedBlock(self.qkv.to(dtype), self.proj.to(dtype), self.fc1.to(dtype), self.fc2.to(dtype), factor)


class Cache:
    """Keys and values of all blocks for one batch.

    Args:
        blocks, batch, heads, tokens, head_dim: sizes; `tokens` is prefix and all scales.
        dtype, device: of the memory.
    """

    def __init__(
        self,
        blocks: int,
        batch: int,
        heads: int,
        tokens: int,
        head_dim: int,
        *,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self.kept = torch.empty(blocks, 2, batch, heads, tokens, head_dim, dtype=dtype, device=device)

    def add(self, block: int, first: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Keep the keys and values [B, heads, T, head_dim] of tokens from `first` on; all up to their end."""
        keys, values = self.kept[block]
        end = first + k.shape[2]
        keys[:, :, first:end] = k
        values[:, :, first:end] = v
        return keys[:, :, :end], values[:, :, :end]


class FoldedTransformer:
    """Says one scale after another.

    Args:
        transformer: as trained; its tensors are not kept.
        dtype: number format of the blocks; the head computes in float32.
    """

    def __init__(self, transformer: RefinementTransformer, dtype: torch.dtype) -> None:
        self.config = transformer.config
        self.dtype = dtype
        condition = transformer.condition
        with torch.no_grad():
            self.blocks = [
                FoldedBlock.of(block, condition).to(dtype)
                for block in transformer.blocks
                if isinstance(block, AdaLnBlock)
            ]
            scale, shift = transformer.head_nm.ada_lin(condition).view(2, -1)
            head = transformer.head
            self.head = Linear.after_norm(head.weight, head.bias, scale, shift).to(torch.float32)
            self.word = Linear(transformer.word_embed.weight, transformer.word_embed.bias).to(dtype)
            self.image = self.word
            if self.config.transformer.encoder is not None:
                self.image = Linear(transformer.encoder_embed.weight, transformer.encoder_embed.bias).to(dtype)
            self.places = transformer.places().to(dtype)
            self.start = transformer.start().to(dtype)
            self.modality = transformer.modality.to(dtype) if self.config.transformer.modality else None
        sides = self.config.tokenizer.scales
        self._first = [sum(side * side for side in sides[:k]) for k in range(len(sides) + 1)]

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.start.device

    def cache(self, batch: int) -> Cache:
        """Memory for one batch of images."""
        t = self.config.transformer
        tokens = self.config.prefix_tokens + self._first[-1]
        return Cache(len(self.blocks), batch, t.heads, tokens, t.head_dim, dtype=self.dtype, device=self.device)

    def prefix(self, features: Tensor) -> Tensor:
        """See `RefinementTransformer.prefix`."""
        tokens = self.image(features.to(self.dtype))
        if self.config.transformer.prefix == "tokens":
            tokens = tokens + self.places
        return tokens if self.modality is None else tokens + self.modality

    def begin(self, prefix: Tensor, cache: Cache) -> Tensor:
        """Take the image in and say the coarsest scale: logits float32 [B, 1, codes].

        Args:
            prefix: [B, P, dim].
            cache: empty.
        """
        start = self.start.expand(len(prefix), 1, -1)
        prefix = prefix.to(self.dtype)
        if self.config.transformer.prefix_sees_start:
            return self._logits(self._blocks(torch.cat([prefix, start], dim=1), 0, cache)[:, -1:])
        self._blocks(prefix, 0, cache)
        return self._logits(self._blocks(start, prefix.shape[1], cache))

    def say(self, scale: int, inputs: Tensor, cache: Cache) -> Tensor:
        """Say a later scale: logits float32 [B, p_k^2, codes].

        Args:
            scale: its number, at least 1; all coarser ones have been said.
            inputs: float32 [B, p_k^2, C], what was said so far, in this scale's size.
            cache: of the scales before.
        """
        first, end = self._first[scale], self._first[scale + 1]
        x = self.word(inputs.to(self.dtype)) + self.places[first:end]
        return self._logits(self._blocks(x, self.config.prefix_tokens + first, cache))

    def _logits(self, x: Tensor) -> Tensor:
        return self.head(F.layer_norm(x.float(), x.shape[-1:], eps=LAYER_NORM_EPS))

    def _blocks(self, x: Tensor, first: int, cache: Cache) -> Tensor:
        t = self.config.transformer
        batch, tokens, dim = x.shape
        for index, block in enumerate(self.blocks):
            qkv = block.qkv(F.layer_norm(x, (dim,), eps=LAYER_NORM_EPS)).view(batch, tokens, 3, t.heads, t.head_dim)
            q, k, v = qkv.permute(2, 0, 3, 1, 4)
            scale = t.plain_scale
            if block.factor is not None:
                q, k, scale = F.normalize(q, dim=-1) * block.factor, F.normalize(k, dim=-1), 1.0
            keys, values = cache.add(index, first, k, v)
            out = F.scaled_dot_product_attention(q, keys, values, scale=scale)
            x = x + block.proj(out.transpose(1, 2).reshape(batch, tokens, dim))
            hidden = F.gelu(block.fc1(F.layer_norm(x, (dim,), eps=LAYER_NORM_EPS)), approximate="tanh")
            x = x + block.fc2(hidden)
        return x
