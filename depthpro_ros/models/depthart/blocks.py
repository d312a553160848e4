# SPDX-License-Identifier: Apache-2.0
"""The transformer's blocks as they are trained and stored; module names follow the published checkpoints."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from depthpro_ros.models.depthart.config import TransformerConfig

LAYER_NORM_EPS = 1e-6
LARGEST_LOG_FACTOR = math.log(100.0)


class CausalAttention(nn.Module):
    """Attention with one projection for query, key and value, of which the key alone has no bias."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        dim = config.dim
        self.config = config
        if config.unit_queries:
            self.scale_mul_1H11 = nn.Parameter(torch.full((1, config.heads, 1, 1), math.log(4.0)))
        self.mat_qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.q_bias, self.v_bias = nn.Parameter(torch.zeros(dim)), nn.Parameter(torch.zeros(dim))
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        q, k, v, scale = self.projected(x)
        out = F.scaled_dot_product_attention(q, k, v.to(q.dtype), attn_mask=mask, scale=scale)
        return self.proj(out.transpose(1, 2).flatten(2))

    def projected(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, float]:
        """Queries, keys and values of tokens [B, T, dim], [B, heads, T, head_dim] each; and the factor on products."""
        batch, tokens, _ = x.shape
        config = self.config
        bias = torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        qkv = F.linear(x, self.mat_qkv.weight, bias).view(batch, tokens, 3, config.heads, config.head_dim)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        scale = config.plain_scale
        if config.unit_queries:
            factor = self.scale_mul_1H11.clamp(max=LARGEST_LOG_FACTOR).exp()
            q, k, scale = F.normalize(q, dim=-1) * factor.to(q.dtype), F.normalize(k, dim=-1), 1.0
        return q, k, v, scale


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
