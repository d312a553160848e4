# SPDX-License-Identifier: Apache-2.0
"""Steadiness and flicker against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.temporal import Steadiness, flicker, frame_scale, static_pixels

DEPTH = np.random.default_rng(0).uniform(1, 20, (8, 9))
few = settings(max_examples=25, deadline=None)
factors = st.floats(0.01, 100)


def test_alternating_scale() -> None:
    """1, 2, 1, 2: mean 1.5, standard deviation 0.5, range 1, and each step is ln 2."""
    steady = Steadiness.of([1, 2, 1, 2])
    assert (steady.mean, steady.spread, steady.peak_to_peak) == pytest.approx((1.5, 1 / 3, 2 / 3))
    assert steady.jitter == pytest.approx(math.log(2))
    assert (steady.frames, steady.missing) == (4, 0)


def test_slow_drift_has_little_jitter() -> None:
    drift, jump = Steadiness.of(np.linspace(1, 2, 101).tolist()), Steadiness.of([1, 2] * 50)
    assert drift.peak_to_peak == pytest.approx(1 / 1.5)
    assert drift.jitter == pytest.approx(math.log(2) / 100)
    assert jump.jitter == pytest.approx(math.log(2))


def test_missing_frames_are_counted_and_not_bridged() -> None:
    steady = Steadiness.of([1, math.nan, 3, 3, 0])
    assert (steady.frames, steady.missing, steady.jitter) == (3, 2, 0)
    assert steady.mean == pytest.approx(7 / 3)
    assert math.isnan(Steadiness.of([]).mean)
    assert math.isnan(Steadiness.of([2.0]).jitter)


@few
@given(values=st.lists(st.floats(0.1, 10), min_size=2, max_size=20), factor=factors)
def test_the_unit_does_not_matter(values: list[float], factor: float) -> None:
    one, other = Steadiness.of(values), Steadiness.of([factor * x for x in values])
    assert other.spread == pytest.approx(one.spread, abs=1e-9)
    assert other.peak_to_peak == pytest.approx(one.peak_to_peak, abs=1e-9)
    assert other.jitter == pytest.approx(one.jitter, abs=1e-9)


@few
@given(factor=factors)
def test_scale_of_a_frame(factor: float) -> None:
    assert frame_scale(DEPTH / factor, DEPTH) == pytest.approx(factor)


def test_scale_of_a_frame_without_truth() -> None:
    assert math.isnan(frame_scale(DEPTH, np.full_like(DEPTH, np.nan)))


def test_scale_of_a_frame_is_the_median_of_ten_pixels_or_more() -> None:
    rng = np.random.default_rng(1)
    predicted, truth = rng.uniform(1, 20, (2, 8, 9))
    mask = np.zeros(truth.shape, bool)
    mask.flat[:9] = True
    assert math.isnan(frame_scale(predicted, truth, mask))
    mask.flat[9] = True
    assert frame_scale(predicted, truth, mask) == pytest.approx(np.median(truth.flat[:10] / predicted.flat[:10]))
    with pytest.raises(InputError, match="shape"):
        frame_scale(predicted[1:], truth)


def test_flicker_is_the_median_of_the_logarithm_s_size() -> None:
    rng = np.random.default_rng(2)
    before, after = rng.uniform(1, 2, (2, 31, 40)).astype(np.float32)
    expected = np.median(np.abs(np.log(after.astype(float)) - np.log(before.astype(float))))
    assert flicker(before, after) == pytest.approx(expected, abs=1e-7)


@few
@given(factor=factors)
def test_flicker_of_a_scale(factor: float) -> None:
    """ln k, either way."""
    assert flicker(DEPTH, factor * DEPTH) == pytest.approx(abs(math.log(factor)), abs=1e-12)
    assert flicker(factor * DEPTH, DEPTH) == pytest.approx(abs(math.log(factor)), abs=1e-12)


def test_flicker_looks_where_nothing_moves() -> None:
    after = DEPTH.copy()
    after[:6] *= 3
    static = np.zeros(DEPTH.shape, bool)
    static[6:] = True
    assert flicker(DEPTH, after, static) == 0
    assert flicker(DEPTH, after) == pytest.approx(math.log(3))


def test_flicker_without_pixels() -> None:
    assert math.isnan(flicker(DEPTH, np.full_like(DEPTH, np.nan)))
    assert math.isnan(flicker(DEPTH, DEPTH, np.zeros(DEPTH.shape, bool)))


def test_static_pixels_change_little_in_every_channel() -> None:
    before = np.full((1, 4, 3), 100, np.uint8)
    after = before.copy()
    after[0, 1] += 8
    after[0, 2, 1] += 9
    after[0, 3, 2] = 0
    assert static_pixels(before, after).tolist() == [[True, True, False, False]]
    with pytest.raises(InputError, match="shape"):
        static_pixels(before, after[:, 1:])
