# SPDX-License-Identifier: Apache-2.0
"""A whole run of DepthART's training: its stages one after another, with validation, checkpoints and resumption."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

from depthpro_ros.errors import InputError
from depthpro_ros.models.depthart.weights import save_model
from depthpro_ros.training.checkpoint import Progress, read_checkpoint, write_checkpoint
from depthpro_ros.training.depthart.config import ArtTrainConfig
from depthpro_ros.training.depthart.stage_run import StageOfArt
from depthpro_ros.training.depthart.start import build_model
from depthpro_ros.training.monitor import Monitor
from depthpro_ros.training.processes import Processes
from depthpro_ros.training.signals import StopOnSignals
from depthpro_ros.training.sources import TrainingData

CHECKPOINT, TRAINED = "checkpoint.pt", "trained.safetensors"
"""Files in a run's folder."""


class ArtTrainer:
    """Trains as a configuration says, and goes on where an earlier start stopped.

    Args:
        config: what to do.
        processes: this process; several that share a step are not offered here.
        data: where the images come from.

    Raises:
        InputError: several processes; or weights, network or checkpoint do not fit.
    """

    def __init__(self, config: ArtTrainConfig, processes: Processes, data: TrainingData) -> None:
        if processes.world > 1:
            raise InputError("depthart_ar is trained by one process: start it without torchrun")
        self.config, self.data, self.device = config, data, processes.device
        self.model = build_model(config)
        self.progress = Progress()
        self._resumed: dict[str, Any] | None = None
        self._signals = StopOnSignals()
        if self._checkpoint.exists():
            self.progress, self._resumed = read_checkpoint(self._checkpoint, self.model.config.to_json())
            self.model.load_state_dict(self._resumed["network"])
        self.model.to(self.device)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def _checkpoint(self) -> Path:
        return self.config.output / CHECKPOINT

    def train(self, minutes: float | None = None) -> Path | None:
        """Go through the stages.

        Args:
            minutes: stop after this time with a checkpoint; None for no limit.

        Returns:
            The trained weights, float16; None if the run stopped before its end.
        """
        config, stages = self.config, self.config.stages
        config.output.mkdir(parents=True, exist_ok=True)
        (config.output / "config.yaml").write_text(config.to_yaml())
        deadline = None if minutes is None else time.monotonic() + 60 * minutes
        done = sum(stage.steps for stage in stages[: self.progress.stage]) + self.progress.step
        with Monitor(config.output, True, done) as monitor, self._signals:
            while self.progress.stage < len(stages):
                if not StageOfArt(self, stages[self.progress.stage], monitor).train(deadline):
                    monitor.say(f"stopped with a checkpoint in {config.output}; the same command goes on")
                    return None
                self.progress = Progress(self.progress.stage + 1, spent_s=self.progress.spent_s)
                self.save(monitor, {})
        save_model(self.model, config.output / TRAINED)
        return config.output / TRAINED

    def should_stop(self, deadline: float | None) -> bool:
        """Whether a signal came, or the time `deadline` (of `time.monotonic`)."""
        return self._signals.came or (deadline is not None and time.monotonic() > deadline)

    def save(self, monitor: Monitor, state: dict[str, Any]) -> None:
        """Write a checkpoint; if that fails the run goes on with the last one."""
        everything = {"network": self.model.state_dict(), **state}
        problem = write_checkpoint(self._checkpoint, self.progress, self.model.config.to_json(), everything)
        if problem:
            monitor.say(f"no checkpoint at step {self.progress.step} ({problem}); the last good one is kept")

    def take_resumed(self) -> dict[str, Any] | None:
        """The rest of the checkpoint that the run goes on from, once."""
        state, self._resumed = self._resumed, None
        return state
