# SPDX-License-Identifier: Apache-2.0
"""One stage of a run: steps, validation, checkpoints (arXiv 2410.02073, section 3)."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from depthpro_ros.errors import InputError
from depthpro_ros.models.depth_pro.weights import load_network, save_network
from depthpro_ros.training.checkpoint import put_in_place
from depthpro_ros.training.config_stage import Stage
from depthpro_ros.training.data.batch import Batch
from depthpro_ros.training.init import start_head_as_patch_encoder
from depthpro_ros.training.monitor import Monitor
from depthpro_ros.training.optimisers import Optimisers, parts_of, rate_factor
from depthpro_ros.training.pace import LOG_EVERY, Pace
from depthpro_ros.training.precision import in_bfloat16
from depthpro_ros.training.run import Run
from depthpro_ros.training.trainees import TRAINEES, StageLoss, Trainee
from depthpro_ros.training.validation import validate


class StageRun:
    """One stage of a run, and all that a checkpoint in its middle holds."""

    def __init__(self, run: Run, stage: Stage, monitor: Monitor) -> None:
        self.run, self.stage, self.monitor = run, stage, monitor
        config, self.device = run.config, run.processes.device
        self.progress = run.progress
        self._before = sum(s.steps for s in config.stages[: self.progress.stage])
        torch.manual_seed(config.seed + self.progress.stage)
        if stage.from_patch_encoder and not self.progress.step:
            start_head_as_patch_encoder(run.network)
        self.trainee: Trainee = TRAINEES[stage.train](run.network).to(self.device)
        self.optimisers = Optimisers(parts_of(stage.optimiser, self.trainee, stage.freeze_norms), stage.optimiser)
        self.loss = StageLoss(stage.losses)  # type: ignore[arg-type]
        self.mean: AveragedModel | None = None
        if config.ema is not None:
            self.mean = AveragedModel(self.trainee, multi_avg_fn=get_ema_multi_avg_fn(config.ema))
        self._low = in_bfloat16(config.precision, self.device)
        self.best_path = run.folder / f"best-{stage.name}.safetensors"
        # on a CPU, the fused attention's backward in bfloat16 is four times as slow as the plain formula's
        self._attention = [SDPBackend.MATH]
        if self.device.type != "cpu":
            self._attention = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]

    def train(self, deadline: float | None) -> bool:
        """Do the stage's remaining steps; whether it came to its end. The network then has its best weights."""
        run, stage, progress = self.run, self.stage, self.progress
        model: nn.Module = self.trainee
        if run.processes.world > 1:
            model = DistributedDataParallel(self.trainee, broadcast_buffers=False)
        batches = run.data.validation(self.trainee.side_px)
        self.monitor.start_stage(stage.name, progress.step, stage.steps)
        pace = Pace()
        patience = run.config.validation.patience
        for batch in self._loader():
            loss, terms, norm = self._step(model, batch.to(self.device))
            if self.mean is not None:
                self.mean.update_parameters(self.trainee)
            progress.step += 1
            took_s = pace.step(loss)
            progress.spent_s += took_s
            self.monitor.step(pace.loss, stage.batch / max(took_s, 1e-9))
            if progress.step % LOG_EVERY == 0:
                rate = rate_factor(stage.schedule, progress.step - 1, stage.steps)
                shown = {name: float(term) for name, term in terms.items()}
                self._record("train", {"loss": pace.loss, **shown, "gradient_norm": float(norm), "rate_factor": rate})
            if progress.step % run.config.validation.every == 0 or progress.step == stage.steps:
                self._validate(batches)
            stopping = run.should_stop(deadline)
            if stopping or progress.step % run.config.checkpoint_every == 0:
                self.save()
            if stopping and progress.step < stage.steps:
                return False
            if patience is not None and progress.stale >= patience:
                self.monitor.say(f"stage {stage.name}: no better validation in {patience}, ending it early")
                break
        self.monitor.end_stage()
        run.processes.wait()
        if self.best_path.exists():
            run.network.load_state_dict(load_network(self.best_path).state_dict())
        return True

    def _loader(self) -> DataLoader[Batch]:
        run, progress = self.run, self.progress
        data = run.data.stage(progress.stage, self.stage, self.trainee.side_px)
        # a step's batch depends on nothing but its number, so a run goes on exactly
        return data.loader(range(progress.step, self.stage.steps), run.config.workers, self.device)

    def _step(self, model: nn.Module, batch: Batch) -> tuple[float, dict[str, Tensor], Tensor]:
        stage = self.stage
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._low), sdpa_kernel(self._attention):
            predicted = model(batch.rgb)
        loss, terms = self.loss(predicted, batch)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise InputError(
                f"the loss is {value} at step {self.progress.step + 1} of stage {stage.name}: lower lr_encoder and "
                "lr_decoder, or look at the data; the last checkpoint is kept"
            )
        with sdpa_kernel(self._attention):  # recomputed blocks choose their attention in the backward pass
            loss.backward()
        norm = self.optimisers.step(rate_factor(stage.schedule, self.progress.step, stage.steps))
        return value, terms, norm

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
        if not self.run.processes.leads:
            return
        best = self.mean.module.network if self.mean is not None else self.run.network
        problem = put_in_place(self.best_path, partial(save_network, best, dtype=torch.float32))  # type: ignore[arg-type]
        if problem:
            self.monitor.say(f"best weights were not written: {problem}")

    def _record(self, group: str, values: dict[str, float]) -> None:
        self.monitor.figures(group, self._before + self.progress.step, values, self.stage.name, self.progress.spent_s)

    def save(self) -> None:
        """Write a checkpoint; if that fails the run goes on with the last one."""
        state: dict[str, Any] = {
            "extra": _extra(self.trainee),
            "optimisers": self.optimisers.state_dict(),
            "random": torch.get_rng_state(),
        }
        if self.mean is not None:
            state["mean"] = self.mean.state_dict()
        problem = self.run.save(state)
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
