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

from depthpro_ros.models.depthart.config import DepthArtConfig, TransformerConfig
from depthpro_ros.models.depthart.quantiser import MultiScaleQuantiser
from depthpro_ros.models.vit import VisionTransformer

LAYER_NORM_EPS = 1e-6
LARGEST_LOG_FACTOR = math.log(100.0)


class CausalAttention(nn.Module):
    """Attention with one projection for query, key and value, of which the key alone has no bias."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        dim = config.dim
        self.config = config
        if config.unit_queries:
            self.scale_mul_1H11 = nn.Parameter(torch.full((1, config.heads, 1, 1), 4.0).log())
        self.mat_qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.q_bias, self.v_bias = nn.Parameter(torch.zeros(dim)), nn.Parameter(torch.zeros(dim))
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        batch, tokens, dim = x.shape
        config = self.config
        bias = torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        qkv = F.linear(x, self.mat_qkv.weight, bias).view(batch, tokens, 3, config.heads, config.head_dim)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        scale = config.plain_scale
        if config.unit_queries:
            factor = self.scale_mul_1H11.clamp(max=LARGEST_LOG_FACTOR).exp()
            q, k, scale = F.normalize(q, dim=-1) * factor.to(q.dtype), F.normalize(k, dim=-1), 1.0
        out = F.scaled_dot_product_attention(q, k, v.to(q.dtype), attn_mask=mask, scale=scale)
        return self.proj(out.transpose(1, 2).reshape(batch, tokens, dim))


class Ffn(nn.Module):
    """Two linear layers with the tanh form of GELU between them."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        hidden = round(config.dim * config.mlp_ratio)
        self.fc1, self.fc2 = nn.Linear(config.dim, hidden), nn.Linear(hidden, config.dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x), approximate="tanh"))


class AdaLnBlock(nn.Module):
    """A block whose norms get scale, shift and gate from a condition (Peebles and Xie 2023)."""

    def __init__(self, config: TransformerConfig, drop_path: float) -> None:
        super().__init__()
        self.attn, self.ffn = CausalAttention(config), Ffn(config)
        self.ada_lin = nn.Sequential(nn.SiLU(), nn.Linear(config.dim, 6 * config.dim))
        self.drop_path = drop_path

    def forward(self, x: Tensor, condition: Tensor, mask: Tensor) -> Tensor:
        """Tokens [B, T, dim] and one condition [dim] for all of them."""
        gate1, gate2, scale1, scale2, shift1, shift2 = self.ada_lin(condition).view(6, -1)
        dim = x.shape[-1:]
        y = F.layer_norm(x, dim, eps=LAYER_NORM_EPS) * (1 + scale1) + shift1
        x = x + self._kept(gate1 * self.attn(y, mask))
        y = F.layer_norm(x, dim, eps=LAYER_NORM_EPS) * (1 + scale2) + shift2
        return x + self._kept(gate2 * self.ffn(y))

    def _kept(self, branch: Tensor) -> Tensor:
        """In training, leave the branch out for a random share of the images (Huang et al. 2016)."""
        if not self.training or self.drop_path == 0:
            return branch
        keep = 1 - self.drop_path
        chosen = torch.empty(len(branch), 1, 1, device=branch.device).bernoulli_(keep).div_(keep)
        return branch * chosen.to(branch.dtype)


class AdaLnBeforeHead(nn.Module):
    """The last norm, with scale and shift from the condition."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.ada_lin = nn.Sequential(nn.SiLU(), nn.Linear(dim, 2 * dim))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.ada_lin(condition).view(2, -1)
        return F.layer_norm(x, x.shape[-1:], eps=LAYER_NORM_EPS) * (1 + scale) + shift


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
        self.class_emb = nn.Embedding(t.classes + 1, t.dim)
        self.pos_start = nn.Parameter(torch.zeros(1, 1, t.dim))
        self.pos_1LC = nn.Parameter(torch.zeros(1, tokens, t.dim))
        self.lvl_embed = nn.Embedding(len(config.tokenizer.scales), t.dim)
        self.blocks = nn.ModuleList(AdaLnBlock(t, drop_path * index / max(t.depth - 1, 1)) for index in range(t.depth))
        self.head_nm = AdaLnBeforeHead(t.dim)
        self.head = nn.Linear(t.dim, config.tokenizer.codes)
        if t.modality:
            self.modality = nn.Parameter(torch.zeros(t.dim))
        if t.encoder is not None:
            self.encoder = VisionTransformer(t.encoder, t.encoder_px, t.encoder_patch_px)
            self.encoder_embed = nn.Linear(t.encoder.dim, t.dim)

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
        x = torch.cat([prefix, start.to(prefix.dtype), later.to(prefix.dtype)], dim=1)
        mask = self.mask(count, x.device)
        for block in self.blocks:
            if self.recompute and torch.is_grad_enabled():
                x = checkpoint(block, x, self.condition, mask, use_reentrant=False)
            else:
                x = block(x, self.condition, mask)
        return x[:, count:]


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
