# SPDX-License-Identifier: Apache-2.0
"""A whole training run: its stages, one after another."""

from __future__ import annotations

import time
from pathlib import Path

from depthpro_ros.models.depth_pro.weights import save_network
from depthpro_ros.training.checkpoint import Progress
from depthpro_ros.training.config import TrainConfig
from depthpro_ros.training.monitor import Monitor
from depthpro_ros.training.processes import Processes
from depthpro_ros.training.run import Run
from depthpro_ros.training.sources import TrainingData
from depthpro_ros.training.stage_run import StageRun

TRAINED = "trained.safetensors"


class Trainer:
    """Trains as a configuration says, and goes on where an earlier start stopped.

    Args:
        config: what to do.
        processes: this process among those that train.
        data: where the images come from.

    Attributes:
        run: the network, and where the run stands.

    Raises:
        InputError: the network, the weights to start from, or the output folder's checkpoint do not fit.
    """

    def __init__(self, config: TrainConfig, processes: Processes, data: TrainingData) -> None:
        self.run = Run.start(config, processes, data)

    def train(self, minutes: float | None = None) -> Path | None:
        """Go through the stages.

        Args:
            minutes: stop after this time with a checkpoint; None for no limit.

        Returns:
            The trained weights, float16; None if the run stopped before its end.
        """
        run, stages = self.run, self.run.config.stages
        leads, folder = run.processes.leads, run.folder
        if leads:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "config.yaml").write_text(run.config.to_yaml())
        deadline = None if minutes is None else time.monotonic() + 60 * minutes
        done = sum(stage.steps for stage in stages[: run.progress.stage]) + run.progress.step
        with Monitor(folder, leads, done) as monitor, run.stopping_on_signals():
            while run.progress.stage < len(stages):
                stage = StageRun(run, stages[run.progress.stage], monitor)
                if run.resumed is not None:
                    stage.load(run.resumed)
                    run.resumed = None
                if not stage.train(deadline):
                    monitor.say(f"stopped with a checkpoint in {folder}; the same command goes on")
                    return None
                run.progress = Progress(run.progress.stage + 1, spent_s=run.progress.spent_s)
                problem = run.save({})
                if problem:
                    monitor.say(f"no checkpoint between stages: {problem}")
        if leads:
            save_network(run.network, folder / TRAINED)
        run.processes.wait()
        return folder / TRAINED
