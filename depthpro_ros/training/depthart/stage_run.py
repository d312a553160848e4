# SPDX-License-Identifier: Apache-2.0
"""One stage of a run of DepthART's training."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.data import DataLoader

from depthpro_ros.errors import InputError
from depthpro_ros.training.checkpoint import put_in_place
from depthpro_ros.training.data.batch import Batch
from depthpro_ros.training.depthart.config import ArtSchedule, ArtStage
from depthpro_ros.training.depthart.figures import aligned_figures
from depthpro_ros.training.depthart.samples import depth_of
from depthpro_ros.training.depthart.trainees import RegressionTrainee, relative_depth, trainee_of
from depthpro_ros.training.monitor import Monitor
from depthpro_ros.training.optimisers import Optimisers, cosine, split
from depthpro_ros.training.pace import LOG_EVERY, Pace
from depthpro_ros.training.precision import in_bfloat16

if TYPE_CHECKING:
    from depthpro_ros.training.depthart.run import ArtTrainer

READOUT = "readout.pt"
"""File in a run's folder: the readout of a regression stage, which no weights file holds."""
_ATTENTION = (SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH)


def rate_factor(schedule: ArtSchedule, step: int, steps: int) -> float:
    """The learning rate at a step (from 0) over its peak."""
    warm = schedule.warmup * steps
    if step < warm:
        return (step + 1) / (warm + 1)
    if schedule.kind == "step":
        return schedule.factor ** (step // schedule.every)
    return cosine(schedule.last, (step - warm) / max(steps - warm, 1))


class StageOfArt:
    """One stage of a run."""

    def __init__(self, run: ArtTrainer, stage: ArtStage, monitor: Monitor) -> None:
        self.run, self.stage, self.monitor, self.device = run, stage, monitor, run.device
        config = run.config
        self._before = sum(s.steps for s in config.stages[: run.progress.stage])
        torch.manual_seed(config.seed + run.progress.stage)
        for index, block in enumerate(run.model.transformer.blocks):
            block.drop_path = stage.drop_path * index / max(len(run.model.transformer.blocks) - 1, 1)  # type: ignore[assignment]
        self.trainee = trainee_of(run.model, stage).to(self.device)
        self._optimisers = self._make_optimisers()
        self._mean: dict[str, Tensor] = {}
        if config.ema is not None:
            self._mean = {name: p.detach().clone() for name, p in self._trained.items()}
        self._best = config.output / f"best-{stage.name}.pt"
        state = run.take_resumed()
        if state is not None and "optimisers" in state:
            self.trainee.load_state_dict(state["extra"], strict=False)
            self._optimisers.load_state_dict(state["optimisers"])
            torch.set_rng_state(state["random"])
            self._mean = state["mean"]
        # on a CPU, the fused attention's backward in bfloat16 is four times as slow as the plain formula's
        self._low = in_bfloat16(config.precision, self.device)
        self._attention = [SDPBackend.MATH] if self._low and self.device.type == "cpu" else list(_ATTENTION)

    def _make_optimisers(self) -> Optimisers:
        settings = self.stage.optimiser
        for parameter in self.run.model.parameters():
            parameter.requires_grad_(False)
        named = dict(self.trainee.trained())
        own = self.stage.train == "tokenizer"  # whose encoder is not the image's
        encoder = {name: p for name, p in named.items() if name.startswith("encoder.") and not own}
        others = {name: p for name, p in named.items() if name not in encoder}
        parts = split(others, settings.lr, settings.kind)
        if settings.lr_encoder > 0:
            parts += split(encoder, settings.lr_encoder, settings.kind)
            others |= encoder
        self._trained = others
        for parameter in others.values():
            parameter.requires_grad_(True)
        return Optimisers(parts, settings)

    def train(self, deadline: float | None) -> bool:
        """Do the remaining steps; whether the stage came to its end. The model then has its best weights."""
        run, stage, progress = self.run, self.stage, self.run.progress
        batches = run.data.validation(run.model.config.tokenizer.image_px)
        self.monitor.start_stage(stage.name, progress.step, stage.steps)
        pace = Pace()
        for batch in self._loader():
            loss, figures = self._step(batch.to(self.device))
            progress.step += 1
            took_s = pace.step(loss)
            progress.spent_s += took_s
            self.monitor.step(pace.loss, stage.batch / max(took_s, 1e-9))
            if progress.step % LOG_EVERY == 0:
                self._record("train", {"loss": pace.loss, **{name: float(v) for name, v in figures.items()}})
            if progress.step % run.config.validation.every == 0 or progress.step == stage.steps:
                self._validate(batches)
            stopping = run.should_stop(deadline)
            if stopping or progress.step % run.config.checkpoint_every == 0:
                self._save()
            if stopping and progress.step < stage.steps:
                return False
        self.monitor.end_stage()
        if self._best.exists():
            state = torch.load(self._best, map_location="cpu", weights_only=True)
            self._set({name: value.to(self.device) for name, value in state.items()})
        if isinstance(self.trainee, RegressionTrainee):
            self.trainee.start_head(batches)
            torch.save(self.trainee.readout.state_dict(), run.config.output / READOUT)
        return True

    def _loader(self) -> DataLoader[Batch]:
        run, progress = self.run, self.run.progress
        data = run.data.stage(progress.stage, self.stage, run.model.config.tokenizer.image_px)
        generator = torch.Generator()  # else each start of a loader draws from the one that the checkpoint keeps
        return data.loader(range(progress.step, self.stage.steps), run.config.workers, self.device, generator)

    def _step(self, batch: Batch) -> tuple[float, dict[str, Tensor]]:
        run, stage = self.run, self.stage
        self.trainee.train()
        with sdpa_kernel(self._attention):
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self._low):
                loss, figures = self.trainee(batch)
            value = float(loss.detach())
            if not math.isfinite(value):
                raise InputError(
                    f"the loss is {value} at step {run.progress.step + 1} of stage {stage.name}: lower lr, or look at "
                    "the data; the last checkpoint is kept"
                )
            loss.backward()
        factor = rate_factor(stage.schedule, run.progress.step, stage.steps)
        figures["gradient_norm"] = self._optimisers.step(factor)
        if self._mean:
            assert run.config.ema is not None
            # a mean over all steps at first: the start is no good weight
            decay = min(run.config.ema, run.progress.step / (run.progress.step + 1))
            for name, parameter in self._trained.items():
                self._mean[name].lerp_(parameter.detach(), 1 - decay)
        return value, figures

    @torch.no_grad()
    def _validate(self, batches: list[Batch]) -> None:
        kept = {name: p.detach().clone() for name, p in self._trained.items()} if self._mean else {}
        if kept:
            self._set(self._mean)
        self.trainee.eval()
        rows: dict[str, list[Tensor]] = {}
        for batch in batches:
            depth, valid = depth_of(batch)
            relative = relative_depth(self.run.model, self.trainee.latent(batch))
            for name, values in aligned_figures(relative, depth, valid).items():
                rows.setdefault(name, []).append(values.cpu())
        figures = {name: float(torch.cat(values).nanmean()) for name, values in rows.items()}
        self._record("validation", figures)
        shown = ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
        self.monitor.say(f"{self.stage.name} step {self.run.progress.step}: {shown}")
        if figures["abs_rel"] < self.run.progress.best:
            self.run.progress.best = figures["abs_rel"]
            self._save_best()
        if kept:
            self._set(kept)

    def _save_best(self) -> None:
        best = {name: p.detach().cpu() for name, p in self._trained.items()}
        problem = put_in_place(self._best, partial(torch.save, best))
        if problem:
            self.monitor.say(f"best weights were not written: {problem}")

    @torch.no_grad()
    def _set(self, values: dict[str, Tensor]) -> None:
        for name, parameter in self._trained.items():
            parameter.copy_(values[name])

    def _record(self, group: str, values: dict[str, float]) -> None:
        progress = self.run.progress
        self.monitor.figures(group, self._before + progress.step, values, self.stage.name, progress.spent_s)

    def _save(self) -> None:
        extra = {n: v for n, v in self.trainee.state_dict().items() if not n.startswith("model.")}
        self.run.save(
            self.monitor,
            {
                "extra": extra,
                "optimisers": self._optimisers.state_dict(),
                "random": torch.get_rng_state(),
                "mean": self._mean,
            },
        )
