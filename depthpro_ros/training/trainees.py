# SPDX-License-Identifier: Apache-2.0
"""The parts of a network that a stage trains, as modules of one input: images to what the loss looks at."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from depthpro_ros.models.depth_pro import DepthPro
from depthpro_ros.models.depth_pro.decoder import FusionBlock
from depthpro_ros.models.depth_pro.network import normalise
from depthpro_ros.training.data.batch import Batch
from depthpro_ros.training.init import TYPICAL_CANONICAL_INVERSE_DEPTH
from depthpro_ros.training.losses import LossTerm

FOV_UNIT_DEG = 10.0
"""The angle's squared error is taken in this unit, which only scales the gradient."""


class DepthTrainee(nn.Module):
    """The depth network up to, but without, its last ReLU: a unit below zero keeps its gradient."""

    def __init__(self, network: DepthPro) -> None:
        super().__init__()
        self.network = network

    @property
    def side_px(self) -> int:
        """Side of the square images that it takes."""
        return self.network.config.input_px

    def forward(self, rgb: Tensor) -> Tensor:
        """Canonical inverse depth [B, s, s] from rgb uint8 [B, S, S, 3]; may be negative (sky)."""
        network = self.network
        image = normalise(rgb, network.config.input_px, network.config.antialias)
        features, _ = network.encoder(image.contiguous(memory_format=torch.channels_last))
        decoded, _ = network.decoder(features)
        return network.head[:-1](decoded)[:, 0]


class CoarseTrainee(nn.Module):
    """The coarsest level alone: the image as one window, read off the first fusion block by a 1x1 convolution.

    It holds both transformers and costs a fifteenth of the whole network or less, so what can be learned
    there is learned there first.
    """

    def __init__(self, network: DepthPro) -> None:
        super().__init__()
        self.network = network
        self.probe = nn.Conv2d(network.config.decoder_dim, 1, 1)
        nn.init.constant_(self.probe.get_parameter("bias"), TYPICAL_CANONICAL_INVERSE_DEPTH)

    @property
    def side_px(self) -> int:
        """Side of the square images that it takes."""
        return self.network.config.window_px

    def forward(self, rgb: Tensor) -> Tensor:
        """Canonical inverse depth [B, s, s] from rgb uint8 [B, S, S, 3]; may be negative (sky)."""
        network = self.network
        features = network.global_features(normalise(rgb, network.config.window_px, network.config.antialias))
        return self.probe(network.decoder.fusions[-1](features))[:, 0]


class FovTrainee(nn.Module):
    """The field-of-view head; the depth network only gives features (arXiv 2410.02073, section 3.4).

    The head looks at the coarsest level alone, so the other windows are not computed.
    """

    def __init__(self, network: DepthPro) -> None:
        super().__init__()
        if network.fov is None:
            raise ValueError("this network has no field-of-view head to train: set fov_encoder")
        self.network = network

    @property
    def side_px(self) -> int:
        """Side of the square images that it takes."""
        return self.network.config.window_px

    def forward(self, rgb: Tensor) -> Tensor:
        """Horizontal field of view in degrees [B] from rgb uint8 [B, S, S, 3]."""
        network = self.network
        assert network.fov is not None
        quarter = normalise(rgb, network.config.window_px, network.config.antialias)
        with torch.no_grad():
            lowres = network.global_features(quarter)
        return network.fov(quarter, lowres)


Trainee = DepthTrainee | CoarseTrainee | FovTrainee
TRAINEES: dict[str, type[DepthTrainee] | type[CoarseTrainee] | type[FovTrainee]] = {
    "depth": DepthTrainee,
    "coarse": CoarseTrainee,
    "fov": FovTrainee,
}


def trained_parameters(trainee: Trainee, freeze_norms: bool = False) -> dict[str, nn.Parameter]:
    """The parameters that a stage changes, by name; all others of the network are frozen.

    The unused `resnet1` of the first fusion block is left out: no gradient ever reaches it.
    """
    network = trainee.network
    coarsest = network.decoder.fusions[-1]
    assert isinstance(coarsest, FusionBlock)
    unused = {id(p) for p in coarsest.resnet1.parameters()}
    fov = {id(p) for p in network.fov.parameters()} if network.fov is not None else set()
    if isinstance(trainee, FovTrainee):
        wanted = fov
    elif isinstance(trainee, DepthTrainee):
        wanted = {id(p) for p in network.parameters()} - fov
    else:
        encoder, decoder = network.encoder, network.decoder
        parts = (
            encoder.patch_encoder,
            encoder.image_encoder,
            encoder.upsample2,
            encoder.upsample_lowres,
            encoder.fuse_lowres,
            decoder.convs[-1],
            decoder.fusions[-1],
            trainee.probe,
        )
        wanted = {id(p) for part in parts for p in part.parameters()}
    if freeze_norms:
        norms = (module for module in network.modules() if isinstance(module, nn.LayerNorm))
        wanted = wanted - {id(p) for norm in norms for p in norm.parameters()}
    found = {name: p for name, p in trainee.named_parameters() if id(p) in wanted - unused}
    for parameter in trainee.parameters():
        parameter.requires_grad_(False)
    for parameter in found.values():
        parameter.requires_grad_(True)
    return found


def at_size_of(target: Tensor, predicted: Tensor) -> Tensor:
    """A trainee's output in float32; maps [B, s, s] resized (bilinear) to those of the target [B, S, S]."""
    predicted = predicted.float()
    if predicted.ndim == 1 or predicted.shape == target.shape:
        return predicted
    return F.interpolate(predicted[:, None], target.shape[-2:], mode="bilinear", align_corners=False)[:, 0]


class StageLoss:
    """What a stage lowers: for each kind of data its own terms.

    Args:
        losses: for each kind the terms and their weights; empty for the field-of-view head.
    """

    def __init__(self, losses: dict[str, dict[str, float]]) -> None:
        self._terms: dict[str, tuple[LossTerm, ...]] = {
            kind: tuple(LossTerm(name, weight) for name, weight in terms.items()) for kind, terms in losses.items()
        }

    def __call__(self, predicted: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The mean over the batch's images, and each term's own mean before weighting.

        Args:
            predicted: [B, s, s] canonical inverse depth, resized to the target's size here; or [B] degrees.
        """
        predicted = at_size_of(batch.canonical, predicted)
        if predicted.ndim == 1:
            error = (predicted - batch.fov_deg).square()
            return error.mean() / FOV_UNIT_DEG**2, {"fov_rmse_deg": error.detach().mean().sqrt()}
        target, valid = batch.canonical, batch.valid
        # a negative output is right in the sky: the head's last ReLU makes it 0
        predicted = torch.where(valid & (target <= 0), predicted.clamp(min=0), predicted)
        total = predicted.new_zeros(len(predicted))
        seen: dict[str, Tensor] = {}
        for kind, terms in self._terms.items():
            rows = [row for row, its in enumerate(batch.kind) if its == kind]
            if not rows:
                continue
            p, t, v = (x if len(rows) == len(batch) else x[rows] for x in (predicted, target, valid))
            index = torch.tensor(rows, device=predicted.device)
            for term in terms:
                each = term(p, t, v)
                total = total.index_add(0, index, each)
                seen[term.name] = each.detach().mean() / term.weight
        return total.mean(), seen
