# SPDX-License-Identifier: Apache-2.0
"""A training run as one YAML file, checked before anything starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from depthpro_ros.errors import InputError
from depthpro_ros.models.depth_pro.config import DepthProConfig
from depthpro_ros.models.depth_pro.presets import PRESETS
from depthpro_ros.training.data.batch import DatasetKind
from depthpro_ros.training.losses import LOSSES
from depthpro_ros.yaml_file import read_yaml_file

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]


class Strict(BaseModel):
    """Refuses keys that it does not know, and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ScenesData(Strict):
    """Procedural scenes, rendered while training.

    Attributes:
        first_seed: scenes are drawn from here on; seeds below 1,000,000 are kept for held-out scenes.
    """

    type: Literal["scenes"]
    kind: DatasetKind = "synthetic_metric"
    weight: Positive = 1.0
    first_seed: Annotated[int, Field(ge=1_000_000)] = 1_000_000


class FrameData(Strict):
    """Images with measured depth.

    Attributes:
        path: where they are.
        fx_px: focal length of every image, instead of the recorded intrinsics.
        max_depth_m: finite depth beyond it counts as unknown, for sensors that are poor far away.
    """

    kind: DatasetKind = "real_metric"
    weight: Positive = 1.0
    path: Path
    fx_px: Positive | None = None
    max_depth_m: Positive | None = None


class FolderData(FrameData):
    """A folder; see `training.data.folder` for its forms.

    Attributes:
        depth_scale: stored values per metre (1000 for millimetres).
    """

    type: Literal["folder"]
    depth_scale: Positive | None = None


class BagData(FrameData):
    """A recording, rosbag2 or ROS 1; see `training.data.bag`.

    Attributes:
        image_topic, depth_topic, camera_info_topic: found where they are not given and there is one of each.
        tolerance_s: stamps of an image and its depth differ at most by this.
    """

    type: Literal["bag"]
    image_topic: str | None = None
    depth_topic: str | None = None
    camera_info_topic: str | None = None
    tolerance_s: Positive = 0.02


class HypersimData(FrameData):
    """Hypersim as it is distributed; see `training.data.hypersim`."""

    type: Literal["hypersim"]


Data = Annotated[ScenesData | FolderData | BagData | HypersimData, Field(discriminator="type")]


class Augmentation(Strict):
    """How often each change is made to a training image; the defaults are the paper's.

    Attributes:
        colour: brightness, contrast, saturation and balance.
        colour_strength: factor on how far they go; beyond 3 an image could vanish.
        tone: each colour's tone curve bent, which the paper does not do.
        blur: Gaussian.
        noise: Gaussian, per pixel, which the paper does not do.
        crop: centre crop.
        flip: left to right.
    """

    colour: Share = 0.75
    colour_strength: Annotated[float, Field(ge=0, le=3)] = 1.0
    tone: Share = 0.0
    blur: Share = 0.30
    noise: Share = 0.0
    crop: Share = 0.50
    flip: Share = 0.50


class Schedule(Strict):
    """The learning rate over one stage.

    Attributes:
        kind: `paper` is flat after the warm-up, then `last` times the peak for the rest; `cosine` falls to
            `last` times the peak.
        warmup: share of the steps in which the rate rises from 0.
        flat: share of the steps at the peak (`paper` only), after the warm-up.
        last: the final rate over the peak.
    """

    kind: Literal["paper", "cosine"] = "paper"
    warmup: Share = 0.01
    flat: Share = 0.80
    last: Share = 0.1


class Optimiser(Strict):
    """What moves the weights; the defaults are the paper's.

    Attributes:
        kind: `muon` orthogonalises the updates of the transformers' matrices (Jordan et al. 2024) and uses
            AdamW for all else: it needs fewer steps from nothing.
        lr_encoder: peak learning rate of the transformers.
        lr_decoder: peak learning rate of all else.
        clip: the gradient's largest norm.
    """

    kind: Literal["adamw", "muon"] = "adamw"
    lr_encoder: Positive = 1.28e-5
    lr_decoder: Positive = 1.28e-4
    betas: tuple[Share, Share] = (0.9, 0.999)
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    clip: Positive = 0.2


Losses = Annotated[dict[str, Positive], Field(min_length=1)]


class Stage(Strict):
    """One part of the curriculum.

    Attributes:
        train: `depth` the depth network; `coarse` only what the whole image as one window can tell, at a small
            share of the cost; `fov` the field-of-view head, with the depth network frozen.
        steps: optimiser steps.
        batch: images a step, over all processes.
        datasets: names of those used here; all if None.
        losses: for each kind of data set the loss terms and their weights. Not for `fov`.
        freeze_norms: keep pretrained LayerNorms as they are.
        from_patch_encoder: for `fov`: the head's transformer starts as the patch encoder's first blocks.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
    train: Literal["depth", "coarse", "fov"] = "depth"
    steps: Count
    batch: Count
    datasets: tuple[str, ...] | None = None
    losses: dict[DatasetKind, Losses] = Field(default_factory=dict)
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()
    augment: Augmentation = Augmentation()
    freeze_norms: bool = False
    from_patch_encoder: bool = False

    @field_validator("losses")
    @classmethod
    def _known_losses(cls, value: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        unknown = sorted({name for terms in value.values() for name in terms} - set(LOSSES))
        if unknown:
            raise ValueError(f"unknown losses {unknown}, known are {sorted(LOSSES)}")
        return value

    @model_validator(mode="after")
    def _losses_where_needed(self) -> Stage:
        if (self.train == "fov") == bool(self.losses):
            raise ValueError(
                f"stage {self.name}: `losses` belong to depth and coarse stages and must be given there; a fov stage "
                "lowers the squared error of the angle"
            )
        return self


class Validation(Strict):
    """How the model is watched while it trains.

    Attributes:
        every: steps between validations.
        data: what to validate on; held-out procedural scenes if None.
        images: how many of its images, evenly spread.
        patience: a stage ends after this many validations without a better one; never if None.
    """

    every: Count = 500
    data: FolderData | BagData | HypersimData | None = None
    images: Count = 64
    patience: Count | None = None


class TrainConfig(Strict):
    """A whole run.

    Attributes:
        network: a preset's name, or the fields of `DepthProConfig`; `init` alone decides if None, else nano.
        init: weights to start from, in any form that `load_estimator` reads; None starts from nothing.
        output: folder for checkpoints, curves and the trained weights.
        ema: decay of the running mean of the weights that is validated and kept; None for none.
        checkpoint_every: steps between checkpoints.
        workers: processes that prepare data; 0 does it in the training process (right for scenes on a GPU).
    """

    network: str | dict[str, Any] | None = None
    init: Path | None = None
    output: Path
    seed: Annotated[int, Field(ge=0)] = 0
    precision: Literal["bfloat16", "float32"] = "bfloat16"
    gradient_checkpointing: bool = False
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    checkpoint_every: Count = 500
    workers: Annotated[int, Field(ge=0)] = 0
    datasets: Annotated[dict[str, Data], Field(min_length=1)]
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    validation: Validation = Validation()

    @field_validator("network")
    @classmethod
    def _known_network(cls, value: str | dict[str, Any] | None) -> str | dict[str, Any] | None:
        if isinstance(value, str) and value not in PRESETS:
            raise ValueError(f"unknown network {value!r}, known are {sorted(PRESETS)}")
        return value

    @model_validator(mode="after")
    def _stages_fit(self) -> TrainConfig:
        names = [stage.name for stage in self.stages]
        if len(set(names)) < len(names):
            raise ValueError(f"stages need names of their own, got {names}")
        for stage in self.stages:
            used = stage.datasets or tuple(self.datasets)
            unknown = sorted(set(used) - set(self.datasets))
            if unknown:
                raise ValueError(f"stage {stage.name} names data sets {unknown}, there are {sorted(self.datasets)}")
            without = sorted({self.datasets[name].kind for name in used} - set(stage.losses))
            if without and stage.train != "fov":
                raise ValueError(f"stage {stage.name} has no losses for data of kind {without}")
            if stage.train != "fov" and self.validation_kind() not in stage.losses:
                raise ValueError(
                    f"stage {stage.name} has no losses for validation data, of kind {self.validation_kind()}"
                )
        return self

    def validation_kind(self) -> DatasetKind:
        """What the validation images' depth is good for."""
        if self.validation.data is not None:
            return self.validation.data.kind
        for data in self.datasets.values():
            if isinstance(data, ScenesData):
                return data.kind
        raise ValueError("validation.data must name a folder or bag where no data set is of procedural scenes")

    def network_config(self) -> DepthProConfig:
        """The sizes of a network that starts from nothing."""
        if self.network is None or isinstance(self.network, str):
            return PRESETS[self.network or "nano"]
        return DepthProConfig.from_json(json.dumps(self.network))

    def to_yaml(self) -> str:
        """All of it, defaults too, as it can be read again."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)


def read_yaml(path: Path) -> dict[str, Any]:
    """A run's YAML as plain values.

    Raises:
        InputError: missing, not YAML, or no mapping.
    """
    raw = read_yaml_file(path, "training configuration")
    if not isinstance(raw, dict):
        raise InputError(f"training configuration {path} must be a mapping, see config/training for examples")
    return raw


def read_config(path: Path, overrides: dict[str, Any] | None = None) -> TrainConfig:
    """Read and check a run's YAML.

    Args:
        path: the file; relative paths in it are relative to the working folder.
        overrides: top-level values that win over the file's.

    Raises:
        InputError: missing, not YAML, or a key or value that does not fit; names each one.
    """
    return config_from(read_yaml(path) | (overrides or {}), str(path))


def config_from(raw: dict[str, Any], source: str = "configuration") -> TrainConfig:
    """Check a run given as plain values; see `read_config`."""
    try:
        config = TrainConfig.model_validate(raw)
        config.network_config()
    except ValidationError as error:
        raise InputError(f"{source}: " + "; ".join(described(problem) for problem in error.errors())) from error
    except ValueError as error:
        raise InputError(f"{source}: network: {error}") from error
    return config


def described(problem: Any) -> str:
    """One of pydantic's problems, in a user's words."""
    where = ".".join(str(part) for part in problem["loc"]) or "top level"
    if problem["type"] == "extra_forbidden":
        return f"{where} is no setting"
    given = problem["input"]
    shown = f" (got {given!r})" if not isinstance(given, dict | list | tuple) else ""
    return f"{where}: {problem['msg'].removeprefix('Value error, ')}{shown}"
