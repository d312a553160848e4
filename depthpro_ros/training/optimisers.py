# SPDX-License-Identifier: Apache-2.0
"""From a stage's settings to optimisers, and the learning rate at a step."""

from __future__ import annotations

import math
from collections.abc import Sequence

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
    progress = (step - warm) / max(steps - warm, 1)
    return schedule.last + (1 - schedule.last) * 0.5 * (1 + math.cos(math.pi * progress))


class Optimisers:
    """One or two optimisers that step together.

    Weight decay is for matrices and kernels only.

    Args:
        settings: of the stage.
        trainee: what is trained; everything else in its network is frozen here.
        freeze_norms: leave LayerNorms as they are.
    """

    def __init__(self, settings: Optimiser, trainee: Trainee, freeze_norms: bool) -> None:
        named = trained_parameters(trainee, freeze_norms)
        self.parameters: list[nn.Parameter] = list(named.values())
        self._settings = settings
        transformer = {name for name in named if ".blocks." in name or "patch_embed" in name or "_embed" in name}
        transformer |= {name for name in named if "cls_token" in name or ".norm" in name}
        # Muon is for the hidden matrices of the transformers, not for embeddings and not for what is no matrix
        hidden = {name for name in transformer if ".blocks." in name and named[name].ndim == 2}
        if settings.kind != "muon":
            hidden = set()
        groups = []
        for names, rate in (
            (transformer - hidden, settings.lr_encoder),
            (set(named) - transformer, settings.lr_decoder),
        ):
            for decayed in (True, False):
                members = [p for name, p in named.items() if name in names and (p.ndim > 1) == decayed]
                if members:
                    decay = settings.weight_decay if decayed else 0.0
                    groups.append({"params": members, "peak": rate, "lr": rate, "weight_decay": decay})
        self._each: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, betas=settings.betas)]
        if hidden:
            self._each.append(self._muon([named[name] for name in named if name in hidden]))

    def _muon(self, matrices: list[nn.Parameter]) -> torch.optim.Optimizer:
        if not hasattr(torch.optim, "Muon"):
            raise InputError(f"optimiser muon needs PyTorch 2.9 or later, this is {torch.__version__}: use adamw")
        settings = self._settings
        group = {"params": matrices, "peak": settings.lr_encoder}
        # this factor gives an update the size of AdamW's, so that one learning rate serves both
        return torch.optim.Muon(
            [group], lr=settings.lr_encoder, weight_decay=settings.weight_decay, adjust_lr_fn="match_rms_adamw"
        )

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
