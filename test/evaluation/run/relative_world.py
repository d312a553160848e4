# SPDX-License-Identifier: Apache-2.0
"""A model up to scale: it reads depth from the image as `ReadsDepth` does, and divides by its own 98th percentile."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from depthpro_ros.models.estimator import EstimatorInfo, Prediction

INFO = EstimatorInfo("reads_relative", "", 1, "cpu", "float32", metric=False)


@dataclass
class ReadsRelative:
    """An estimator whose depth has no unit.

    Attributes:
        calls: how many frames it saw.
        fails_at: number of the call at which somebody presses Ctrl-C; -1 for never.
        scales: sides of the grids of `refinement`.
        options: what it was loaded with.
    """

    calls: int = 0
    fails_at: int = -1
    scales: tuple[int, ...] = (1, 2, 4)
    options: dict[str, object] = field(default_factory=dict)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    info: EstimatorInfo = INFO

    def relative(self, rgb) -> torch.Tensor:
        depth = np.asarray(rgb)[..., 0].astype(np.float32)
        return torch.from_numpy(depth / np.float32(np.percentile(depth, 98))).clamp(1e-3, 1)

    def predict(self, rgb, focal_px=None) -> Prediction:
        if self.calls == self.fails_at:
            raise KeyboardInterrupt
        self.calls += 1
        self.sizes.append(rgb.shape[:2])
        focal = torch.tensor(float("nan") if focal_px is None else float(focal_px))
        return Prediction(None, focal, None, relative_depth=self.relative(rgb))

    def refinement(self, rgb) -> torch.Tensor:
        """Means over growing grids, and at last the depth itself."""
        final = self.relative(rgb)
        coarse = [
            torch.nn.functional.interpolate(
                torch.nn.functional.adaptive_avg_pool2d(final[None, None], side), final.shape, mode="nearest"
            )[0, 0]
            for side in self.scales[:-1]
        ]
        return torch.stack([*coarse, final])


def load_relative(model: str, **options: object) -> ReadsRelative:
    """As `load_estimator`."""
    return ReadsRelative(options=options)
