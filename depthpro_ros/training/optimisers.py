# SPDX-License-Identifier: Apache-2.0
"""From a stage's settings to optimisers, and the learning rate at a step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from depthpro_ros.errors import InputError
from depthpro_ros.training.config_stage import Optimiser, Schedule
from depthpro_ros.training.trainees import Trainee, trained_parameters


def rate_factor(schedule: Schedule, step: int, steps: int) -> float:
    """The learning rate at a step (from 0) over its peak."""
    warm = schedule.warmup * steps
    if step < warm:
        return (step + 1) / (warm + 1)
    if schedule.kind == "paper":
        return 1.0 if step < warm + schedule.flat * steps else schedule.last
    return cosine(schedule.last, (step - warm) / max(steps - warm, 1))


def cosine(last: float, progress: float) -> float:
    """Half a cosine, from 1 where the progress is 0 to `last` where it is 1."""
    return last + (1 - last) * 0.5 * (1 + math.cos(math.pi * progress))


@dataclass(frozen=True)
class Part:
    """Parameters that move alike.

    Attributes:
        parameters: at least one.
        rate: peak learning rate.
        muon: whether Muon moves them: hidden matrices of transformers, not embeddings and not what is no matrix.
    """

    parameters: Sequence[nn.Parameter]
    rate: float
    muon: bool = False


class Moves(Protocol):
    """What all parts have in common, see `Optimiser`."""

    betas: tuple[float, float]
    weight_decay: float
    clip: float


def parts_of(settings: Optimiser, trainee: Trainee, freeze_norms: bool) -> list[Part]:
    """What a stage of Depth Pro moves; everything else in its network is frozen here.

    Args:
        settings: of the stage.
        trainee: what is trained.
        freeze_norms: leave LayerNorms as they are.
    """
    named = trained_parameters(trainee, freeze_norms)
    marks = (".blocks.", "_embed", "cls_token", ".norm")
    transformer = {name: p for name, p in named.items() if any(mark in name for mark in marks)}
    others = Part([p for name, p in named.items() if name not in transformer], settings.lr_decoder)
    if settings.lr_encoder == 0:
        for parameter in transformer.values():
            parameter.requires_grad_(False)
        return [others]
    return [*split(transformer, settings.lr_encoder, settings.kind), others]


def split(transformer: dict[str, nn.Parameter], rate: float, kind: Literal["adamw", "muon"]) -> list[Part]:
    """A transformer's parameters, by name, as Muon moves them or not; VAR's modulation is an embedding."""
    hidden = [
        name
        for name, p in transformer.items()
        if kind == "muon" and ".blocks." in f".{name}" and p.ndim == 2 and "ada_lin" not in name
    ]
    others = [p for name, p in transformer.items() if name not in hidden]
    matrices = [transformer[name] for name in hidden]
    return [part for part in (Part(others, rate), Part(matrices, rate, muon=True)) if part.parameters]


class Optimisers:
    """One or two optimisers that step together.

    Weight decay is for matrices and kernels only.

    Args:
        parts: what is moved.
        settings: of the stage.
    """

    def __init__(self, parts: Sequence[Part], settings: Moves) -> None:
        self.parameters = [p for part in parts for p in part.parameters]
        self._settings = settings
        groups = []
        for part in parts:
            for decayed in (True, False):
                members = [p for p in part.parameters if (p.ndim > 1) == decayed]
                if members and not part.muon:
                    decay = settings.weight_decay if decayed else 0.0
                    groups.append({"params": members, "peak": part.rate, "lr": part.rate, "weight_decay": decay})
        self._each: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, betas=settings.betas)]
        hidden = [{"params": part.parameters, "peak": part.rate, "lr": part.rate} for part in parts if part.muon]
        if hidden:
            self._each.append(self._muon(hidden))

    def _muon(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        if not hasattr(torch.optim, "Muon"):
            raise InputError(f"optimiser muon needs PyTorch 2.9 or later, this is {torch.__version__}: use adamw")
        # this factor gives an update the size of AdamW's, so that one learning rate serves both
        return torch.optim.Muon(groups, weight_decay=self._settings.weight_decay, adjust_lr_fn="match_rms_adamw")

    def step(self, factor: float) -> Tensor:
        """Clip the gradient and take a step at `factor` times the peak rates; returns the norm before clipping."""
        norm = nn.utils.clip_grad_norm_(self.parameters, self._settings.clip)
        for optimiser in self._each:
            for group in optimiser.param_groups:
                group["lr"] = group["peak"] * factor
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        return norm

    def state_dict(self) -> list[dict[str, object]]:
        """For a checkpoint."""
        return [optimiser.state_dict() for optimiser in self._each]

    def load_state_dict(self, states: Sequence[dict[str, object]]) -> None:
        """Go on from a checkpoint."""
        for optimiser, state in zip(self._each, states, strict=True):
            optimiser.load_state_dict(state)
