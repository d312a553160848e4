# SPDX-License-Identifier: Apache-2.0
"""Predictors that look at no pixel. A model that does not beat them has learned nothing of use."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

FAR_M = 80.0


@dataclass(frozen=True)
class TrivialPredictors:
    """What the training scenes look like on average.

    Attributes:
        constant_m: the median depth of all pixels.
        height_m: the mean height of the cameras over the ground.
        mean_log_depth: mean over scenes of log depth at each pixel [h, w]; sky counts as `FAR_M`.
        fov_deg: the median horizontal field of view.
    """

    constant_m: float
    height_m: float
    mean_log_depth: Tensor
    fov_deg: float

    @classmethod
    def fit(cls, depth_m: Tensor, camera_height_m: Tensor, fov_deg: Tensor) -> TrivialPredictors:
        """Average over (training) scenes.

        Args:
            depth_m: float32 [N, h, w], +inf for sky, NaN where unknown; h and w may be small.
            camera_height_m, fov_deg: float32 [N].
        """
        constant = float(depth_m[depth_m <= FAR_M].median())
        mean_log_depth = depth_m.clamp(max=FAR_M).log().nanmean(0).nan_to_num(math.log(constant))
        return cls(constant, float(camera_height_m.mean()), mean_log_depth, float(fov_deg.median()))

    def predict(self, focal_px: float, height: int, width: int) -> dict[str, NDArray[np.float32]]:
        """Depth maps in metres, float32 [height, width] each, by the predictor's name.

        Args:
            focal_px: the only thing about the image that they may know (used by `ground_plane`: a level
                camera `height_m` over flat ground; above the horizon `FAR_M`).
            height, width: size of the image.
        """
        below = torch.arange(height, dtype=torch.float32) - (height - 1) / 2
        plane = torch.where(below > 0, self.height_m * focal_px / below.clamp(min=1e-6), FAR_M).clamp(max=FAR_M)
        size = (height, width)
        mean = F.interpolate(self.mean_log_depth[None, None], size, mode="bilinear", align_corners=False)[0, 0]
        return {
            "constant": np.full(size, self.constant_m, np.float32),
            "ground_plane": plane[:, None].expand(size).numpy(),
            "mean_map": mean.exp().numpy(),
        }

    def focal_px(self, width: int) -> float:
        """Focal length of the median field of view, in pixels of this width."""
        return 0.5 * width / math.tan(math.radians(self.fov_deg) / 2)
