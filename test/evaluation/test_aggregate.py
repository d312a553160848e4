# SPDX-License-Identifier: Apache-2.0
"""Means over images, scenes and pixels, and their intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.aggregate import aggregate, aggregate_scores, paired_difference, pooled
from depthpro_ros.evaluation.metrics import score_depth, score_image

few = settings(max_examples=15, deadline=None)
values = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_means_over_images_and_scenes() -> None:
    """Scene a: 1, 2, 3; scene b: 10. Over images 4, over scenes (2 + 10) / 2."""
    result = aggregate([1, 2, 3, 10], ["a", "a", "a", "b"])
    assert (result.mean, result.median, result.per_scene) == (4, 2.5, 6)
    assert (result.images, result.scenes, result.missing) == (4, 2, 0)
    assert aggregate([1, 2, 3, 10]).per_scene == 4


def test_frames_without_a_value_are_counted() -> None:
    result = aggregate([1, math.nan, 3], ["a", "b", "a"])
    assert (result.mean, result.images, result.missing, result.scenes) == (2, 2, 1, 1)
    nothing = aggregate([math.nan])
    assert math.isnan(nothing.mean) and (nothing.images, nothing.missing) == (0, 1)


def test_interval_of_many_images_is_that_of_the_normal_law() -> None:
    """mean +- 1.96 s / sqrt(n)."""
    sample = np.random.default_rng(0).normal(5, 2, 400)
    result = aggregate(sample.tolist(), samples=2000)
    half = 1.96 * sample.std() / math.sqrt(400)
    assert result.low == pytest.approx(sample.mean() - half, abs=0.1 * half)
    assert result.high == pytest.approx(sample.mean() + half, abs=0.1 * half)


def test_images_of_one_scene_do_not_narrow_the_interval() -> None:
    """20 scenes of 10 like images: drawn as images, the interval is about sqrt(10) too narrow."""
    scenes = np.repeat(np.arange(20), 10)
    sample = np.random.default_rng(0).normal(5, 2, 20)[scenes].tolist()
    by_image, by_scene = aggregate(sample), aggregate(sample, scenes.tolist())
    ratio = (by_scene.high - by_scene.low) / (by_image.high - by_image.low)
    assert ratio == pytest.approx(math.sqrt(10), rel=0.2)


@few
@given(sample=values, shift=st.floats(-5, 5))
def test_interval_moves_with_the_values_and_holds_the_mean(sample: list[float], shift: float) -> None:
    one, moved = aggregate(sample, samples=100), aggregate([x + shift for x in sample], samples=100)
    assert one == aggregate(sample, samples=100)
    assert min(sample) - 1e-12 <= one.low <= one.high <= max(sample) + 1e-12
    assert (moved.low, moved.high) == pytest.approx((one.low + shift, one.high + shift), abs=1e-9)


def test_pooled_and_mean_of_two_unequal_images() -> None:
    """Errors of 1 m on 100 pixels and 3 m on 300: RMSE over images 2, over pixels sqrt((100 + 2700) / 400)."""
    images = [(np.full((10, 10), 5.0), 1.0), (np.full((10, 30), 5.0), 3.0)]
    scored = [score_image(truth + error, truth, mask=truth > 0) for truth, error in images]
    rmse = next(x.aggregate for x in aggregate_scores([x.scores for x in scored]) if x.name == "rmse")
    assert rmse.mean == pytest.approx(2)
    together = pooled(x.sums for x in scored)
    assert together.rmse == pytest.approx(math.sqrt(7))
    assert together.abs_rel == pytest.approx((100 * 0.2 + 300 * 0.6) / 400)
    assert together.delta1 == pytest.approx(100 / 400)
    assert together.pixels == 400


def test_pooling_nothing() -> None:
    assert pooled([]).pixels == 0
    assert math.isnan(pooled([]).abs_rel)


def test_every_number_is_aggregated() -> None:
    truth = np.full((4, 5), 2.0)
    predicted = truth.copy()
    predicted[0, :2] = np.nan
    figures = {x.name: x.aggregate.mean for x in aggregate_scores([score_depth(predicted, truth)])}
    assert figures["invalid_share"] == pytest.approx(0.1)
    assert figures["delta1"] == pytest.approx(0.9)
    assert {"abs_rel", "silog", "median_log", "bias", "ratio", "pixels", "delta_102"} <= set(figures)
    assert "alignment" not in figures


def test_a_paired_difference_is_clearer_than_two_intervals() -> None:
    """b is a + 0.1 on images that differ much more among themselves."""
    a = np.random.default_rng(0).normal(5, 2, 50)
    difference = paired_difference(a.tolist(), (a + 0.1).tolist())
    assert (difference.mean, difference.low, difference.high) == pytest.approx((0.1, 0.1, 0.1))
    assert aggregate(a.tolist()).high > aggregate((a + 0.1).tolist()).low
    assert paired_difference([1.0, math.nan], [2.0, 2.0]).missing == 1


def test_wrong_input() -> None:
    with pytest.raises(InputError, match="names of scenes"):
        aggregate([1, 2], ["a"])
    with pytest.raises(InputError, match="same images"):
        paired_difference([1], [1, 2])
    with pytest.raises(InputError, match="confidence"):
        aggregate([1, 2], confidence=95)
