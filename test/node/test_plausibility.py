# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from depthpro_ros.errors import PredictionError
from depthpro_ros.models.estimator import Prediction
from depthpro_ros.node.plausibility import check_prediction

METRIC = Prediction(torch.full((3, 4), 2.0), torch.tensor(50.0), None)
RELATIVE = Prediction(None, torch.tensor(math.nan), None, relative_depth=torch.full((3, 4), 0.5))


def with_one(value: float, of: float) -> torch.Tensor:
    depth = torch.full((3, 4), of)
    depth[2, 1] = value
    return depth


@pytest.mark.parametrize(
    ("prediction", "focal_px"),
    [
        (METRIC, None),
        (METRIC, 50.0),
        (METRIC, 50.01),  # float32 and half precision round
        (replace(METRIC, depth_m=with_one(1e-4, 1e4)), None),  # the network's nearest, and its sky
        (replace(METRIC, reference_m=torch.ones(3, 4)), None),
        (RELATIVE, None),
        (RELATIVE, 40.0),
        (replace(RELATIVE, relative_depth=with_one(math.nan, 1.0)), None),
        (replace(RELATIVE, relative_depth=with_one(0.0, 1.0)), None),
    ],
)
def test_depth_passes(prediction: Prediction, focal_px: float | None) -> None:
    before = prediction.metres.clone() if prediction.depth_m is not None else None
    check_prediction(prediction, 3, 4, focal_px)
    if before is not None:
        assert torch.equal(prediction.metres, before)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, 0.0])
def test_one_impossible_pixel_is_too_much(value: float) -> None:
    for field in ("depth_m", "reference_m"):
        with pytest.raises(PredictionError, match=f"{field} is finite and above 0 at 11 of 12 pixels"):
            check_prediction(replace(METRIC, **{field: with_one(value, 2.0)}), 3, 4, None)


@pytest.mark.parametrize(
    "depth", [torch.full((3, 4), math.nan), torch.zeros(3, 4), with_one(-0.1, 1.0), with_one(math.inf, 1.0)]
)
def test_depth_up_to_scale_that_is_none(depth: torch.Tensor) -> None:
    with pytest.raises(PredictionError, match="relative_depth"):
        check_prediction(replace(RELATIVE, relative_depth=depth), 3, 4, None)


@pytest.mark.parametrize("depth", [torch.ones(4, 3), torch.ones(1, 3, 4), torch.ones(3, 4).double()])
def test_depth_of_another_form(depth: torch.Tensor) -> None:
    with pytest.raises(PredictionError, match=r"expected torch.float32 \[3, 4\]"):
        check_prediction(replace(METRIC, depth_m=depth), 3, 4, None)


@pytest.mark.parametrize("focal_px", [math.nan, math.inf, 0.0, -50.0])
def test_a_focal_length_that_is_none(focal_px: float) -> None:
    with pytest.raises(PredictionError, match="focal_px"):
        check_prediction(replace(METRIC, focal_px=torch.tensor(focal_px)), 3, 4, None)


def test_depth_made_with_another_focal_length_than_was_given() -> None:
    with pytest.raises(PredictionError, match="used a focal length of 50.0 px, it was given 51.0 px"):
        check_prediction(METRIC, 3, 4, 51.0)
