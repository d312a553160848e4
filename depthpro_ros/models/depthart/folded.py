# SPDX-License-Identifier: Apache-2.0
"""The transformer at inference: the constant condition folded into the weights, and keys and values kept.

The condition is always the embedding of no class. So what its projections say is constant: scale and shift of a norm
go into the linear layer after it, a gate into the one before it. A third of the published weights is not needed then.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from depthpro_ros.allocator import give_back_freed_memory
from depthpro_ros.models.depthart.blocks import LARGEST_LOG_FACTOR, LAYER_NORM_EPS, AdaLnBlock
from depthpro_ros.models.depthart.linear import Linear
from depthpro_ros.models.depthart.transformer import RefinementTransformer, seen_at

M = TypeVar("M", bound=nn.Module)
NORM_EPS = 1e-12
"""Queries and keys are not divided by less, as in `F.normalize`."""


@dataclass(frozen=True)
class FoldedBlock:
    """One block; `factors` [2, heads, 1], of queries and keys of length one, are None for plain ones."""

    qkv: Linear
    proj: Linear
    fc1: Linear
    fc2: Linear
    factors: Tensor | None

    @classmethod
    def of(cls, block: AdaLnBlock, condition: Tensor) -> FoldedBlock:
        """Fold a block as trained."""
        gate1, gate2, scale1, scale2, shift1, shift2 = block.ada_lin(condition).view(6, -1)
        attn, ffn = block.attn, block.ffn
        bias = torch.cat([attn.q_bias, torch.zeros_like(attn.q_bias), attn.v_bias])
        factors = None
        if attn.config.unit_queries:
            factor = attn.scale_mul_1H11[0, :, 0].clamp(max=LARGEST_LOG_FACTOR).exp()
            factors = torch.stack([factor, torch.ones_like(factor)])
        return cls(
            Linear.after_norm(attn.mat_qkv.weight, bias, scale1, shift1),
            Linear.before_gate(attn.proj.weight, attn.proj.bias, gate1),
            Linear.after_norm(ffn.fc1.weight, ffn.fc1.bias, scale2, shift2),
            Linear.before_gate(ffn.fc2.weight, ffn.fc2.bias, gate2),
            factors,
        )

    def to(self, dtype: torch.dtype) -> FoldedBlock:
        """The same in another number format."""
        return FoldedBlock(
            self.qkv.to(dtype), self.proj.to(dtype), self.fc1.to(dtype), self.fc2.to(dtype), self.factors
        )

    def packed(self) -> FoldedBlock:
        """The same laid out for the CPU that it computes on."""
        return FoldedBlock(self.qkv.packed(), self.proj.packed(), self.fc1.packed(), self.fc2.packed(), self.factors)


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
        self.seen: Tensor | None = None
        """Of models that are `aligned`: what the image says at each depth token [B, L, dim]."""

    def add(self, block: int, first: int, k: Tensor, v: Tensor, factor: Tensor | None) -> tuple[Tensor, Tensor]:
        """Keep the keys (times a factor) and values of tokens from `first` on.

        Args:
            block, first: where.
            k, v: [B, T, heads, head_dim].
            factor: [B, T, heads, 1], or None.

        Returns:
            Those of all tokens up to their end, [B, heads, end, head_dim].
        """
        keys, values = self.kept[block]
        end = first + k.shape[1]
        place = keys[:, :, first:end].transpose(1, 2)
        if factor is None:
            place.copy_(k)
        else:
            torch.mul(k, factor, out=place)
        values[:, :, first:end].transpose(1, 2).copy_(v)
        return keys[:, :, :end], values[:, :, :end]


class FoldedTransformer:
    """Says one scale after another.

    Args:
        transformer: as trained, in any number format; its tensors are not kept.
        dtype: number format of the blocks; the head computes in float32.
        pack: lay weights out for the CPU that they are on, which pays once a few images are seen.
        consume: the transformer gives its weights away: afterwards it is empty. Saves memory while it is folded.
    """

    def __init__(
        self, transformer: RefinementTransformer, dtype: torch.dtype, *, pack: bool = False, consume: bool = False
    ) -> None:
        self.config = transformer.config
        self.dtype = dtype
        condition = transformer.condition.float()
        self.blocks: list[FoldedBlock] = []
        with torch.no_grad():
            for block in transformer.blocks:
                assert isinstance(block, AdaLnBlock)
                folded = FoldedBlock.of(_float(block), condition).to(dtype)
                self.blocks.append(folded.packed() if pack else folded)
                if consume:
                    block.to("meta")
                    give_back_freed_memory()
            scale, shift = _float(transformer.head_nm).ada_lin(condition).view(2, -1)
            head = _float(transformer.head)
            self.head = Linear.after_norm(head.weight, head.bias, scale, shift)
            self.head = self.head.packed() if pack else self.head
            self.word = self.image = _copied(transformer.word_embed, dtype)
            if self.config.transformer.encoder is not None:
                self.image = _copied(transformer.encoder_embed, dtype)
            self.align = _copied(transformer.align, dtype) if self.config.transformer.aligned else None
            # as `places` and `start` of the transformer, but summed in float32
            position = transformer.pos_1LC[0]
            places = transformer.lvl_embed(transformer.levels(position.device)).float() + position.float()
            self.places = places.to(dtype)
            self.start = (condition + transformer.pos_start[0, 0].float() + places[0]).to(dtype)
            self.modality = transformer.modality.to(dtype, copy=True) if self.config.transformer.modality else None
        if consume:
            transformer.head_nm.to("meta")
            transformer.head.to("meta")
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
        if self.align is not None:
            cache.seen = self.align(seen_at(prefix, self.config.tokenizer.scales))
            start = start + cache.seen[:, :1]
        if self.config.transformer.prefix_sees_start:
            return self._logits(self._blocks(torch.cat([prefix, start], dim=1), 0, cache, answers=1))
        self._blocks(prefix, 0, cache, answers=0)
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
        if cache.seen is not None:
            x = x + cache.seen[:, first:end]
        return self._logits(self._blocks(x, self.config.prefix_tokens + first, cache))

    def _logits(self, x: Tensor) -> Tensor:
        return self.head(F.layer_norm(x.float(), x.shape[-1:], eps=LAYER_NORM_EPS))

    def _blocks(self, x: Tensor, first: int, cache: Cache, answers: int | None = None) -> Tensor:
        """What the last block says at the last so many tokens (at all if None); of the others it keeps what they are.

        Args:
            x: [B, T, dim].
            first: place of the first of them.
            cache: of the tokens before.
            answers: how many.
        """
        t = self.config.transformer
        batch, tokens, dim = x.shape
        for index, block in enumerate(self.blocks):
            qkv = block.qkv(F.layer_norm(x, (dim,), eps=LAYER_NORM_EPS)).view(batch, tokens, 3, t.heads, t.head_dim)
            q, k, v = qkv.unbind(2)
            scale, factor = t.plain_scale, None
            if block.factors is not None:
                wide = torch.promote_types(self.dtype, torch.float32)
                length = torch.linalg.vector_norm(qkv[:, :, :2], dim=-1, keepdim=True, dtype=wide)
                factors, scale = block.factors / length.clamp_(min=NORM_EPS), 1.0
                q, factor = q.mul_(factors[:, :, 0]), factors[:, :, 1]
            keys, values = cache.add(index, first, k, v, factor)
            if answers is not None and block is self.blocks[-1]:
                tokens, q, x = answers, q[:, q.shape[1] - answers :], x[:, x.shape[1] - answers :]
                if not answers:
                    break
            out = F.scaled_dot_product_attention(q.transpose(1, 2), keys, values, scale=scale)
            x = block.proj.added(out.transpose(1, 2).reshape(batch, tokens, dim), x)
            x = block.fc2.added(block.fc1.gelu(F.layer_norm(x, (dim,), eps=LAYER_NORM_EPS)), x)
        return x


def _float(module: M) -> M:
    """Itself if it is float32 or wider, else a copy that is."""
    if all(p.dtype.itemsize >= 4 for p in module.parameters()):
        return module
    return copy.deepcopy(module).float()


def _copied(layer: nn.Linear, dtype: torch.dtype) -> Linear:
    return Linear(layer.weight.to(dtype, copy=True), layer.bias.to(dtype, copy=True))
