# SPDX-License-Identifier: Apache-2.0
"""How a pass is cut up so that it fits into memory. The result is the same whatever the budget."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from depthpro_ros.models.depth_pro.config import DepthProConfig

MIB = 1 << 20


@dataclass(frozen=True)
class MemoryBudget:
    """What the largest tensors of a pass may take.

    Attributes:
        windows: bytes of the widest activation of the patch encoder, which takes so many windows at once.
        map: bytes of one map of the two finest decoder levels, which are computed in so many strips.
        keep_fov: the field-of-view head's weights stay on the device between passes.
    """

    windows: int
    map: int
    keep_fov: bool = True

    def windows_at_once(self, config: DepthProConfig, dtype: torch.dtype) -> int:
        """How many windows the patch encoder takes at once; at least 1."""
        vit = config.patch_encoder
        window = (config.grid**2 + 1) * vit.dim * max(vit.mlp_ratio, 3) * dtype.itemsize
        return max(1, int(self.windows / window))

    def strips(self, config: DepthProConfig, batch: int, dtype: torch.dtype) -> tuple[int, int]:
        """Strips of the finest level and of the one before, each with its map within the budget."""
        finest = batch * config.decoder_dim * (config.output_px // 2) ** 2 * dtype.itemsize
        return math.ceil(finest / self.map), math.ceil(finest / 4 / self.map)


def budget(memory: str, device: torch.device) -> MemoryBudget:
    """The budget of a setting.

    Args:
        memory: `auto` or `low`.
        device: a processor gains nothing from tensors that leave its cache; a GPU wants them large.
    """
    if memory == "low":
        return MemoryBudget(windows=40 * MIB, map=40 * MIB, keep_fov=False)
    if device.type == "cpu":
        return MemoryBudget(windows=50 * MIB, map=112 * MIB)
    return MemoryBudget(windows=256 * MIB, map=80 * MIB)


UNLIMITED = MemoryBudget(windows=1 << 62, map=1 << 62)
"""Everything at once."""
