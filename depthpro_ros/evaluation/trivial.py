# SPDX-License-Identifier: Apache-2.0
"""Predictors that look at no pixel. A model that does not beat them has learned nothing of use."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from depthpro_ros.scenes import SceneBatch

FAR_M = 80.0


@dataclass(frozen=True)
class TrivialPredictors:
    """What the training scenes look like on average.

    Attributes:
        constant_m: the median depth of all pixels.
        height_m: the mean height of the cameras over the ground.
        mean_log_depth: mean over scenes of log depth at each pixel [H, W]; sky counts as `FAR_M`.
    """

    constant_m: float
    height_m: float
    mean_log_depth: Tensor

    @classmethod
    def fit(cls, scenes: SceneBatch) -> TrivialPredictors:
        """Average over the given (training) scenes."""
        depth = scenes.depth_m.clamp(max=FAR_M)
        return cls(
            constant_m=float(scenes.depth_m[scenes.depth_m <= FAR_M].median()),
            height_m=float(scenes.camera_height_m.mean()),
            mean_log_depth=depth.log().mean(0),
        )

    def predict(self, focal_px: float) -> dict[str, Tensor]:
        """Depth maps in metres, [H, W] each, by the predictor's name.

        Args:
            focal_px: the only thing about the image that they may know (used by `ground_plane`: a level
                camera `height_m` over flat ground; above the horizon `FAR_M`).
        """
        height, width = self.mean_log_depth.shape
        below = torch.arange(height, dtype=torch.float32) - (height - 1) / 2
        plane = torch.where(below > 0, self.height_m * focal_px / below.clamp(min=1e-6), FAR_M).clamp(max=FAR_M)
        return {
            "constant": torch.full((height, width), self.constant_m),
            "ground_plane": plane[:, None].expand(height, width),
            "mean_map": self.mean_log_depth.exp(),
        }
