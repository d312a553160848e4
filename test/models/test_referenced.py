# SPDX-License-Identifier: Apache-2.0
"""Two models as one: whose answer is whose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch

from depthpro_ros.errors import InputError
from depthpro_ros.models.estimator import EstimatorInfo, Prediction
from depthpro_ros.models.referenced import ReferencedEstimator

METRIC = EstimatorInfo("metric", "m", 10, "cpu", "float32", approximations=("coarse",))
RELATIVE = EstimatorInfo("relative", "r", 3, "cpu", "float32", notice="a stand-in", metric=False)


@dataclass
class Fake:
    """Says the mean of each image, in metres or without a unit, and for the focal length its width."""

    info: EstimatorInfo
    warmed_up_for: list[int] = field(default_factory=list)

    def predict(self, rgb, focal_px=None) -> Prediction:
        value = torch.full(rgb.shape[:2], float(np.mean(rgb)))
        if not self.info.metric:
            unknown = torch.tensor(np.nan if focal_px is None else focal_px)
            return Prediction(None, unknown, None, relative_depth=value / 255)
        focal = rgb.shape[1] if focal_px is None else focal_px
        return Prediction(value, torch.tensor(float(focal)), torch.tensor(53.1) if focal_px is None else None)

    def predict_many(self, images: Sequence[np.ndarray], focals_px: Sequence[float | None]) -> list[Prediction]:
        return [self.predict(rgb, focal) for rgb, focal in zip(images, focals_px, strict=True)]

    def warm_up(self, images: int) -> None:
        self.warmed_up_for.append(images)


def image(grey: int, width: int = 8) -> np.ndarray:
    return np.full((4, width, 3), grey, np.uint8)


def test_the_depth_is_the_relative_models_and_metres_and_focal_the_references() -> None:
    both = ReferencedEstimator(Fake(RELATIVE), Fake(METRIC)).predict(image(51))
    assert both.depth_m is None and both.relative_depth is not None and both.reference_m is not None
    assert both.relative_depth.unique().tolist() == pytest.approx([0.2])
    assert both.reference_m.unique().tolist() == [51.0]
    assert float(both.focal_px) == 8.0 and float(both.fov_deg) == pytest.approx(53.1)


def test_images_of_a_batch_are_not_exchanged() -> None:
    model = ReferencedEstimator(Fake(RELATIVE), Fake(METRIC))
    several = model.predict_many([image(10), image(20, 16)], [None, 33.0])
    assert [p.reference_m.mean() for p in several if p.reference_m is not None] == [10.0, 20.0]
    assert [p.relative_depth.shape for p in several if p.relative_depth is not None] == [(4, 8), (4, 16)]
    assert [float(p.focal_px) for p in several] == [8.0, 33.0]


def test_what_is_known_of_both_is_said() -> None:
    info = ReferencedEstimator(Fake(RELATIVE), Fake(replace(METRIC, notice="old"))).info
    assert not info.metric and info.name == "relative" and info.parameters == 13
    assert info.notice == "a stand-in; the reference, metric: old"
    assert info.approximations == ("the reference, metric: coarse",)


def test_both_are_warmed_up() -> None:
    relative, reference = Fake(RELATIVE), Fake(METRIC)
    ReferencedEstimator(relative, reference).warm_up(3)
    assert relative.warmed_up_for == reference.warmed_up_for == [3]


def test_the_roles_cannot_be_exchanged() -> None:
    with pytest.raises(InputError, match="metric's depth is in metres already"):
        ReferencedEstimator(Fake(METRIC), Fake(METRIC))
    with pytest.raises(InputError, match="relative's depth is up to scale too"):
        ReferencedEstimator(Fake(RELATIVE), Fake(RELATIVE))
