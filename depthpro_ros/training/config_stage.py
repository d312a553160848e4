# SPDX-License-Identifier: Apache-2.0
"""One stage of a training run, as its YAML file describes it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from depthpro_ros.training.config_data import Count, Positive, Share, Strict
from depthpro_ros.training.data.batch import DatasetKind
from depthpro_ros.training.losses import LOSSES


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
        lr_encoder: peak learning rate of the transformers; 0 freezes them.
        lr_decoder: peak learning rate of all else.
        clip: the gradient's largest norm.
    """

    kind: Literal["adamw", "muon"] = "adamw"
    lr_encoder: Annotated[float, Field(ge=0)] = 1.28e-5
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
