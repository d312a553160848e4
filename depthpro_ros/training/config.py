# SPDX-License-Identifier: Apache-2.0
"""A training run as one YAML file, checked before anything starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from depthpro_ros.errors import InputError
from depthpro_ros.models.depth_pro.config import DepthProConfig
from depthpro_ros.models.depth_pro.presets import PRESETS
from depthpro_ros.training.config_data import BagData, Count, Data, FolderData, HypersimData, ScenesData, Strict
from depthpro_ros.training.config_stage import Stage
from depthpro_ros.training.data.batch import DatasetKind
from depthpro_ros.training.precision import Precision
from depthpro_ros.yaml_file import read_yaml_file


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
        precision: of the products, see `in_bfloat16`.
        ema: decay of the running mean of the weights that is validated and kept; None for none.
        checkpoint_every: steps between checkpoints.
        workers: processes that prepare data; 0 does it in the training process (right for scenes on a GPU).
    """

    network: str | dict[str, Any] | None = None
    init: Path | None = None
    output: Path
    seed: Annotated[int, Field(ge=0)] = 0
    precision: Precision = "auto"
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
