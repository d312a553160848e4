# SPDX-License-Identifier: Apache-2.0
"""What each arm of the comparison is trained on: tokens to start from, and tokens to say.

All arms share the model, its start token and the data. They differ in the path through the scales: VAR walks the
quantiser's own (teacher forcing), DepthART the model's, and the third one the quantiser's with random errors (as in
Infinity's bitwise self-correction, arXiv 2412.04431). Each path's targets are the codes nearest to what is left over on
it (arXiv 2409.15010, equations 5 to 8).
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from depthpro_ros.models.depthart.folded import FoldedTransformer
from depthpro_ros.models.depthart.network import DepthArt
from depthpro_ros.models.depthart.quantiser import MultiScaleQuantiser, Path
from depthpro_ros.models.depthart.rollout import chooser, roll_out
from depthpro_ros.models.depthart.sampling import DecodingSettings
from depthpro_ros.training.depthart.samples import Samples

Arm = Literal["var", "depthart", "corrupt"]
ARMS: tuple[Arm, ...] = ("var", "depthart", "corrupt")
LARGEST_CORRUPTION = 0.3
"""In the third arm each image has a share of wrong tokens drawn from 0 to this."""


@torch.no_grad()
def walk(arm: Arm, model: DepthArt, prefix: Tensor, latent: Tensor, decoding: DecodingSettings) -> Path:
    """The path of one step.

    Args:
        arm: whose.
        model: in training; its predictions decide DepthART's path.
        prefix: [B, P, dim] of the images.
        latent: float32 [B, C, s, s] of their true depth.
        decoding: how DepthART's predictions are chosen.
    """
    quantiser = model.tokenizer.quantize
    if arm == "var":
        return quantiser.walk(latent)
    if arm == "corrupt":
        return quantiser.walk(latent, Corruption(len(latent), quantiser.embedding.num_embeddings, latent.device))
    dtype = torch.get_autocast_dtype(latent.device.type) if torch.is_autocast_enabled(latent.device.type) else None
    with torch.autocast(latent.device.type, enabled=False):
        folded = FoldedTransformer(model.transformer, dtype or torch.float32)
        said = roll_out(folded, quantiser, prefix, chooser(quantiser, decoding, latent.device))
    return retarget(quantiser, latent, said.codes, said.inputs)


def retarget(
    quantiser: MultiScaleQuantiser, latent: Tensor, codes: tuple[Tensor, ...], inputs: tuple[Tensor, ...]
) -> Path:
    """Targets along a path that was said: at each scale the codes nearest to what the scales before left over.

    Args:
        quantiser: of the tokenizer.
        latent: float32 [B, C, s, s], the truth.
        codes, inputs: of the path, see `Rollout`. Inputs decide where they are means of several codes.
    """
    path = quantiser.walk(latent, lambda scale, nearest: codes[scale])
    return Path(path.targets, path.chosen, inputs, path.latent)


class Corruption:
    """Replaces random tokens by random codes.

    Args:
        batch, codes: numbers of images and of codes.
        device: of the tokens.
        largest: each image has a share of wrong tokens drawn from 0 to this.
    """

    def __init__(self, batch: int, codes: int, device: torch.device, *, largest: float = LARGEST_CORRUPTION) -> None:
        self._codes = codes
        self._share = torch.rand(batch, 1, device=device) * largest

    def __call__(self, scale: int, nearest: Tensor) -> Tensor:
        """See `quantiser.Choose`."""
        wrong = torch.rand(nearest.shape, device=nearest.device) < self._share
        return torch.where(wrong, torch.randint_like(nearest, self._codes), nearest)


def token_loss(logits: Tensor, targets: tuple[Tensor, ...]) -> Tensor:
    """Mean cross-entropy over all tokens of all scales (equation 8), nats.

    Args:
        logits: float32 [B, L, codes].
        targets: int64 [B, p_k^2] of each scale.
    """
    return F.cross_entropy(logits.flatten(0, 1), torch.cat(targets, dim=1).flatten())


def arm_loss(
    arm: Arm, model: DepthArt, samples: Samples, decoding: DecodingSettings | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss of one step, and the share of tokens that were right.

    Args:
        arm: whose path is walked.
        model: in training.
        samples: the images.
        decoding: of DepthART's rollout; the likeliest codes if None.
    """
    features = samples.features
    if features is None:
        assert samples.rgb is not None
        features = model.features(samples.rgb)
    prefix = model.transformer.prefix(features)
    path = walk(arm, model, prefix.detach(), samples.latent, decoding or DecodingSettings())
    logits = model.transformer(prefix, path.inputs)
    targets = torch.cat(path.targets, dim=1)
    accuracy = (logits.detach().argmax(-1) == targets).float().mean()
    return token_loss(logits, path.targets), {"accuracy": accuracy}
