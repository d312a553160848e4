# SPDX-License-Identifier: Apache-2.0
"""Scores of a confidence against SciPy and cases that can be worked out, and the calibration on a few scenes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from depthpro_ros.confidence import ERROR, POWER
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.confidence import Pixels, collect, fit, main, scores_of
from depthpro_ros.evaluation.confidence_page import page
from depthpro_ros.evaluation.confidence_scores import (
    FRACTIONS,
    rank_correlation,
    score_confidence,
    sparsification,
)
from depthpro_ros.models import load_estimator

RNG = np.random.default_rng(0)
ERRORS = RNG.lognormal(-2, 1, 5000)
IMAGES = np.repeat(np.arange(5), 1000)


@pytest.fixture(scope="module")
def pixels() -> Pixels:
    """Of a few held-out scenes, as the bundled model sees them."""
    return collect(load_estimator("depth_pro_nano", device="cpu"), range(8))


def test_ranks_are_correlated_as_scipy_does_it() -> None:
    a, b = RNG.normal(size=300), RNG.integers(0, 9, 300).astype(np.float64)
    assert rank_correlation(a + 0.2 * b, b) == pytest.approx(stats.spearmanr(a + 0.2 * b, b).statistic)
    assert np.isnan(rank_correlation(a, np.ones(300)))


def test_who_knows_the_errors_is_the_oracle() -> None:
    scores = score_confidence(1 / (1 + ERRORS), ERRORS, ERRORS, IMAGES)
    assert (scores.rank, scores.rank_in_image, scores.metric_rank) == pytest.approx((1, 1, 1))
    assert scores.ause == pytest.approx(0, abs=1e-12)
    medians = [b.median for b in scores.bins]
    assert medians == sorted(medians, reverse=True)
    assert (scores.pixels, scores.images) == (5000, 5)


def test_who_knows_nothing_is_chance() -> None:
    random = score_confidence(RNG.uniform(size=5000), ERRORS, ERRORS, IMAGES)
    assert random.ause == pytest.approx(1, abs=0.15) and random.rank == pytest.approx(0, abs=0.05)
    alike = score_confidence(np.full(5000, 0.5), ERRORS, ERRORS, IMAGES)
    np.testing.assert_allclose(alike.curve, 1)
    assert alike.ause == pytest.approx(1)


def test_leaving_out_half_of_the_pixels_leaves_the_mean_of_the_others() -> None:
    error, confidence = np.array([4.0, 1.0, 2.0, 1.0]), np.array([0.1, 0.9, 0.2, 0.8])
    curve = sparsification(confidence, error)
    assert curve[0] == 1
    assert curve[FRACTIONS == 0.5] == pytest.approx((1 + 1) / 2 / 2)
    assert curve[FRACTIONS == 0.25] == pytest.approx((1 + 1 + 2) / 3 / 2)


def test_too_few_pixels_are_refused() -> None:
    with pytest.raises(InputError, match="3 pixels are too few"):
        score_confidence(np.ones(3), np.ones(3), np.ones(3), np.arange(3))


def test_the_fit_finds_the_constants_that_errors_were_made_with() -> None:
    uneven = RNG.lognormal(-3, 1.5, 50_000)
    confidence = 1 / (1 + ERROR * uneven**POWER)
    error = 0.6 * uneven**0.5 * RNG.lognormal(0, 0.5, 50_000)
    nothing = np.zeros(50_000)
    found = fit(Pixels(confidence, error, error, nothing, nothing, nothing.astype(np.int64)))
    assert found == pytest.approx((0.6, 0.5), rel=0.1)


def test_of_held_out_scenes_the_least_confident_quarter_errs_more_than_the_most_confident(pixels: Pixels) -> None:
    low, high = np.quantile(pixels.confidence, (0.25, 0.75))
    assert pixels.error[pixels.confidence <= low].mean() > 1.5 * pixels.error[pixels.confidence >= high].mean()


def test_on_held_out_scenes_it_is_better_than_chance_and_says_an_error_of_the_right_size(pixels: Pixels) -> None:
    scores = scores_of(pixels)["confidence"]
    assert scores.rank > 0.15 and scores.ause < 0.8
    said = np.median(1 / pixels.confidence - 1)
    assert said == pytest.approx(np.median(pixels.error), rel=0.5)


def test_the_page_has_every_bin_and_the_way_to_make_it_again(pixels: Pixels) -> None:
    scores = scores_of(pixels)
    text = page(scores, "/somewhere/depth_pro_nano", 8, "cpu", 3.14)
    assert all(f"| {b.confidence:.3f} | " in text for b in scores["confidence"].bins)
    assert "evaluation.confidence --model depth_pro_nano --scenes 8 " in text and "/somewhere" not in text
    assert "takes 3.1 ms (one thread of a CPU" in text


def test_scenes_that_do_not_exist_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--scenes", "257"])
    assert "--scenes is 257, expected 1 to 256" in capsys.readouterr().err


def test_the_documented_constants_are_the_ones_in_use() -> None:
    text = (Path(__file__).parents[2] / "docs" / "confidence.md").read_text(encoding="utf-8")
    assert f"e = {ERROR:g} · (bend + " in text and f") ^ {POWER:g}" in text
