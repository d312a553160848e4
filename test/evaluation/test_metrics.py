# SPDX-License-Identifier: Apache-2.0
"""Metrics against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from depthpro_ros.evaluation.metrics import score_depth

TRUTH = np.random.default_rng(0).uniform(1, 20, (30, 40))


def test_perfect_prediction() -> None:
    scores = score_depth(TRUTH, TRUTH)
    assert (scores.abs_rel, scores.delta1, scores.pixels, scores.invalid) == (0, 1, 1200, 0)


@pytest.mark.parametrize(("factor", "delta1"), [(1.2499, 1), (1.25, 0), (1 / 1.2499, 1), (0.79, 0), (3.0, 0)])
def test_wrong_scale(factor: float, delta1: float) -> None:
    """abs_rel = |k - 1|; delta1 falls from 1 to 0 at k = 1.25, strictly."""
    scores = score_depth(TRUTH.round() * factor, TRUTH.round())
    assert scores.abs_rel == pytest.approx(abs(factor - 1))
    assert scores.delta1 == delta1


def test_alignment_removes_the_scale_and_reports_it() -> None:
    scores = score_depth(TRUTH / 7, TRUTH, align=True)
    assert scores.scale == pytest.approx(7)
    assert scores.abs_rel == pytest.approx(0, abs=1e-12)


def test_invalid_predictions_are_misses() -> None:
    predicted = TRUTH.copy()
    predicted.flat[:300] = [math.nan, math.inf, 0.0] * 100
    scores = score_depth(predicted, TRUTH)
    assert scores.invalid == 300
    assert scores.delta1 == pytest.approx(0.75)
    assert scores.abs_rel == 0


def test_pixels_without_truth_do_not_count() -> None:
    truth = TRUTH.copy()
    truth.flat[:4] = [math.nan, math.inf, 0.0, 81.0]
    assert score_depth(TRUTH, truth).pixels == 1196
    assert math.isnan(score_depth(TRUTH, np.zeros_like(TRUTH)).abs_rel)


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="shape"):
        score_depth(TRUTH[1:], TRUTH)
