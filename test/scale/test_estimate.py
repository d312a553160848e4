# SPDX-License-Identifier: Apache-2.0
"""The weighted median of scales and its gates."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthpro_ros.errors import InputError
from depthpro_ros.scale import Gates, NoScale, assumed_scale, robust_scale
from depthpro_ros.scale.estimate import weighted_median

RNG = np.random.default_rng(0)
RELATIVE = RNG.uniform(0.1, 1.0, 400)


def test_exact_samples_give_their_scale_without_spread() -> None:
    estimate = robust_scale(RELATIVE, 7.5 * RELATIVE, source="ranges", gates=Gates())
    assert estimate.scale == pytest.approx(7.5)
    assert (estimate.inliers, estimate.share, estimate.source) == (400, 1.0, "ranges")
    assert estimate.spread == pytest.approx(0, abs=1e-12)
    assert estimate.metric


def test_a_third_of_outliers_moves_it_by_less_than_the_noise() -> None:
    metres = 7.5 * RELATIVE * np.exp(0.05 * RNG.standard_normal(400))
    metres[:120] *= 5
    estimate = robust_scale(RELATIVE, metres, source="ranges", gates=Gates())
    assert estimate.scale == pytest.approx(7.5, rel=0.05)
    assert estimate.share == pytest.approx(0.7, abs=0.02)


def test_spread_is_the_median_absolute_deviation_over_the_median() -> None:
    """Of a normal distribution: 0.6745 standard deviations."""
    p = np.full(20_000, 0.5)
    metres = 2.0 * (1 + 0.1 * np.random.default_rng(1).standard_normal(p.shape))
    estimate = robust_scale(p, metres, source="ranges", gates=Gates())
    assert estimate.spread == pytest.approx(0.06745, rel=0.03)


@given(st.lists(st.tuples(st.floats(0.1, 10), st.integers(1, 5)), min_size=1, max_size=30))
def test_a_weight_is_so_many_samples(samples: list[tuple[float, int]]) -> None:
    values, weights = np.array([v for v, _ in samples]), np.array([float(w) for _, w in samples])
    repeated = np.repeat(values, weights.astype(int))
    assert weighted_median(values, weights) == weighted_median(repeated)


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=31))
def test_no_value_has_less_absolute_deviation_than_the_median(values: list[float]) -> None:
    array = np.array(values)
    least = min(np.abs(array - v).sum() for v in values)
    assert np.abs(array - weighted_median(array)).sum() == pytest.approx(least)


def test_samples_that_say_nothing_are_left_out() -> None:
    p, z, w = RELATIVE.copy(), 3.0 * RELATIVE, np.ones(400)
    p[:5] = [np.nan, np.inf, 0.0, -1.0, 0.001]
    z[5:9] = [np.nan, np.inf, 0.0, -2.0]
    w[9:12] = [np.nan, 0.0, -1.0]
    estimate = robust_scale(p, z, w, source="depth_pro", gates=Gates())
    assert estimate.scale == pytest.approx(3.0)
    assert estimate.inliers == 388


@pytest.mark.parametrize("count", [0, 1, 49])
def test_too_few_samples_are_no_scale(count: int) -> None:
    with pytest.raises(NoScale, match=f"only {count} points are usable, expected at least 50"):
        robust_scale(RELATIVE[:count], RELATIVE[:count], source="ranges", gates=Gates(), what="points")


def test_two_contradicting_halves_are_no_scale() -> None:
    metres = RELATIVE * np.where(np.arange(400) % 2, 2.0, 5.0)
    with pytest.raises(NoScale, match="50% of 400 samples agree on a scale, expected at least 55%"):
        robust_scale(RELATIVE, metres, source="ranges", gates=Gates())


def test_a_wide_spread_is_no_scale() -> None:
    metres = RELATIVE * RNG.uniform(1, 3, 400)
    robust_scale(RELATIVE, metres, source="ranges", gates=Gates(max_spread=0.4))
    with pytest.raises(NoScale, match="spread by 0.2.*at most 0.2"):
        robust_scale(RELATIVE, metres, source="ranges", gates=Gates(min_share=0.3))


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(InputError, match=r"\(3,\)"):
        robust_scale(RELATIVE[:3], RELATIVE[:4], source="ranges", gates=Gates())


def test_an_assumed_scale_is_not_metric() -> None:
    estimate = assumed_scale(12.5)
    assert (estimate.scale, estimate.metric, estimate.inliers) == (12.5, False, 0)


@pytest.mark.parametrize("d98_m", [0.0, -1.0, math.nan, math.inf])
def test_an_assumed_scale_must_be_a_length(d98_m: float) -> None:
    with pytest.raises(InputError, match="assumed_d98_m"):
        assumed_scale(d98_m)


@pytest.mark.parametrize(
    "gate", [{"min_inliers": 0}, {"min_share": 1.1}, {"max_spread": 0.0}, {"max_spread": math.nan}]
)
def test_gates_that_nothing_or_everything_passes_are_refused(gate: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(gate))):
        Gates(**gate)  # type: ignore[arg-type]
