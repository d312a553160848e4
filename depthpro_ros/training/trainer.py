# SPDX-License-Identifier: Apache-2.0
"""The training loop: stages, checkpoints, validation, one process or several (arXiv 2410.02073, section 3)."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from depthpro_ros.errors import InputError
from depthpro_ros.models.depth_pro import DepthPro
from depthpro_ros.models.depth_pro.weights import load_network, save_network
from depthpro_ros.models.vit import VisionTransformer
from depthpro_ros.training.checkpoint import Progress, read_checkpoint, write_checkpoint
from depthpro_ros.training.config import Stage, TrainConfig
from depthpro_ros.training.data.batch import Batch
from depthpro_ros.training.init import initialise, start_head_as_patch_encoder
from depthpro_ros.training.monitor import Monitor
from depthpro_ros.training.optimisers import Optimisers, rate_factor
from depthpro_ros.training.processes import Processes
from depthpro_ros.training.sources import TrainingData
from depthpro_ros.training.trainees import TRAINEES, StageLoss, Trainee
from depthpro_ros.training.validation import validate

_log = logging.getLogger(__name__)

CHECKPOINT = "checkpoint.pt"
TRAINED = "trained.safetensors"
_LOG_EVERY = 20


def build_network(config: TrainConfig) -> DepthPro:
    """The network that a run starts from, float32, on the CPU.

    Raises:
        WeightsError: `init` cannot be read.
        InputError: `init` is of another size than `network`.
    """
    if config.init is None:
        torch.manual_seed(config.seed)
        network = DepthPro(config.network_config())
        initialise(network)
        return network
    network = load_network(config.init).float()
    if config.network is not None and network.config != config.network_config():
        raise InputError(
            f"init {config.init} is a network of other sizes than `network: {config.network}`: it is "
            f"{network.config.to_json()}"
        )
    return network


class Trainer:
    """One run.

    Args:
        config: what to do.
        processes: this process among those that train.
        data: where the images come from.

    Raises:
        InputError: the output folder holds a checkpoint of another network, or one that is damaged.
    """

    def __init__(self, config: TrainConfig, processes: Processes, data: TrainingData) -> None:
        self.config, self.processes, self.data = config, processes, data
        self.folder = config.output
        self.network = build_network(config).to(processes.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        for stage in config.stages:
            if stage.train == "fov" and self.network.fov is None:
                raise InputError(f"stage {stage.name} trains a field-of-view head, but the network has no fov_encoder")
        for module in self.network.modules():
            if isinstance(module, VisionTransformer):
                module.recompute = config.gradient_checkpointing
        self.progress = Progress()
        self._resumed: dict[str, Any] | None = None
        self._stop = False
        if (self.folder / CHECKPOINT).exists():
            self.progress, self._resumed = read_checkpoint(self.folder / CHECKPOINT, self._architecture)
            self.network.load_state_dict(self._resumed["network"])

    @property
    def _architecture(self) -> str:
        return self.network.config.to_json()

    def train(self, minutes: float | None = None) -> Path | None:
        """Go through the stages, from where an earlier start stopped.

        Args:
            minutes: stop after this time with a checkpoint; None for no limit.

        Returns:
            The trained weights, float16; None if the run stopped before its end.
        """
        lead = self.processes.leads
        if lead:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "config.yaml").write_text(self.config.to_yaml())
        deadline = None if minutes is None else time.monotonic() + 60 * minutes
        done = sum(stage.steps for stage in self.config.stages[: self.progress.stage]) + self.progress.step
        with Monitor(self.folder, lead, done) as monitor, self._stopping_on_signals():
            while self.progress.stage < len(self.config.stages):
                run = StageRun(self, self.config.stages[self.progress.stage], monitor)
                if self._resumed is not None:
                    run.load(self._resumed)
                    self._resumed = None
                if not run.train(deadline):
                    monitor.say(f"stopped with a checkpoint in {self.folder}; the same command goes on")
                    return None
                self.progress = Progress(self.progress.stage + 1, spent_s=self.progress.spent_s)
                self._save_between_stages(monitor)
        if lead:
            save_network(self.network, self.folder / TRAINED)
        self.processes.wait()
        return self.folder / TRAINED

    def should_stop(self, deadline: float | None) -> bool:
        """Whether a signal came or time is up, in any of the processes."""
        return self.processes.any(self._stop or (deadline is not None and time.monotonic() > deadline))

    def _save_between_stages(self, monitor: Monitor) -> None:
        if not self.processes.leads:
            return
        problem = write_checkpoint(
            self.folder / CHECKPOINT, self.progress, self._architecture, {"network": self.network.state_dict()}
        )
        if problem:
            monitor.say(f"no checkpoint between stages: {problem}")

    @contextmanager
    def _stopping_on_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end the run after the step that is being computed."""

        def stop(number: int, frame: object) -> None:
            self._stop = True

        try:
            before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        except ValueError:  # not the main thread: whoever owns that handles signals
            before = {}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class StageRun:
    """One stage of a run, and all that a checkpoint in its middle holds."""

    def __init__(self, trainer: Trainer, stage: Stage, monitor: Monitor) -> None:
        self.trainer, self.stage, self.monitor = trainer, stage, monitor
        config, self.device = trainer.config, trainer.processes.device
        self.progress = trainer.progress
        self._before = sum(s.steps for s in config.stages[: self.progress.stage])
        torch.manual_seed(config.seed + self.progress.stage)
        if stage.from_patch_encoder and not self.progress.step:
            start_head_as_patch_encoder(trainer.network)
        self.trainee: Trainee = TRAINEES[stage.train](trainer.network).to(self.device)
        self.optimisers = Optimisers(stage.optimiser, self.trainee, stage.freeze_norms)
        self.loss = StageLoss(stage.losses)  # type: ignore[arg-type]
        self.mean: AveragedModel | None = None
        if config.ema is not None:
            self.mean = AveragedModel(self.trainee, multi_avg_fn=get_ema_multi_avg_fn(config.ema))
        self.best_path = trainer.folder / f"best-{stage.name}.safetensors"
        # on a CPU, the fused attention's backward in bfloat16 is four times as slow as the plain formula's
        self._attention = [SDPBackend.MATH]
        if self.device.type != "cpu":
            self._attention = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]

    def train(self, deadline: float | None) -> bool:
        """Do the stage's remaining steps; whether it came to its end. The network then has its best weights."""
        trainer, stage, progress = self.trainer, self.stage, self.progress
        model: nn.Module = self.trainee
        if trainer.processes.world > 1:
            model = DistributedDataParallel(self.trainee, broadcast_buffers=False)
        batches = trainer.data.validation(self.trainee.side_px)
        self.monitor.start_stage(stage.name, progress.step, stage.steps)
        last, running = time.monotonic(), None
        patience = trainer.config.validation.patience
        for batch in self._loader():
            loss, terms, norm = self._step(model, batch.to(self.device))
            if self.mean is not None:
                self.mean.update_parameters(self.trainee)
            progress.step += 1
            now = time.monotonic()
            # a paused process (SIGSTOP) must not count its sleep
            took = min(now - last, 60.0)
            progress.spent_s += took
            last = now
            running = loss if running is None else 0.95 * running + 0.05 * loss
            self.monitor.step(running, stage.batch / max(took, 1e-9))
            if progress.step % _LOG_EVERY == 0:
                rate = rate_factor(stage.schedule, progress.step - 1, stage.steps)
                self._record("train", {"loss": running, **terms, "gradient_norm": norm, "rate_factor": rate})
            if progress.step % trainer.config.validation.every == 0 or progress.step == stage.steps:
                self._validate(batches)
            stopping = trainer.should_stop(deadline)
            if stopping or progress.step % trainer.config.checkpoint_every == 0:
                self.save()
            if stopping and progress.step < stage.steps:
                return False
            if patience is not None and progress.stale >= patience:
                self.monitor.say(f"stage {stage.name}: no better validation in {patience}, ending it early")
                break
        self.monitor.end_stage()
        trainer.processes.wait()
        if self.best_path.exists():
            trainer.network.load_state_dict(load_network(self.best_path).state_dict())
        return True

    def _loader(self) -> DataLoader[Batch]:
        trainer, progress = self.trainer, self.progress
        data = trainer.data.stage(progress.stage, self.stage, self.trainee.side_px)
        # the dataset makes whole batches; a step's batch depends on nothing but its number, so a run goes on exactly
        workers = trainer.config.workers
        return DataLoader(
            data,
            batch_size=None,
            sampler=range(progress.step, self.stage.steps),
            num_workers=workers,
            prefetch_factor=4 if workers else None,
            pin_memory=self.device.type == "cuda" and workers > 0,
        )

    def _step(self, model: nn.Module, batch: Batch) -> tuple[float, dict[str, float], float]:
        config, stage = self.trainer.config, self.stage
        low = config.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=low), sdpa_kernel(self._attention):
            predicted = model(batch.rgb)
        loss, terms = self.loss(predicted, batch)
        value = float(loss.detach())
        if value != value or abs(value) == float("inf"):
            raise InputError(
                f"the loss is {value} at step {self.progress.step + 1} of stage {stage.name}: lower lr_encoder and "
                "lr_decoder, or look at the data; the last checkpoint is kept"
            )
        with sdpa_kernel(self._attention):  # recomputed blocks choose their attention in the backward pass
            loss.backward()
        norm = self.optimisers.step(rate_factor(stage.schedule, self.progress.step, stage.steps))
        return value, {name: float(term) for name, term in terms.items()}, norm

    def _validate(self, batches: list[Batch]) -> None:
        # every process computes it, so that all agree on an early stop without talking
        figures, picture = validate(self.mean if self.mean is not None else self.trainee, batches, self.loss)
        self._record("validation", figures)
        if picture is not None:
            self.monitor.picture(f"{self.stage.name}/image, truth, model", self._before + self.progress.step, picture)
        shown = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        self.monitor.say(f"{self.stage.name} step {self.progress.step}: {shown}")
        if figures["loss"] < self.progress.best:
            self.progress.best, self.progress.stale = figures["loss"], 0
            self._save_best()
        else:
            self.progress.stale += 1

    def _save_best(self) -> None:
        if not self.trainer.processes.leads:
            return
        best = self.mean.module.network if self.mean is not None else self.trainer.network
        partial = self.best_path.with_name(self.best_path.name + ".partial")
        try:
            save_network(best, partial, torch.float32)  # type: ignore[arg-type]
            partial.replace(self.best_path)
        except (OSError, RuntimeError) as error:
            partial.unlink(missing_ok=True)
            self.monitor.say(f"best weights were not written: {error}")

    def _record(self, group: str, values: dict[str, float]) -> None:
        self.monitor.figures(group, self._before + self.progress.step, values, self.stage.name, self.progress.spent_s)

    def save(self) -> None:
        """Write a checkpoint; if that fails the run goes on with the last one."""
        if not self.trainer.processes.leads:
            return
        state = {
            "network": self.trainer.network.state_dict(),
            "extra": _extra(self.trainee),
            "optimisers": self.optimisers.state_dict(),
            "random": torch.get_rng_state(),
        }
        if self.mean is not None:
            state["mean"] = self.mean.state_dict()
        path = self.trainer.folder / CHECKPOINT
        problem = write_checkpoint(path, self.progress, self.trainer._architecture, state)
        if problem:
            self.monitor.say(f"no checkpoint at step {self.progress.step} ({problem}); the last good one is kept")

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint of this stage's middle; one from between stages holds the network alone."""
        if "extra" not in state:
            return
        self.trainee.load_state_dict(state["extra"], strict=False)
        self.optimisers.load_state_dict(state["optimisers"])
        torch.set_rng_state(state["random"])
        if self.mean is not None and "mean" in state:
            self.mean.load_state_dict(state["mean"])


def _extra(trainee: Trainee) -> dict[str, Tensor]:
    """What a trainee has beside the network."""
    return {name: value for name, value in trainee.state_dict().items() if not name.startswith("network.")}
