# SPDX-License-Identifier: Apache-2.0
"""Direct regression with the same trunk: warm start of all arms, and a row of their comparison.

The transformer says what is left over of the latent at every scale, as numbers instead of codes, from wherever it
stands: where nothing was told, or on the quantiser's path with any share of its tokens wrong, so that no arm is
favoured. From cross-entropy over codes a transformer that starts from nothing learns to see slowly; from a continuous
target it does so in minutes. It stands in for the pre-training on ImageNet that the paper starts from.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from depthpro_ros.models.depthart.network import DepthArt
from depthpro_ros.training.depthart.arms import Corruption, token_loss
from depthpro_ros.training.depthart.samples import Samples

UNTOLD = 0.25
"""Share of the images of which nothing was told."""


class Readout(nn.Module):
    """From the last block's tokens to latents, a linear layer in the place of the head.

    Args:
        model: whose transformer is read.
    """

    def __init__(self, model: DepthArt) -> None:
        super().__init__()
        self.linear = nn.Linear(model.config.transformer.dim, model.config.tokenizer.latent_dim)

    def forward(self, model: DepthArt, features: Tensor, inputs: Sequence[Tensor] | None = None) -> Tensor:
        """What is left over at all scales, float32 [B, L, C].

        Args:
            model: with the transformer.
            features: of the images.
            inputs: what was told before, see `Path`; nothing if None.
        """
        transformer, quantiser = model.transformer, model.tokenizer.quantize
        if inputs is None:
            sides, width = quantiser.scales[1:], model.config.tokenizer.latent_dim
            inputs = [features.new_zeros(len(features), side * side, width) for side in sides]
        hidden = transformer.hidden(transformer.prefix(features), inputs)
        return self.linear(transformer.head_nm(hidden.float(), transformer.condition.float()))

    def latent(self, model: DepthArt, features: Tensor) -> Tensor:
        """The answer where nothing was told: all of the latent, in the finest scale's size, [B, C, s, s]."""
        side = model.tokenizer.quantize.latent_px
        finest = self(model, features)[:, -side * side :]
        return finest.transpose(1, 2).reshape(len(finest), -1, side, side)


def regression_loss(readout: Readout, model: DepthArt, samples: Samples) -> tuple[Tensor, dict[str, Tensor]]:
    """Mean squared error over all tokens of what is left over, over the latents' own variance."""
    features = samples.features
    if features is None:
        assert samples.rgb is not None
        features = model.features(samples.rgb)
    inputs, targets = left_over(model, samples.latent)
    loss = F.mse_loss(readout(model, features, inputs), targets) / samples.latent.var().clamp(min=1e-12)
    return loss, {}


@torch.no_grad()
def left_over(model: DepthArt, latent: Tensor) -> tuple[list[Tensor], Tensor]:
    """Random places to stand at, and what is left to say there.

    Averages are linear, so that what is left over in a scale's size is the latent in that size less the input.

    Args:
        model: for its quantiser.
        latent: float32 [B, C, s, s], the true depth's.

    Returns:
        The transformer's inputs; and float32 [B, L, C].
    """
    quantiser = model.tokenizer.quantize
    codes = quantiser.embedding.num_embeddings
    path = quantiser.walk(latent, Corruption(len(latent), codes, latent.device, largest=1.0))
    told = torch.rand(len(latent), 1, 1, device=latent.device) >= UNTOLD
    inputs = [given * told for given in path.inputs]
    targets = [quantiser.next_input(latent, 0)]
    targets += [quantiser.next_input(latent, scale) - given for scale, given in enumerate(inputs, start=1)]
    return inputs, torch.cat(targets, dim=1)


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


@torch.no_grad()
def best_temperature(model: DepthArt, readout: Readout, samples: Samples) -> float:
    """The temperature of `head_from_readout` with which the quantiser's own tokens are likeliest.

    Args:
        model, readout: trained.
        samples: some images, with their features.
    """
    assert samples.features is not None
    quantiser = model.tokenizer.quantize
    codebook = quantiser.embedding.weight
    path = quantiser.walk(samples.latent)
    said = readout(model, samples.features, path.inputs)
    scores = 2 * said @ codebook.T - codebook.square().sum(1)
    candidates = torch.pdist(codebook).square().mean() * 2.0 ** torch.arange(-8.0, 4.0, 0.5, device=said.device)
    losses = torch.stack([token_loss(scores / candidate, path.targets) for candidate in candidates])
    return float(candidates[losses.argmin()])
