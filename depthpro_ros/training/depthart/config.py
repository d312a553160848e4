# SPDX-License-Identifier: Apache-2.0
"""A training run of DepthART as one YAML file, checked before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from depthpro_ros.errors import InputError
from depthpro_ros.models.depthart.config import DepthArtConfig
from depthpro_ros.models.depthart.presets import PRESETS
from depthpro_ros.models.depthart.sampling import DecodingSettings
from depthpro_ros.training.config import described
from depthpro_ros.training.config_data import (
    BagData,
    Count,
    Data,
    FolderData,
    HypersimData,
    Positive,
    ScenesData,
    Share,
    Strict,
)
from depthpro_ros.training.config_stage import Augmentation
from depthpro_ros.training.data.batch import DatasetKind
from depthpro_ros.training.precision import Precision

StageKind = Literal["tokenizer", "regression", "var", "depthart", "corrupt", "decoder"]


class ArtSchedule(Strict):
    """The learning rate over one stage.

    Attributes:
        kind: `cosine` falls to `last` times the peak; `step` is multiplied with `factor` every `every` steps.
        warmup: share of the steps in which the rate rises from 0.
        last: the final rate over the peak (`cosine`).
        every, factor: of `step`; the defaults are the paper's.
    """

    kind: Literal["cosine", "step"] = "cosine"
    warmup: Share = 0.02
    last: Share = 0.02
    every: Count = 10_000
    factor: Share = 0.8


class ArtOptimiser(Strict):
    """What moves the weights; the defaults are the paper's.

    Attributes:
        kind: `muon` orthogonalises the updates of the transformer blocks' matrices, see `Optimiser`.
        lr: peak learning rate.
        lr_encoder: peak learning rate of the image's encoder; 0 freezes it.
        clip: the gradient's largest norm.
    """

    kind: Literal["adamw", "muon"] = "adamw"
    lr: Positive = 1e-4
    lr_encoder: Annotated[float, Field(ge=0)] = 1e-4
    betas: tuple[Share, Share] = (0.9, 0.999)
    weight_decay: Annotated[float, Field(ge=0)] = 1e-2
    clip: Positive = 2.0


class ArtStage(Strict):
    """One part of a run.

    Attributes:
        train: `tokenizer`; `regression`, the transformer on continuous latents (the warm start), from which the head
            then starts; an arm: `var`, `depthart` or `corrupt`, see `depthpro_ros.training.depthart.arms`; or
            `decoder`, the tokenizer's decoder on what the model says, so that it learns how far that is to be trusted.
        steps: optimiser steps.
        batch: images a step.
        datasets: names of those used here; all if None.
        images: `tokenizer` alone: share of photographs among what it learns to tell; the others are depth.
        revive_every: `tokenizer` alone: steps between moving unused codes.
        mix: `tokenizer` alone: share of images that are mixed, see `tokenizer_loss`.
        rollout: `depthart` and `decoder`: how the model's predictions are chosen.
        drop_path: of the transformer's last block.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
    train: StageKind
    steps: Count
    batch: Count
    datasets: tuple[str, ...] | None = None
    images: Share = 0.0
    revive_every: Count = 50
    mix: Share = 0.0
    rollout: Literal["argmax", "sampled", "spread"] = "argmax"
    drop_path: Share = 0.0
    optimiser: ArtOptimiser = ArtOptimiser()
    schedule: ArtSchedule = ArtSchedule()
    augment: Augmentation = Augmentation(crop=0.0)

    @property
    def decoding(self) -> DecodingSettings:
        """Of the rollout; `spread` draws one code for each token."""
        return DecodingSettings(self.rollout)


class ArtValidation(Strict):
    """How the model is watched while it trains: held-out procedural scenes, or data of one's own.

    Attributes:
        every: steps between validations.
        data: what to validate on; held-out procedural scenes if None.
        images: how many of its images.
    """

    every: Count = 500
    data: FolderData | BagData | HypersimData | None = None
    images: Count = 64


class ArtTrainConfig(Strict):
    """A whole run.

    Attributes:
        model: tells this kind of file from a Depth Pro run's.
        network: a preset's name, or the fields of `DepthArtConfig`.
        init: weights to start from, in any form that `depthpro_ros.models.depthart.weights.load_model` reads: our own
            file, the authors', or a folder with VAR's two.
        encoder: Depth Pro weights whose image encoder the prefix's encoder starts as; `depth_pro_nano` is the
            bundled file.
        output: folder for checkpoints, curves and the trained weights.
        precision: of the products, see `in_bfloat16`.
        ema: decay of the running mean of the weights that is validated and kept; None for none.
        workers: processes that prepare data; 0 does it in the training process.
    """

    model: Literal["depthart_ar"]
    network: str | dict[str, Any] = "nano"
    init: Path | None = None
    encoder: Path | None = None
    output: Path
    seed: Annotated[int, Field(ge=0)] = 0
    precision: Precision = "auto"
    gradient_checkpointing: bool = False
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    checkpoint_every: Count = 500
    workers: Annotated[int, Field(ge=0)] = 0
    datasets: Annotated[dict[str, Data], Field(min_length=1)]
    stages: Annotated[tuple[ArtStage, ...], Field(min_length=1)]
    validation: ArtValidation = ArtValidation()

    @field_validator("network")
    @classmethod
    def _known_network(cls, value: str | dict[str, Any]) -> str | dict[str, Any]:
        if isinstance(value, str) and value not in PRESETS:
            raise ValueError(f"unknown network {value!r}, known are {sorted(PRESETS)}")
        if isinstance(value, dict):
            DepthArtConfig.from_plain(value)
        return value

    @model_validator(mode="after")
    def _names_differ(self) -> ArtTrainConfig:
        names = [stage.name for stage in self.stages]
        if len(set(names)) < len(names):
            raise ValueError(f"stages need names of their own, got {names}")
        unknown = sorted({name for stage in self.stages for name in stage.datasets or ()} - set(self.datasets))
        if unknown:
            raise ValueError(f"stages name data sets {unknown}, there are {sorted(self.datasets)}")
        if self.validation.data is None and not any(isinstance(data, ScenesData) for data in self.datasets.values()):
            raise ValueError("validation.data must name a folder or bag where no data set is of procedural scenes")
        return self

    def validation_kind(self) -> DatasetKind:
        """What the validation images' depth is good for; depth up to scale needs no metres."""
        return "synthetic_metric"

    def network_config(self) -> DepthArtConfig:
        """The sizes of the network."""
        return PRESETS[self.network] if isinstance(self.network, str) else DepthArtConfig.from_plain(self.network)

    def to_yaml(self) -> str:
        """All of it, defaults too, as it can be read again."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)


def art_config_from(raw: dict[str, Any], source: str = "configuration") -> ArtTrainConfig:
    """Check a run given as plain values.

    Raises:
        InputError: a key or value that does not fit; names each one.
    """
    try:
        return ArtTrainConfig.model_validate(raw)
    except ValidationError as error:
        raise InputError(f"{source}: " + "; ".join(described(problem) for problem in error.errors())) from error
