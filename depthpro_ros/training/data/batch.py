# SPDX-License-Identifier: Apache-2.0
"""The images of one optimiser step, with what the network is to say about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

DatasetKind = Literal["synthetic_metric", "real_metric", "synthetic", "non_metric"]
"""What a data set's depth is good for, which chooses its losses (arXiv 2410.02073, table of the training sets):
exact metres, measured metres, exact up to scale and shift, and measured up to scale and shift."""
DATASET_KINDS: tuple[DatasetKind, ...] = ("synthetic_metric", "real_metric", "synthetic", "non_metric")


@dataclass(frozen=True)
class Batch:
    """Images squashed to squares, as the network sees them.

    Attributes:
        rgb: uint8 [B, S, S, 3].
        canonical: float32 [B, S, S], inverse depth C = fx / (W D); 0 for sky, 0 where it is not valid.
        valid: bool [B, S, S], where the depth is known; true for sky.
        fov_deg: float32 [B], horizontal field of view 2 atan(W / 2 fx).
        kind: of the data set that each image is from.
        replaced: how many frames could not be used, so that others stand in their place.
    """

    rgb: Tensor
    canonical: Tensor
    valid: Tensor
    fov_deg: Tensor
    kind: tuple[DatasetKind, ...]
    replaced: int = 0

    def __len__(self) -> int:
        return len(self.kind)

    def to(self, device: str | torch.device) -> Batch:
        """The same on another device."""
        return self._each(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> Batch:
        """The same in page-locked memory, from which `to` a GPU does not wait; what a DataLoader calls."""
        return self._each(Tensor.pin_memory)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        return replace(
            self,
            rgb=change(self.rgb),
            canonical=change(self.canonical),
            valid=change(self.valid),
            fov_deg=change(self.fov_deg),
        )


def concatenate(parts: Sequence[Batch]) -> Batch:
    """Batches of one image size on one device, one after the other."""
    return Batch(
        torch.cat([p.rgb for p in parts]),
        torch.cat([p.canonical for p in parts]),
        torch.cat([p.valid for p in parts]),
        torch.cat([p.fov_deg for p in parts]),
        tuple(kind for p in parts for kind in p.kind),
        sum(p.replaced for p in parts),
    )
