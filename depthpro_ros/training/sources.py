# SPDX-License-Identifier: Apache-2.0
"""From the configuration's data sets to batches, all of them looked at before the first step."""

from __future__ import annotations

import numpy as np
import torch

from depthpro_ros.errors import InputError
from depthpro_ros.frames import FrameSet
from depthpro_ros.training.config import TrainConfig
from depthpro_ros.training.config_data import BagData, FolderData, HypersimData, ScenesData
from depthpro_ros.training.config_stage import Stage
from depthpro_ros.training.data.bag import BagSet
from depthpro_ros.training.data.batch import Batch, concatenate
from depthpro_ros.training.data.checks import check_frames
from depthpro_ros.training.data.folder import FolderSet
from depthpro_ros.training.data.hypersim import HypersimSet
from depthpro_ros.training.data.mixture import Source, StepData
from depthpro_ros.training.data.scenes import ASPECTS, SceneSet
from depthpro_ros.training.data.squash import squash
from depthpro_ros.training.depthart.config import ArtStage, ArtTrainConfig
from depthpro_ros.training.processes import Processes

FIRST_VALIDATION_SEED = 1 << 50
"""Training draws its scenes from 2^48 seeds from its first one on."""
_VALIDATION_BATCH = 16


class TrainingData:
    """The data sets of a run.

    Args:
        config: the run.
        processes: this process among those that share each step.

    Raises:
        InputError: a data set is missing, empty or unusable; or a batch does not divide among the processes.

    Attributes:
        report: a line on each data set.
    """

    def __init__(self, config: TrainConfig | ArtTrainConfig, processes: Processes) -> None:
        self._config, self._processes = config, processes
        for stage in config.stages:
            if stage.batch % processes.world:
                raise InputError(
                    f"stage {stage.name} has a batch of {stage.batch}, which {processes.world} processes cannot share "
                    "evenly: choose a multiple"
                )
        self.report: list[str] = []
        # a worker process cannot use the GPU, so with workers scenes are rendered on the CPU
        self._scene_device = torch.device("cpu") if config.workers else processes.device
        self._sources = {name: self._source(name, data) for name, data in config.datasets.items()}
        watched = config.validation.data
        self._watched = None if watched is None else self._source("validation", watched)

    def _source(self, name: str, data: ScenesData | FolderData | BagData | HypersimData) -> Source:
        if isinstance(data, ScenesData):
            scenes = SceneSet(name, data.first_seed, self._scene_device)
            self.report.append(f"{name}: procedural scenes from seed {data.first_seed} on, {data.kind}")
            return Source(scenes, data.kind, data.weight)
        frames: FrameSet
        if isinstance(data, FolderData):
            frames = FolderSet(
                data.path, depth_scale=data.depth_scale, fx_px=data.fx_px, max_depth_m=data.max_depth_m, name=name
            )
        elif isinstance(data, HypersimData):
            frames = HypersimSet(data.path, max_depth_m=data.max_depth_m, name=name)
        else:
            frames = BagSet(
                data.path,
                image_topic=data.image_topic,
                depth_topic=data.depth_topic,
                camera_info_topic=data.camera_info_topic,
                tolerance_s=data.tolerance_s,
                fx_px=data.fx_px,
                max_depth_m=data.max_depth_m,
                name=name,
            )
        self.report.append(f"{check_frames(frames, data.kind).text}, {data.kind}")
        return Source(frames, data.kind, data.weight)

    def stage(self, index: int, stage: Stage | ArtStage, side_px: int) -> StepData:
        """This process's batches of a stage, by step."""
        names = stage.datasets or tuple(self._sources)
        return StepData(
            [self._sources[name] for name in names],
            size_px=side_px,
            batch=stage.batch // self._processes.world,
            rates=stage.augment,
            seed=self._config.seed,
            stage=index,
            rank=self._processes.rank,
            world_size=self._processes.world,
        )

    def validation(self, side_px: int) -> list[Batch]:
        """The images that the model is validated on, unchanged by augmentation, on the training device."""
        count = self._config.validation.images
        if self._watched is None:
            scenes = SceneSet("validation", FIRST_VALIDATION_SEED, self._scene_device)
            parts = [
                scenes.batch(
                    range(first, min(first + _VALIDATION_BATCH, count)),
                    side_px,
                    aspect=ASPECTS[(first // _VALIDATION_BATCH) % len(ASPECTS)],
                    kind=self._config.validation_kind(),
                )
                for first in range(0, count, _VALIDATION_BATCH)
            ]
        else:
            frames = self._watched.data
            assert not isinstance(frames, SceneSet)
            chosen = np.unique(np.linspace(0, len(frames) - 1, min(count, len(frames))).round().astype(int))
            each = [squash(frames.frame(int(index)), side_px, self._watched.kind) for index in chosen]
            parts = [concatenate(each[i : i + _VALIDATION_BATCH]) for i in range(0, len(each), _VALIDATION_BATCH)]
        return [part.to(self._processes.device) for part in parts]
