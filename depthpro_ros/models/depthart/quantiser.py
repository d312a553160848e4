# SPDX-License-Identifier: Apache-2.0
"""The multi-scale residual quantiser (Tian et al. 2024, arXiv 2404.02905, algorithms 1 and 2).

A latent is told scale by scale: each scale's tokens say what the coarser ones left over. All of it is computed in
float32, whatever the networks around it use: a rounded latent has other nearest codes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from depthpro_ros.models.depthart.config import TokenizerConfig
from depthpro_ros.models.depthart.tables import embedding

Choose = Callable[[int, Tensor], Tensor]
"""(scale's number, the nearest codes [B, p^2]) to the codes to go on with [B, p^2]."""


class SharedConv(nn.Conv2d):
    """A convolution of which only a share is blended in: (1 - blend) h + blend (conv(h))."""

    def __init__(self, width: int, blend: float) -> None:
        super().__init__(width, width, 3, padding=1)
        self.blend = blend

    def forward(self, h: Tensor) -> Tensor:
        return torch.lerp(h, super().forward(h), self.blend)


class SharedConvs(nn.Module):
    """The few convolutions that the scales share."""

    def __init__(self, count: int, width: int, blend: float) -> None:
        super().__init__()
        self.qresi_ls = nn.ModuleList(SharedConv(width, blend) for _ in range(count))

    def of(self, scale: int, scales: int) -> SharedConv:
        """The convolution of a scale (from 0): the one whose tick is nearest to the scale's place in [0, 1]."""
        conv = self.qresi_ls[conv_of_scale(scale, scales, len(self.qresi_ls))]
        assert isinstance(conv, SharedConv)
        return conv


def conv_of_scale(scale: int, scales: int, convs: int) -> int:
    """Which of `convs` shared convolutions scale `scale` of `scales` uses: ticks at (i + 1/2) / convs.

    The published code takes ticks 1 / (3 n) to 1 - 1 / (3 n) for n = 4 convolutions and 1 / (2 n) otherwise.
    """
    end = 1 / (3 * convs if convs == 4 else 2 * convs)
    ticks = torch.linspace(end, 1 - end, convs, dtype=torch.float64) if convs > 1 else torch.zeros(1)
    place = scale / (scales - 1) if scales > 1 else 0.0
    return int((ticks - place).abs().argmin())


@dataclass(frozen=True)
class Path:
    """A latent told scale by scale.

    Attributes:
        targets: int64 [B, p_k^2] for each scale: the codes nearest to what was left over.
        chosen: the same shapes: the codes that were gone on with.
        inputs: float32 [B, p_k^2, latent_dim] for each scale but the first: what a transformer is given to say it,
            the sum so far in that scale's size.
        latent: float32 [B, latent_dim, s, s], the sum of all scales.
    """

    targets: tuple[Tensor, ...]
    chosen: tuple[Tensor, ...]
    inputs: tuple[Tensor, ...]
    latent: Tensor


class MultiScaleQuantiser(nn.Module):
    """Latents to tokens and back.

    Args:
        config: of the tokenizer.
    """

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.scales = config.scales
        self.embedding = embedding(config.codes, config.latent_dim)
        self.quant_resi = SharedConvs(config.shared_convs, config.latent_dim, config.blend)

    @property
    def latent_px(self) -> int:
        """Side of the latent."""
        return self.scales[-1]

    def nearest(self, latent: Tensor) -> Tensor:
        """Codes nearest (in squared distance) to the columns of [B, C, p, p], int64 [B, p^2] by rows."""
        codebook = self.embedding.weight.float()
        flat = latent.float().permute(0, 2, 3, 1).reshape(-1, latent.shape[1])
        # |z|^2 is the same for every code
        distance = torch.addmm(codebook.square().sum(1), flat, codebook.T, alpha=-2)
        return distance.argmin(1).view(len(latent), -1)

    def shrink(self, latent: Tensor, scale: int) -> Tensor:
        """A latent [B, C, s, s] in the size of a scale, by averages."""
        side = self.scales[scale]
        return latent if side == latent.shape[-1] else F.interpolate(latent, (side, side), mode="area")

    def contribution(self, scale: int, codes: Tensor) -> Tensor:
        """What a scale's token vectors [B, p^2, C] add to the latent: [B, C, s, s]."""
        side, full = self.scales[scale], self.latent_px
        h = codes.float().transpose(1, 2).reshape(len(codes), -1, side, side)
        if side != full:
            h = F.interpolate(h, (full, full), mode="bicubic", align_corners=False)
        return self.quant_resi.of(scale, len(self.scales))(h)

    def next_input(self, latent: Tensor, scale: int) -> Tensor:
        """The sum so far [B, C, s, s] as the transformer's input for a scale, [B, p^2, C]."""
        return self.shrink(latent, scale).flatten(2).transpose(1, 2)

    def walk(self, latent: Tensor, choose: Choose | None = None) -> Path:
        """Tell a latent scale by scale, from where one stands after the scales before.

        Args:
            latent: float32 [B, C, s, s], the encoder's.
            choose: the codes to go on with; the nearest ones if None, which is the quantiser's own decomposition.
                With a model's predictions, `targets` are DepthART's dynamic ones (arXiv 2409.15010, equations 6, 7).
        """
        latent = latent.float()
        total = torch.zeros_like(latent)
        targets: list[Tensor] = []
        chosen: list[Tensor] = []
        inputs: list[Tensor] = []
        for scale in range(len(self.scales)):
            if scale:
                inputs.append(self.next_input(total, scale))
            target = self.nearest(self.shrink(latent - total, scale))
            codes = target if choose is None else choose(scale, target)
            targets.append(target)
            chosen.append(codes)
            total = total + self.contribution(scale, self.embedding(codes))
        return Path(tuple(targets), tuple(chosen), tuple(inputs), total)

    def sums(self, codes: tuple[Tensor, ...]) -> Iterator[Tensor]:
        """The latent [B, C, s, s] after each scale of tokens [B, p_k^2]."""
        total: Tensor | None = None
        for scale, tokens in enumerate(codes):
            added = self.contribution(scale, self.embedding(tokens))
            total = added if total is None else total + added
            yield total
