# SPDX-License-Identifier: Apache-2.0
"""The bundled model: small enough, and better than predictors that look at no pixel."""

from __future__ import annotations

import pytest

from depthpro_ros import load_estimator
from depthpro_ros.evaluation.comparison import Result
from depthpro_ros.evaluation.held_out import FITTING_SEEDS, HELD_OUT_SEEDS, evaluate, fit_trivial
from depthpro_ros.evaluation.held_out_page import table
from depthpro_ros.models.registry import NANO_WEIGHTS
from depthpro_ros.training.data.scenes import FIRST_TRAINING_SEED


@pytest.fixture(
    scope="module", params=[pytest.param(8, id="every eighth scene"), pytest.param(1, id="all", marks=pytest.mark.slow)]
)
def result(request: pytest.FixtureRequest) -> Result:
    """Of held-out scenes, beside predictors that were fitted to as large a share of theirs."""
    step: int = request.param
    estimator = load_estimator("depth_pro_nano", device="cpu", precision="float32")
    return evaluate(estimator, HELD_OUT_SEEDS[::step], trivial=fit_trivial(FITTING_SEEDS[::step]))


def test_is_at_most_16_megabytes() -> None:
    assert NANO_WEIGHTS.stat().st_size <= 16e6


def test_held_out_scenes_are_held_out() -> None:
    assert len(HELD_OUT_SEEDS) == 256
    assert max(HELD_OUT_SEEDS) < FIRST_TRAINING_SEED <= min(FITTING_SEEDS)


def test_shape_is_25_percent_better_than_the_best_trivial_predictor(result: Result) -> None:
    assert result.abs_rel_ratio <= 0.75, table([result])


def test_metric_depth_is_25_percent_better_than_the_best_trivial_predictor(result: Result) -> None:
    assert result.delta1_ratio >= 1.25, table([result])
