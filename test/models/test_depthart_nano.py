# SPDX-License-Identifier: Apache-2.0
"""The bundled model up to scale: small enough, and better than a predictor that looks at no pixel."""

from __future__ import annotations

import pytest

from depthpro_ros import load_estimator
from depthpro_ros.evaluation.held_out import HELD_OUT_SEEDS, fit_trivial, held_out_frames
from depthpro_ros.evaluation.held_out_relative import RelativeScore, score_frames
from depthpro_ros.models.registry import DEPTHART_WEIGHTS

SCENES = 96


def scores_on(seeds: range) -> dict[str, RelativeScore]:
    estimator = load_estimator("depthart_ar", device="cpu", precision="float32")
    frames = (batch for batch, _ in held_out_frames(seeds))
    return {
        score.predictor: score for score in score_frames(estimator, fit_trivial(range(1_000_000, 1_000_064)), frames)
    }


def test_is_at_most_16_megabytes() -> None:
    assert DEPTHART_WEIGHTS.stat().st_size <= 16e6


def test_is_better_than_the_mean_depth_map() -> None:
    scores = scores_on(range(SCENES))
    assert scores["depthart_ar"].abs_rel < 0.75 * scores["mean_map"].abs_rel


@pytest.mark.slow
def test_is_within_a_quarter_on_all_held_out_scenes() -> None:
    assert scores_on(HELD_OUT_SEEDS)["depthart_ar"].abs_rel < 0.25
