# SPDX-License-Identifier: Apache-2.0
"""What each stage trains, as modules from a batch to a loss, and how its model answers an image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from depthpro_ros.models.depthart.folded import FoldedTransformer
from depthpro_ros.models.depthart.network import DepthArt, square
from depthpro_ros.models.depthart.relative import LEAST_RELATIVE, decode_depth, far_depth
from depthpro_ros.models.depthart.rollout import Rollout, chooser, roll_out
from depthpro_ros.models.depthart.sampling import DecodingSettings
from depthpro_ros.training.data.batch import Batch
from depthpro_ros.training.depthart.arms import Arm, arm_loss
from depthpro_ros.training.depthart.config import ArtStage
from depthpro_ros.training.depthart.figures import aligned_ratio
from depthpro_ros.training.depthart.regression import Readout, best_temperature, head_from_readout, regression_loss
from depthpro_ros.training.depthart.samples import Samples, depth_image, depth_of, prepare
from depthpro_ros.training.depthart.tokenizing import CodeUse, tokenizer_loss


class ArtTrainee(Protocol):
    """A stage's model."""

    model: DepthArt

    def __call__(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of a batch, and figures beside it."""
        ...

    def latent(self, batch: Batch) -> Tensor:
        """What the model says of the images' depth, float32 [B, C, s, s]."""
        ...


class TokenizerTrainee(nn.Module):
    """The tokenizer.

    Args:
        model: whose.
        stage: its settings.
    """

    steps: Tensor

    def __init__(self, model: DepthArt, stage: ArtStage) -> None:
        super().__init__()
        self.model = model
        self._stage = stage
        self.use = CodeUse(model.config.tokenizer.codes)
        # kept in checkpoints, so that a run goes on as if unbroken
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def trained(self) -> Iterator[tuple[str, nn.Parameter]]:
        """The parameters that change, by name."""
        return self.model.tokenizer.named_parameters()

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        image, valid = depth_image(batch, self.model)
        photographs = torch.rand(len(image), device=image.device) < self._stage.images
        if bool(photographs.any()):
            rgb = square(batch.rgb, image.shape[-1])
            image = torch.where(photographs.view(-1, 1, 1, 1), rgb, image)
            valid = valid | photographs.view(-1, 1, 1)
        loss, parts, residuals = tokenizer_loss(self.model.tokenizer, image, valid, self.use, self._stage.mix)
        self.steps += 1
        if int(self.steps) % self._stage.revive_every == 0 and int(self.steps) < 0.8 * self._stage.steps:
            parts["revived"] = torch.tensor(float(self.use.revive(self.model.tokenizer, residuals)))
        return loss, parts

    def latent(self, batch: Batch) -> Tensor:
        """The true depth as its tokens tell it."""
        image, _ = depth_image(batch, self.model)
        return self.model.tokenizer.quantize.walk(self.model.tokenizer.encode(image)).latent


class RegressionTrainee(nn.Module):
    """The transformer on continuous latents, with a readout in the place of its head.

    Args:
        model: whose tokenizer stays as it is.
        stage: its settings.
    """

    def __init__(self, model: DepthArt, stage: ArtStage) -> None:
        super().__init__()
        self.model, self.readout = model, Readout(model)
        self._stage = stage

    def trained(self) -> Iterator[tuple[str, nn.Parameter]]:
        """The parameters that change, by name."""
        for name, parameter in self.model.transformer.named_parameters():
            if not name.startswith("head."):
                yield name, parameter
        yield from self.readout.named_parameters("readout")

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        return regression_loss(self.readout, self.model, prepare(batch, self.model, features=False))

    def latent(self, batch: Batch) -> Tensor:
        """What the readout says."""
        return self.readout.latent(self.model, self.model.features(batch.rgb))

    @torch.no_grad()
    def start_head(self, batches: Sequence[Batch]) -> None:
        """Let the head begin as what the readout has learned.

        Args:
            batches: images that tell how sure it may be.
        """
        each = [prepare(batch, self.model, features=True) for batch in batches]
        features = torch.cat([samples.features for samples in each if samples.features is not None])
        samples = Samples(None, features, torch.cat([samples.latent for samples in each]))
        head_from_readout(self.model, self.readout, best_temperature(self.model, self.readout, samples))


class ArmTrainee(nn.Module):
    """The transformer on tokens.

    Args:
        model: whose tokenizer stays as it is.
        stage: its settings.
    """

    def __init__(self, model: DepthArt, stage: ArtStage) -> None:
        super().__init__()
        self.model, self.arm = model, stage.train
        self._decoding, self._frozen = stage.decoding, stage.optimiser.lr_encoder == 0

    def trained(self) -> Iterator[tuple[str, nn.Parameter]]:
        """The parameters that change, by name."""
        return self.model.transformer.named_parameters()

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        arm: Arm = self.arm  # type: ignore[assignment]
        return arm_loss(arm, self.model, prepare(batch, self.model, features=self._frozen), self._decoding)

    def latent(self, batch: Batch) -> Tensor:
        """The likeliest codes' answer."""
        return answer(self.model, batch.rgb, DecodingSettings()).latents[-1]


class DecoderTrainee(nn.Module):
    """The decoder on the model's own answers, by the ratio of depth to the true one.

    What the model says is not what the tokenizer's encoder would, and the decoder that was trained with the encoder
    takes every difference for depth.

    Args:
        model: of which all else stays as it is.
        stage: its settings.
    """

    def __init__(self, model: DepthArt, stage: ArtStage) -> None:
        super().__init__()
        self.model, self._decoding = model, stage.decoding

    def trained(self) -> Iterator[tuple[str, nn.Parameter]]:
        """The parameters that change, by name."""
        for part in ("decoder", "post_quant_conv"):
            yield from self.model.tokenizer.get_submodule(part).named_parameters(part)

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Mean |ln(p / d)| after scaling each image by the median of d / p; sky counts as D98.

        What the decoder says beyond the code's ends counts as the end, and learns all the same: else a decoder that has
        once gone there for everything stays there.
        """
        depth, valid = depth_of(batch)
        far = far_depth(depth, valid)
        known = valid & far.isfinite().view(-1, 1, 1)
        truth = (depth / far.view(-1, 1, 1)).clamp(LEAST_RELATIVE, 1.0)
        with torch.no_grad():
            latent = answer(self.model, batch.rgb, self._decoding).latents[-1]
        code = self.model.tokenizer.decode(latent).float().mean(1)
        within = code.detach().clamp(-1, 1) + (code - code.detach())
        aligned = aligned_ratio(decode_depth(within, self.model.config.depth_code), truth, known)
        loss = aligned.log().abs()[~aligned.isnan()].mean()
        return loss, {}

    def latent(self, batch: Batch) -> Tensor:
        """The likeliest codes' answer."""
        return answer(self.model, batch.rgb, DecodingSettings()).latents[-1]


ArtTrainees = TokenizerTrainee | RegressionTrainee | ArmTrainee | DecoderTrainee


def trainee_of(model: DepthArt, stage: ArtStage) -> ArtTrainees:
    """What a stage trains."""
    if stage.train == "tokenizer":
        return TokenizerTrainee(model, stage)
    if stage.train == "decoder":
        return DecoderTrainee(model, stage)
    return RegressionTrainee(model, stage) if stage.train == "regression" else ArmTrainee(model, stage)


def answer(model: DepthArt, rgb: Tensor, decoding: DecodingSettings, *, want_entropy: bool = False) -> Rollout:
    """A rollout of a model in training.

    Args:
        model: as it stands.
        rgb: uint8 [B, S, S, 3].
        decoding: how codes are chosen.
        want_entropy: see `roll_out`.
    """
    folded = FoldedTransformer(model.transformer, torch.float32)
    quantiser = model.tokenizer.quantize
    choose = chooser(quantiser, decoding, rgb.device)
    return roll_out(folded, quantiser, folded.prefix(model.features(rgb)), choose, want_entropy=want_entropy)


def relative_depth(model: DepthArt, latent: Tensor) -> Tensor:
    """Latents [B, C, s, s] to depth over its 98th percentile [B, S, S]."""
    return decode_depth(model.tokenizer.decode(latent).float().mean(1), model.config.depth_code)
