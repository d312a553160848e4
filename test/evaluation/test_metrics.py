# SPDX-License-Identifier: Apache-2.0
"""Metrics against closed forms, sums over single pixels, and what they must not depend on."""

from __future__ import annotations

import dataclasses
import math
import statistics
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.alignment import Alignment, AlignmentMode
from depthpro_ros.evaluation.metrics import DepthScores, ScoredImage, score_alignments, score_depth, score_image

TRUTH = np.random.default_rng(0).uniform(1, 20, (30, 40))
DELTAS = ("delta_102", "delta_103", "delta_105", "delta_110", "delta1", "delta2", "delta3")
LIMITS = (1.02, 1.03, 1.05, 1.1, 1.25, 1.25**2, 1.25**3)
MEANS = ("abs_rel", "sq_rel", "sq_rel_kitti", "rmse", "mae", "rmse_log", "log10", "silog", "bias")

few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**32 - 1)
factors = st.floats(0.01, 100)


def noisy(seed: int, shape: tuple[int, int] = (9, 11)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.uniform(1, 20, shape)
    return truth * np.exp(rng.normal(0, 0.2, shape)), truth


def by_pixel(predicted: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """The definitions, one pixel at a time."""
    pairs = list(zip(predicted.ravel().tolist(), truth.ravel().tolist(), strict=True))
    e = [math.log(p) - math.log(d) for p, d in pairs]
    scores = {
        "abs_rel": statistics.fmean(abs(p - d) / d for p, d in pairs),
        "sq_rel": statistics.fmean((p - d) ** 2 / d for p, d in pairs),
        "sq_rel_kitti": statistics.fmean((p - d) ** 2 / d**2 for p, d in pairs),
        "rmse": math.sqrt(statistics.fmean((p - d) ** 2 for p, d in pairs)),
        "mae": statistics.fmean(abs(p - d) for p, d in pairs),
        "rmse_log": math.sqrt(statistics.fmean(x**2 for x in e)),
        "log10": statistics.fmean(abs(math.log10(p) - math.log10(d)) for p, d in pairs),
        "silog": 100 * statistics.pstdev(e),
        "median_log": 100 * abs(statistics.median(e)),
        "bias": statistics.fmean((p - d) / d for p, d in pairs),
        "ratio": statistics.median(p / d for p, d in pairs),
    }
    for name, limit in zip(DELTAS, LIMITS, strict=True):
        scores[name] = statistics.fmean(max(p / d, d / p) < limit for p, d in pairs)
    return scores


@pytest.mark.parametrize("shape", [(1, 1), (6, 7), (7, 7)])
def test_definitions(shape: tuple[int, int]) -> None:
    predicted, truth = noisy(1, shape)
    scores = score_depth(predicted, truth)
    for name, value in by_pixel(predicted, truth).items():
        assert getattr(scores, name) == pytest.approx(value, rel=1e-9, abs=1e-12), name


def test_definitions_on_many_pixels() -> None:
    """More than are summed at a time."""
    predicted, truth = noisy(2, (300, 301))
    scores = score_depth(predicted, truth)
    e = np.log(predicted) - np.log(truth)
    assert scores.silog == pytest.approx(100 * np.std(e))
    assert scores.rmse_log == pytest.approx(np.sqrt(np.mean(e**2)))
    assert scores.rmse == pytest.approx(np.linalg.norm(predicted - truth) / np.sqrt(truth.size))
    assert scores.abs_rel == pytest.approx(np.mean(np.abs(predicted / truth - 1)))
    assert scores.median_log == pytest.approx(100 * abs(np.median(e)))
    assert scores.delta_105 == np.mean(np.abs(e) < np.log(1.05))


def test_perfect_prediction() -> None:
    scores = score_depth(TRUTH, TRUTH)
    assert (scores.abs_rel, scores.delta1, scores.pixels, scores.invalid) == (0, 1, 1200, 0)
    assert all(getattr(scores, name) == 0 for name in (*MEANS, "median_log"))
    assert all(getattr(scores, name) == 1 for name in (*DELTAS, "ratio"))


@pytest.mark.parametrize(("factor", "delta1"), [(1.2499, 1), (1.25, 0), (1 / 1.2499, 1), (0.79, 0), (3.0, 0)])
def test_wrong_scale(factor: float, delta1: float) -> None:
    """abs_rel = |k - 1|; delta1 falls from 1 to 0 at k = 1.25, strictly."""
    scores = score_depth(TRUTH.round() * factor, TRUTH.round())
    assert scores.abs_rel == pytest.approx(abs(factor - 1))
    assert scores.delta1 == delta1


@few
@given(factor=factors)
def test_a_wrong_scale_is_all_bias(factor: float) -> None:
    """For p = k d: rmse_log = |ln k|, log10 = |log10 k|, medianlog = 100 |ln k|, bias = k - 1, and silog = 0."""
    scores = score_depth(TRUTH * factor, TRUTH)
    assert scores.rmse_log == pytest.approx(abs(math.log(factor)), abs=1e-12)
    assert scores.log10 == pytest.approx(abs(math.log10(factor)), abs=1e-12)
    assert scores.median_log == pytest.approx(100 * abs(math.log(factor)), abs=1e-10)
    assert scores.bias == pytest.approx(factor - 1, rel=1e-9, abs=1e-12)
    assert scores.ratio == pytest.approx(factor)
    assert scores.sq_rel_kitti == pytest.approx((factor - 1) ** 2, rel=1e-9, abs=1e-12)
    assert scores.silog == pytest.approx(0, abs=1e-10)


@few
@given(seed=seeds, factor=factors)
def test_silog_does_not_see_the_scale(seed: int, factor: float) -> None:
    predicted, truth = noisy(seed)
    assert score_depth(predicted * factor, truth).silog == pytest.approx(score_depth(predicted, truth).silog)


@few
@given(seed=seeds)
def test_order_of_pixels_does_not_matter(seed: int) -> None:
    predicted, truth = noisy(seed)
    order = np.random.default_rng(seed).permutation(truth.size)
    shuffled = score_depth(predicted.ravel()[order][None], truth.ravel()[order][None])
    scores = score_depth(predicted, truth)
    for name in (*MEANS, *DELTAS, "median_log", "ratio"):
        assert getattr(shuffled, name) == pytest.approx(getattr(scores, name), abs=1e-12)


@few
@given(seed=seeds)
def test_what_a_metric_can_be(seed: int) -> None:
    """Each delta contains the stricter ones, mae <= rmse (Jensen), and |bias| <= abs_rel."""
    scores = score_depth(*noisy(seed))
    deltas = [getattr(scores, name) for name in DELTAS]
    assert deltas == sorted(deltas)
    assert scores.mae <= scores.rmse
    assert abs(scores.bias) <= scores.abs_rel
    assert scores.silog / 100 <= scores.rmse_log


def test_alignment_removes_the_scale_and_reports_it() -> None:
    scores = score_depth(TRUTH / 7, TRUTH, align=True)
    assert scores.scale == pytest.approx(7)
    assert scores.abs_rel == pytest.approx(0, abs=1e-12)
    assert scores.alignment == "median_scale"
    assert score_depth(TRUTH, TRUTH).alignment == "none"


def test_alignment_by_name_and_one_from_elsewhere() -> None:
    by_name = score_depth(2 * TRUTH + 1, TRUTH, align="affine_depth")
    assert (by_name.abs_rel, by_name.scale) == (pytest.approx(0, abs=1e-12), pytest.approx(0.5))
    given_one = score_depth(TRUTH / 3, TRUTH, align=Alignment("lsq_scale", "lsq_scale", 3.0))
    assert (given_one.abs_rel, given_one.alignment) == (pytest.approx(0, abs=1e-12), "lsq_scale")


def test_a_failed_alignment_is_flagged() -> None:
    scores = score_depth(30 - TRUTH, TRUTH, align="affine_depth")
    assert (scores.alignment, scores.alignment_flag) == ("median_scale", "negative_scale")


def test_alignment_that_leaves_no_depth_is_invalid() -> None:
    shifted = Alignment("affine_depth", "affine_depth", 1.0, -5.0, nearest_m=0.0)
    assert score_depth(TRUTH, TRUTH, align=shifted).invalid == np.count_nonzero(TRUTH <= 5)


def test_invalid_predictions_are_misses() -> None:
    predicted = TRUTH.copy()
    predicted.flat[:300] = [math.nan, math.inf, 0.0] * 100
    scores = score_depth(predicted, TRUTH)
    assert scores.invalid == 300
    assert scores.invalid_share == 0.25
    assert scores.delta1_complement == pytest.approx(0.25)
    assert all(getattr(scores, name) == pytest.approx(0.75) for name in DELTAS)
    assert scores.abs_rel == 0


def test_invalid_predictions_can_be_ignored_but_are_counted() -> None:
    predicted = TRUTH.copy()
    predicted.flat[:300] = np.nan
    scores = score_depth(predicted, TRUTH, invalid="ignore")
    assert (scores.delta1, scores.invalid) == (1, 300)


def test_invalid_predictions_can_be_an_error() -> None:
    predicted = TRUTH.copy()
    predicted[3, 4] = -1.0
    assert score_depth(TRUTH, TRUTH, invalid="error").delta1 == 1
    with pytest.raises(InputError, match="1 of 1200"):
        score_depth(predicted, TRUTH, invalid="error")


def test_nothing_predicted() -> None:
    scores = score_depth(np.zeros_like(TRUTH), TRUTH)
    assert (scores.delta1, scores.invalid, scores.scale) == (0, 1200, 1)
    assert all(math.isnan(getattr(scores, name)) for name in (*MEANS, "median_log", "ratio"))


def test_pixels_without_truth_do_not_count() -> None:
    truth = TRUTH.copy()
    truth.flat[:4] = [math.nan, math.inf, 0.0, 81.0]
    assert score_depth(TRUTH, truth).pixels == 1196
    assert math.isnan(score_depth(TRUTH, np.zeros_like(TRUTH)).abs_rel)
    assert math.isnan(score_depth(TRUTH, np.zeros_like(TRUTH)).delta1)


def test_mask_equals_a_crop() -> None:
    mask = np.zeros(TRUTH.shape, bool)
    mask[5:20, 3:30] = True
    predicted, _ = noisy(0, TRUTH.shape)
    assert score_depth(predicted, TRUTH, mask=mask) == score_depth(predicted[5:20, 3:30], TRUTH[5:20, 3:30])


@few
@given(seed=seeds, rows=st.integers(0, 9))
def test_sums_of_parts_are_the_sum_of_the_whole(seed: int, rows: int) -> None:
    predicted, truth = noisy(seed)
    predicted.flat[::13] = np.nan
    everywhere = np.ones(truth.shape, bool)
    parts = [
        score_image(predicted[part], truth[part], mask=everywhere[part]).sums for part in (np.s_[:rows], np.s_[rows:])
    ]
    pooled = DepthScores.of_sums(parts[0] + parts[1])
    whole = score_depth(predicted, truth)
    for name in (*MEANS, *DELTAS, "pixels", "invalid"):
        assert getattr(pooled, name) == pytest.approx(getattr(whole, name), abs=1e-12), name
    assert math.isnan(pooled.median_log)


ALIGNMENTS = get_args(AlignmentMode)


def assert_equal(one: ScoredImage, other: ScoredImage) -> None:
    for part, other_part in ((one.scores, other.scores), (one.sums, other.sums)):
        for field in dataclasses.fields(part):
            expected = getattr(other_part, field.name)
            if not isinstance(expected, str):
                expected = pytest.approx(expected, rel=1e-12, abs=1e-13, nan_ok=True)
            assert getattr(part, field.name) == expected, field.name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_alignments_at_once_are_those_one_by_one(dtype: type) -> None:
    """Of more pixels than are summed at a time, some without ground truth, some without prediction."""
    predicted, truth = (x.astype(dtype) for x in noisy(3, (200, 301)))
    truth[::7, ::3] = np.nan
    predicted[::5, 1::4] = 0
    mask = np.random.default_rng(3).random(truth.shape) > 0.1
    together = score_alignments(predicted, truth, mask=mask, alignments=ALIGNMENTS)
    assert tuple(together) == ALIGNMENTS
    for mode, scored in together.items():
        assert_equal(scored, score_image(predicted, truth, mask=mask, align=mode))


@pytest.mark.parametrize("mode", ALIGNMENTS)
def test_float32_maps_are_scored_in_float64(mode: AlignmentMode) -> None:
    single = [x.astype(np.float32) for x in noisy(4, (60, 70))]
    double = [x.astype(np.float64) for x in single]
    mask = np.ones(single[0].shape, bool)
    assert_equal(score_image(*single, mask=mask, align=mode), score_image(*double, mask=mask, align=mode))


@few
@given(seed=seeds)
@pytest.mark.parametrize("mode", ALIGNMENTS)
def test_aligned_scores_are_those_of_the_aligned_prediction(mode: AlignmentMode, seed: int) -> None:
    """By the definitions, one pixel at a time."""
    predicted, truth = noisy(seed)
    scored = score_alignments(predicted, truth, mask=np.ones(truth.shape, bool), alignments=["none", mode])[mode]
    aligned = Alignment(
        mode, mode, scored.scores.scale, _shift(predicted, truth, mode), nearest_m=truth.min(), farthest_m=truth.max()
    )
    for name, value in by_pixel(aligned.apply(predicted), truth).items():
        assert getattr(scored.scores, name) == pytest.approx(value, rel=1e-9, abs=1e-11), name


def _shift(predicted: np.ndarray, truth: np.ndarray, mode: AlignmentMode) -> float:
    if mode not in ("affine_depth", "affine_disparity"):
        return 0.0
    power = 1 if mode == "affine_depth" else -1
    return float(np.polyfit(predicted.ravel() ** power, truth.ravel() ** power, 1)[1])


def test_alignments_of_no_pixels() -> None:
    nothing = np.zeros(TRUTH.shape, bool)
    for mode, scored in score_alignments(TRUTH, TRUTH, mask=nothing, alignments=ALIGNMENTS).items():
        assert scored.scores.pixels == 0
        assert math.isnan(scored.scores.abs_rel)
        assert scored.scores.alignment_flag == ("" if mode == "none" else "few_pixels")
    assert score_alignments(TRUTH, TRUTH, mask=nothing, alignments=[]) == {}


@pytest.mark.parametrize("factor", [1.25, 1.25**2, 1.02, 1.1, 1 / 1.25, 1 / 1.25**2])
def test_a_ratio_at_a_limit_is_not_below_it(factor: float) -> None:
    """Whichever of the two is greater, and whatever the rounding of ratios and logarithms."""
    scores = score_depth(TRUTH.round() * factor, TRUTH.round())
    away = max(factor, 1 / factor)
    assert [getattr(scores, name) for name in DELTAS] == [float(away < limit * (1 - 1e-9)) for limit in LIMITS]


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="shape"):
        score_depth(TRUTH[1:], TRUTH)


@pytest.mark.parametrize("wrong", [{"invalid": "drop"}, {"align": "mean"}])
def test_unknown_options(wrong: dict) -> None:
    with pytest.raises(InputError, match="use one of"):
        score_depth(TRUTH, TRUTH, **wrong)


def test_unknown_alignment_among_others() -> None:
    with pytest.raises(InputError, match="use one of"):
        score_alignments(TRUTH, TRUTH, mask=TRUTH > 0, alignments=["none", "mean"])  # type: ignore[list-item]
