# SPDX-License-Identifier: Apache-2.0
"""Means over images, and ratios to the best trivial predictor."""

from __future__ import annotations

import math

import numpy as np
import pytest

from depthpro_ros.evaluation.comparison import Comparison, Row

MODEL = (Row("model", 0.1, 0.2, 0.9, 0.5), Row("model", 0.3, 0.4, 0.5, 0.1))
WORSE = (Row("worse", 0.8, 0.8, 0.2, 0.0), Row("worse", 0.8, 0.8, 0.2, 0.0))
BETTER = (Row("better", 0.4, 0.9, 0.3, 0.0), Row("better", 0.4, 0.9, 0.4, 0.0))


def test_means_are_over_images() -> None:
    mean = Row.mean(MODEL)
    assert (mean.predictor, mean.abs_rel, mean.abs_rel_metric) == ("model", pytest.approx(0.2), pytest.approx(0.3))
    assert (mean.delta1, mean.boundary_f1) == (pytest.approx(0.7), pytest.approx(0.3))


def test_images_without_truth_are_left_out() -> None:
    nothing = Row("model", math.nan, math.nan, math.nan, 0.3)
    mean = Row.mean((*MODEL, nothing))
    assert (mean.abs_rel, mean.boundary_f1) == (pytest.approx(0.2), pytest.approx(0.3))
    assert math.isnan(Row.mean([nothing]).abs_rel)


def test_ratios_are_to_the_best_of_the_trivial() -> None:
    comparison = Comparison.of("set", list(zip(MODEL, WORSE, BETTER, strict=True)))
    assert comparison.images == 2
    assert comparison.abs_rel_ratio == pytest.approx(0.2 / 0.4)
    assert comparison.delta1_ratio == pytest.approx(0.7 / 0.35)


def test_a_row_scores_with_and_without_scale() -> None:
    """Twice too far: abs_rel 1 in metres, 0 after median scale; edges are the same."""
    truth = np.random.default_rng(0).uniform(1, 20, (12, 16))
    row = Row.of("twice", 2 * truth, truth)
    assert (row.abs_rel, row.abs_rel_metric, row.delta1) == (pytest.approx(0, abs=1e-9), pytest.approx(1), 0)
    assert row.boundary_f1 == pytest.approx(1)


def test_edges_to_the_sky_are_scored_beyond_the_range() -> None:
    """A model that puts the sky at 10 km has the edge of a thing 79 m away; at 80 m it would be lost."""
    truth = np.full((12, 16), np.inf)
    truth[4:8, 4:12] = 79.0
    assert Row.of("far", np.where(np.isinf(truth), 1e4, truth), truth).boundary_f1 == pytest.approx(1)
