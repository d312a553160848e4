# SPDX-License-Identifier: Apache-2.0
"""The block-causal transformer as it is trained and stored (arXiv 2404.02905; arXiv 2409.15010).

Module names follow the published checkpoints. For inference see `depthpro_ros.models.depthart.folded`, which gives the
same numbers without the class condition's projections and with a cache of keys and values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from depthpro_ros.models.depthart.blocks import AdaLnBeforeHead, AdaLnBlock
from depthpro_ros.models.depthart.config import DepthArtConfig
from depthpro_ros.models.depthart.quantiser import MultiScaleQuantiser
from depthpro_ros.models.depthart.tables import embedding
from depthpro_ros.models.vit import VisionTransformer


class RefinementTransformer(nn.Module):
    """From an image and the depth told so far to the codes of the next scale.

    Args:
        config: of the whole model.
        drop_path: of the last block in training; it grows linearly from 0 at the first.

    Attributes:
        recompute: in training, keep each block's input alone and compute the block again in the backward pass.
    """

    recompute = False

    def __init__(self, config: DepthArtConfig, drop_path: float = 0.0) -> None:
        super().__init__()
        self.config = config
        t, tokens = config.transformer, config.tokenizer.tokens
        self.word_embed = nn.Linear(config.tokenizer.latent_dim, t.dim)
        self.class_emb = embedding(t.classes + 1, t.dim)
        self.pos_start = nn.Parameter(torch.zeros(1, 1, t.dim))
        self.pos_1LC = nn.Parameter(torch.zeros(1, tokens, t.dim))
        self.lvl_embed = embedding(len(config.tokenizer.scales), t.dim)
        self.blocks = nn.ModuleList(AdaLnBlock(t, drop_path * index / max(t.depth - 1, 1)) for index in range(t.depth))
        self.head_nm = AdaLnBeforeHead(t.dim)
        self.head = nn.Linear(t.dim, config.tokenizer.codes)
        if t.modality:
            self.modality = nn.Parameter(torch.zeros(t.dim))
        if t.encoder is not None:
            self.encoder = VisionTransformer(t.encoder, t.encoder_px, t.encoder_patch_px)
            self.encoder_embed = nn.Linear(t.encoder.dim, t.dim)
        if t.aligned:
            self.align = nn.Linear(t.dim, t.dim)

    @property
    def condition(self) -> Tensor:
        """[dim]: the embedding of no class, which conditions every norm; it never changes."""
        return self.class_emb.weight[self.config.transformer.classes]

    def levels(self, device: torch.device | None = None) -> Tensor:
        """The scale of each depth token, int64 [L]."""
        sides = self.config.tokenizer.scales
        return torch.cat([torch.full((side * side,), k, device=device) for k, side in enumerate(sides)])

    def places(self) -> Tensor:
        """What tells tokens where they are: level and position [L, dim]."""
        return self.lvl_embed(self.levels(self.pos_1LC.device)) + self.pos_1LC[0]

    def prefix(self, features: Tensor) -> Tensor:
        """What stands for the image, [B, P, dim].

        Args:
            features: [B, P, C], `image_inputs` of the image's latent, or the encoder's tokens.
        """
        if self.config.transformer.prefix == "tokens":
            tokens = self.word_embed(features.to(self.word_embed.weight.dtype)) + self.places()
        else:
            tokens = self.encoder_embed(features.to(self.encoder_embed.weight.dtype))
        return tokens + self.modality if self.config.transformer.modality else tokens

    def start(self) -> Tensor:
        """The token that the coarsest scale is read from, [dim]; the same in training and in inference."""
        return self.condition + self.pos_start[0, 0] + self.places()[0]

    def mask(self, prefix: int, device: torch.device | None = None) -> Tensor:
        """Who sees whom, bool [P + L, P + L]: all see the prefix, and depth tokens those of their level or coarser."""
        levels = self.levels(device) + 1
        levels = torch.cat([levels.new_zeros(prefix), levels])
        mask = levels[:, None] >= levels[None, :]
        if self.config.transformer.prefix_sees_start:
            mask[:prefix, prefix] = True
        return mask

    def forward(self, prefix: Tensor, inputs: Sequence[Tensor]) -> Tensor:
        """Logits of all scales in one pass.

        Args:
            prefix: [B, P, dim].
            inputs: float32 [B, p_k^2, C] for each scale but the first.

        Returns:
            float32 [B, L, codes].
        """
        hidden = self.hidden(prefix, inputs)
        with torch.autocast(hidden.device.type, enabled=False):
            return F.linear(
                self.head_nm(hidden.float(), self.condition.float()), self.head.weight.float(), self.head.bias.float()
            )

    def hidden(self, prefix: Tensor, inputs: Sequence[Tensor]) -> Tensor:
        """What the last block says at the depth tokens [B, L, dim]."""
        batch, count, _ = prefix.shape
        places = self.places()
        start = (self.condition + self.pos_start[0, 0] + places[0]).expand(batch, 1, -1)
        later = self.word_embed(torch.cat(list(inputs), dim=1).to(self.word_embed.weight.dtype)) + places[1:]
        told = torch.cat([start.to(prefix.dtype), later.to(prefix.dtype)], dim=1)
        if self.config.transformer.aligned:
            told = told + self.align(seen_at(prefix, self.config.tokenizer.scales))
        x = torch.cat([prefix, told], dim=1)
        mask = self.mask(count, x.device)
        for block in self.blocks:
            if self.recompute and torch.is_grad_enabled():
                x = checkpoint(block, x, self.condition, mask, use_reentrant=False)
            else:
                x = block(x, self.condition, mask)
        return x[:, count:]


def seen_at(prefix: Tensor, scales: Sequence[int]) -> Tensor:
    """What a square grid of prefix tokens [B, g^2, C] says of each depth token's part of the image: means [B, L, C]."""
    side = math.isqrt(prefix.shape[1])
    grid = prefix.transpose(1, 2).unflatten(2, (side, side))
    return torch.cat([F.adaptive_avg_pool2d(grid, scale).flatten(2) for scale in scales], dim=2).transpose(1, 2)


def image_inputs(quantiser: MultiScaleQuantiser, latent: Tensor, *, smooth: bool) -> Tensor:
    """An image's latent as told after each scale, each in its own size: float32 [B, L, C] (arXiv 2409.15010).

    Args:
        quantiser: of the tokenizer.
        latent: float32 [B, C, s, s].
        smooth: shrink by averages rather than bicubically.
    """
    rows = []
    for scale, total in enumerate(quantiser.sums(quantiser.walk(latent).chosen)):
        side = quantiser.scales[scale]
        if side != total.shape[-1]:
            total = (
                quantiser.shrink(total, scale)
                if smooth
                else F.interpolate(total, (side, side), mode="bicubic", align_corners=False)
            )
        rows.append(total.flatten(2).transpose(1, 2))
    return torch.cat(rows, dim=1)


def initialise(transformer: RefinementTransformer, *, gate: float = 1e-3, head: float = 0.02) -> None:
    """VAR's random start, from which a transformer learns.

    Args:
        transformer: changed in place; an encoder's weights stay as they are.
        gate: factor on what the gates start from.
        head: factor on the last layer, so that all codes start nearly alike.
    """
    t = transformer.config.transformer
    std = (1 / t.dim / 3) ** 0.5
    with torch.no_grad():
        for name, module in transformer.named_modules():
            if name.startswith("encoder."):
                continue
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.trunc_normal_(module.weight, std=std)
                if isinstance(module, nn.Linear) and module.bias is not None:
                    nn.init.zeros_(module.bias)
        for parameter in (transformer.pos_start, transformer.pos_1LC):
            nn.init.trunc_normal_(parameter, std=std)
        transformer.head.weight.mul_(head)
        residual = (2 * t.depth) ** -0.5
        for block in transformer.blocks:
            assert isinstance(block, AdaLnBlock)
            block.attn.proj.weight.mul_(residual)
            block.ffn.fc2.weight.mul_(residual)
            linear = block.ada_lin[1].get_parameter("weight")
            linear[: 2 * t.dim].mul_(gate)
            linear[2 * t.dim :].mul_(0.5)
        transformer.head_nm.ada_lin[1].get_parameter("weight").mul_(0.5)
