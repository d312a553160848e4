# SPDX-License-Identifier: Apache-2.0
"""The depth node with a model that returns a smooth random depth at once: what is left is what the node itself costs.

python -m depthpro_ros.bench.random_depth --ros-args ...
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from depthpro_ros.models.estimator import EstimatorInfo, Focal, Prediction, Rgb


class RandomDepth:
    """A model that takes no time worth counting; what it takes is subtracted. It needs to be given focal lengths."""

    info = EstimatorInfo("random", "none", 0, "cpu", "float32")

    def __init__(self) -> None:
        self._depth: dict[tuple[int, int], torch.Tensor] = {}

    def predict(self, rgb: Rgb, focal_px: Focal = None) -> Prediction:
        """Depth of one image, in memory of its own."""
        height, width = rgb.shape[:2]
        depth = self._depth.get((height, width))
        if depth is None:
            # as smooth as real depth: a third of the picture is beyond the range, some of it is edges
            coarse = torch.rand(1, 1, 12, 16, generator=torch.Generator().manual_seed(0)) * 120 + 1
            depth = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")[0, 0]
            self._depth[height, width] = depth
        focal = torch.tensor(float(focal_px))  # type: ignore[arg-type]
        return Prediction(torch.from_numpy(depth.numpy().copy()), focal, None)

    def predict_many(self, images: Sequence[NDArray[np.uint8]], focals_px: Sequence[float | None]) -> list[Prediction]:
        """Depth of each image."""
        return [self.predict(image, focal) for image, focal in zip(images, focals_px, strict=True)]


def main() -> None:
    """Run the node."""
    from depthpro_ros.node.depth_node import run

    sys.exit(run(sys.argv, load=lambda model, **_: RandomDepth()))


if __name__ == "__main__":
    main()
