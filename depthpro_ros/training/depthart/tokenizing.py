# SPDX-License-Identifier: Apache-2.0
"""The tokenizer's own training: say an image in tokens so that it can be made again (van den Oord et al. 2017)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from depthpro_ros.models.depthart.tokenizer import Tokenizer

COMMITMENT = 0.25
"""Weight of moving latents to codes, beside moving codes to latents."""
MIX_SHARPNESS = 6.0
"""Largest deviation of the logarithm of the weights of mixed images: of 16 images one then has nearly all weight."""


class CodeUse(nn.Module):
    """Remembers which codes are used, and moves those that are not to where latents are.

    Args:
        codes: how many there are.
        decay: of the running count.
    """

    count: Tensor

    def __init__(self, codes: int, decay: float = 0.98) -> None:
        super().__init__()
        self.register_buffer("count", torch.ones(codes))
        self._decay = decay

    def seen(self, codes: Tensor) -> None:
        """Count tokens of one step."""
        now = torch.bincount(codes.flatten(), minlength=len(self.count)).to(self.count)
        self.count.mul_(self._decay).add_(now, alpha=1 - self._decay)

    @torch.no_grad()
    def revive(self, tokenizer: Tokenizer, residuals: Tensor) -> int:
        """Put codes that stand for less than a hundredth of their share in the place of random residuals.

        Args:
            tokenizer: whose codebook is changed.
            residuals: [N, C], what the scales of some images left to be said.

        Returns:
            How many were moved.
        """
        dead = (self.count < 0.01 * self.count.mean()).nonzero()[:, 0]
        if len(dead):
            chosen = residuals[torch.randint(len(residuals), (len(dead),), device=residuals.device)]
            tokenizer.quantize.embedding.weight[dead] = chosen
            self.count[dead] = self.count.mean()
        return len(dead)


def tokenizer_loss(
    tokenizer: Tokenizer, image: Tensor, valid: Tensor, use: CodeUse | None = None, mix: float = 0.0
) -> tuple[Tensor, dict[str, Tensor], Tensor]:
    """Reconstruction and commitment.

    L = mean |x' - x| over known pixels + mean over scales of |sg(f) - f_k|^2 + 0.25 |f - sg(f_k)|^2, where f_k is the
    sum of the first k scales. The decoder sees f_K with f's gradient (arXiv 2404.02905, section 3.2). For a share `mix`
    of the images it sees a mean of several images' latents instead, with random weights, and has to say the images'
    mean: a transformer that is not sure says a mean, and a decoder full of normalisations would give it the contrast of
    a sure answer.

    Args:
        tokenizer: in training.
        image: [B, 3, S, S] in [-1, 1].
        valid: bool [B, S, S], pixels that count.
        use: counts the codes.
        mix: share of the images, 0 to 1.

    Returns:
        The loss; its parts; and residuals [N, C] for `CodeUse.revive`.
    """
    quantiser = tokenizer.quantize
    latent = tokenizer.encode(image)
    total = torch.zeros_like(latent)
    commitment = latent.new_zeros(())
    residuals = []
    for scale in range(len(quantiser.scales)):
        residual = quantiser.shrink(latent.detach() - total.detach(), scale)
        codes = quantiser.nearest(residual)
        residuals.append(residual.permute(0, 2, 3, 1).flatten(0, 2))
        if use is not None:
            use.seen(codes)
        total = total + quantiser.contribution(scale, quantiser.embedding(codes))
        commitment = commitment + F.mse_loss(total, latent.detach()) + COMMITMENT * F.mse_loss(latent, total.detach())
    commitment = commitment / len(quantiser.scales)
    told = latent + (total - latent).detach()
    if mix > 0:
        count = len(image)
        # from the mean of all images of the batch to nearly one of them
        sharpness = MIX_SHARPNESS * torch.rand(count, 1, device=image.device)
        weights = (sharpness * torch.randn(count, count, device=image.device)).softmax(1)
        mixed = torch.rand(count, 1, 1, 1, device=image.device) < mix
        told = torch.where(mixed, torch.einsum("ij,jchw->ichw", weights, latent), told)
        image = torch.where(mixed, torch.einsum("ij,jchw->ichw", weights, image), image)
        valid = valid | mixed[:, 0]  # unknown pixels are filled
    made = tokenizer.decode(told).float()
    error = (made - image).abs().mean(1)
    reconstruction = (error * valid).sum() / valid.sum().clamp(min=1)
    parts = {"reconstruction": reconstruction.detach(), "commitment": commitment.detach()}
    return reconstruction + commitment, parts, torch.cat(residuals)
