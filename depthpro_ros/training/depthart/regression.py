# SPDX-License-Identifier: Apache-2.0
"""Direct regression with the same trunk: warm start of all arms, and a row of their comparison.

The transformer is given nothing of the depth and says the latent itself, at every scale's size at once. From
cross-entropy over codes a transformer that starts from nothing learns to see slowly; from a continuous target it does
so in minutes. It stands in for the pre-training on ImageNet that the paper starts from.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from depthpro_ros.models.depthart.network import DepthArt
from depthpro_ros.training.depthart.samples import Samples


class Readout(nn.Module):
    """From the last block's tokens to latents, a linear layer in the place of the head.

    Args:
        model: whose transformer is read.
    """

    def __init__(self, model: DepthArt) -> None:
        super().__init__()
        self.linear = nn.Linear(model.config.transformer.dim, model.config.tokenizer.latent_dim)

    def forward(self, model: DepthArt, features: Tensor) -> Tensor:
        """Latents at all scales, float32 [B, L, C].

        Args:
            model: with the transformer.
            features: of the images.
        """
        transformer, quantiser = model.transformer, model.tokenizer.quantize
        sides = quantiser.scales[1:]
        width = model.config.tokenizer.latent_dim
        nothing = [features.new_zeros(len(features), side * side, width) for side in sides]
        hidden = transformer.hidden(transformer.prefix(features), nothing)
        return self.linear(transformer.head_nm(hidden.float(), transformer.condition.float()))

    def latent(self, model: DepthArt, features: Tensor) -> Tensor:
        """The answer: the latent of the finest scale, [B, C, s, s]."""
        side = model.tokenizer.quantize.latent_px
        finest = self(model, features)[:, -side * side :]
        return finest.transpose(1, 2).reshape(len(finest), -1, side, side)


def regression_loss(readout: Readout, model: DepthArt, samples: Samples) -> tuple[Tensor, dict[str, Tensor]]:
    """Mean squared error of the latents, each scale weighted by its tokens, over the latents' own variance."""
    features = samples.features
    if features is None:
        assert samples.rgb is not None
        features = model.features(samples.rgb)
    quantiser, latent = model.tokenizer.quantize, samples.latent
    targets = [quantiser.next_input(latent, scale) for scale in range(len(quantiser.scales))]
    loss = F.mse_loss(readout(model, features), torch.cat(targets, dim=1)) / latent.var().clamp(min=1e-12)
    return loss, {}


@torch.no_grad()
def head_from_readout(model: DepthArt, readout: Readout, temperature: float) -> None:
    """Start the head where it says the code nearest to what the readout says.

    -|y - e|^2 = 2 e y - |e|^2 + a number that is the same for all codes: linear in y, and so in the tokens.

    Args:
        model: its head is changed.
        readout: trained.
        temperature: squared distance that lowers a logit by one.
    """
    codebook = model.tokenizer.quantize.embedding.weight
    head, linear = model.transformer.head, readout.linear
    head.weight.copy_(2 / temperature * codebook @ linear.weight)
    head.bias.copy_((2 * codebook @ linear.bias - codebook.square().sum(1)) / temperature)
