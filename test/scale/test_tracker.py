# SPDX-License-Identifier: Apache-2.0
"""The scale of many frames: smoothing, gate, jumps, age and clock."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthpro_ros.errors import InputError
from depthpro_ros.scale import NoScale, ScaleEstimate, ScaleSource, ScaleTracker, TrackedScale, assumed_scale

NOTHING = NoScale("nothing in view")


def estimate(scale: float, source: ScaleSource = "ranges") -> ScaleEstimate:
    """A good one."""
    return ScaleEstimate(scale, 100, 1.0, 0.01, source)


def follow(tracker: ScaleTracker, scales: list[float], start_s: float = 0.0) -> list[TrackedScale]:
    """What a tracker makes of estimates a tenth of a second apart."""
    tracked = [tracker.update(estimate(scale), start_s + 0.1 * k) for k, scale in enumerate(scales)]
    assert None not in tracked
    return tracked  # type: ignore[return-value]


def test_the_first_estimate_is_the_scale() -> None:
    assert ScaleTracker().update(estimate(1.0), 3.0) == TrackedScale(1.0, estimate(1.0), 0.0, False)


def test_there_is_none_before_the_first() -> None:
    assert ScaleTracker().update(NOTHING, 0.0) is None


def test_smoothing_is_by_logarithm() -> None:
    """Half way from 4 to 4.84 is their geometric mean, 4.4."""
    assert follow(ScaleTracker(smoothing=0.5), [4.0, 4.84])[1].scale == pytest.approx(4.4)


@given(st.floats(0.1, 1.0), st.floats(1.0, 1.2))
def test_a_constant_scale_is_approached_by_powers_of_the_rest(smoothing: float, step: float) -> None:
    """After n estimates log s is off by (1 - a)^n log(step)."""
    tracked = follow(ScaleTracker(smoothing=smoothing), [1.0] + [step] * 6)[-1]
    expected = math.log(step) * (1 - (1 - smoothing) ** 6)
    assert math.log(tracked.scale) == pytest.approx(expected, abs=1e-9)


def test_without_smoothing_every_estimate_is_the_scale() -> None:
    assert follow(ScaleTracker(smoothing=1.0), [4.0, 4.5])[1].scale == pytest.approx(4.5)


@pytest.mark.parametrize("outlier", [8.0, 2.0])
def test_one_outlier_is_not_followed_and_leaves_no_trace(outlier: float) -> None:
    tracked = follow(ScaleTracker(), [4.0, outlier, 4.0])
    assert [t.scale for t in tracked] == pytest.approx([4.0, 4.0, 4.0])
    assert tracked[1].age_s == pytest.approx(0.1)
    assert tracked[1].estimate == estimate(4.0)
    assert not any(t.jumped for t in tracked)


def test_outliers_that_disagree_are_never_followed() -> None:
    assert follow(ScaleTracker(), [4.0, 8.0, 2.0, 16.0, 1.0])[-1].scale == pytest.approx(4.0)


def test_an_outlier_between_agreeing_estimates_starts_the_count_anew() -> None:
    assert follow(ScaleTracker(), [4.0, 8.0, 8.0, 4.0, 8.0, 8.0])[-1].scale == pytest.approx(4.0)


def test_agreeing_estimates_are_followed_at_the_third() -> None:
    tracked = follow(ScaleTracker(), [4.0, 8.0, 8.0, 8.0, 8.0])
    assert [t.scale for t in tracked] == pytest.approx([4.0, 4.0, 4.0, 8.0, 8.0])
    assert [t.jumped for t in tracked] == [False, False, False, True, False]
    assert tracked[3].age_s == 0.0


def test_a_jump_is_the_geometric_mean_of_those_that_agreed() -> None:
    assert follow(ScaleTracker(), [4.0, 8.0, 9.0, 8.5])[-1].scale == pytest.approx((8 * 9 * 8.5) ** (1 / 3))


def test_frames_without_an_estimate_hold_the_scale_until_the_timeout() -> None:
    tracker = ScaleTracker(timeout_s=1.0)
    tracker.update(estimate(4.0), 10.0)
    held = tracker.update(NOTHING, 10.9)
    assert held is not None
    assert (held.scale, held.age_s) == (pytest.approx(4.0), pytest.approx(0.9))
    assert tracker.update(NOTHING, 11.1) is None
    assert tracker.update(NOTHING, 11.2) is None


def test_estimates_that_are_not_followed_do_not_keep_a_scale_alive() -> None:
    tracker = ScaleTracker(timeout_s=1.0, jump_after=100)
    tracker.update(estimate(4.0), 0.0)
    tracker.update(estimate(9.0), 0.9)
    tracked = tracker.update(estimate(9.0), 1.1)
    assert tracked is not None
    assert (tracked.scale, tracked.age_s) == (pytest.approx(9.0), 0.0)


def test_after_a_timeout_the_next_estimate_is_the_scale() -> None:
    tracker = ScaleTracker(timeout_s=1.0)
    tracker.update(estimate(4.0), 0.0)
    tracked = tracker.update(estimate(9.0), 5.0)
    assert tracked is not None
    assert tracked.scale == pytest.approx(9.0)


def test_a_clock_that_goes_back_begins_anew() -> None:
    tracker = ScaleTracker()
    follow(tracker, [4.0, 4.0], start_s=100.0)
    assert tracker.update(NOTHING, 50.0) is None
    assert follow(tracker, [9.0], start_s=50.1)[0].scale == pytest.approx(9.0)


def test_a_clock_that_stands_still_holds() -> None:
    tracker = ScaleTracker(smoothing=1.0)
    tracker.update(estimate(4.0), 1.0)
    tracked = tracker.update(estimate(4.4), 1.0)
    assert tracked is not None
    assert tracked.scale == pytest.approx(4.4)


def test_another_source_begins_anew() -> None:
    tracker = ScaleTracker()
    tracker.update(estimate(4.0), 0.0)
    tracked = tracker.update(estimate(9.0, "ground_plane"), 0.1)
    assert tracked is not None
    assert tracked.scale == pytest.approx(9.0)


def test_an_assumed_scale_is_followed_as_it_is_and_stays_unmetric() -> None:
    tracker = ScaleTracker()
    for k in range(3):
        tracked = tracker.update(assumed_scale(12.0), 0.1 * k, change=2.0)
        assert tracked is not None
        assert tracked.scale == pytest.approx(12.0)
        assert not tracked.estimate.metric


def test_a_known_change_carries_the_scale_through_frames_without_an_estimate() -> None:
    tracker = ScaleTracker()
    tracker.update(estimate(4.0), 0.0)
    for k in (1, 2):
        tracked = tracker.update(NOTHING, 0.1 * k, change=1.5)
    assert tracked is not None
    assert tracked.scale == pytest.approx(4.0 * 1.5**2)


def test_an_estimate_that_changed_as_is_known_is_no_outlier() -> None:
    tracker = ScaleTracker()
    tracker.update(estimate(4.0), 0.0)
    tracked = tracker.update(estimate(8.0), 0.1, change=2.0)
    assert tracked is not None
    assert (tracked.scale, tracked.age_s) == (pytest.approx(8.0), 0.0)


def test_contradicting_estimates_are_carried_too() -> None:
    tracker = ScaleTracker(jump_after=2)
    tracker.update(estimate(4.0), 0.0)
    tracker.update(estimate(8.0), 0.1)
    tracked = tracker.update(estimate(16.0), 0.2, change=2.0)
    assert tracked is not None
    assert (tracked.scale, tracked.jumped) == (pytest.approx(16.0), True)


def test_reset_forgets() -> None:
    tracker = ScaleTracker()
    follow(tracker, [4.0, 8.0, 8.0])
    tracker.reset()
    assert tracker.update(NOTHING, 0.0) is None


@pytest.mark.parametrize("stamp_s", [math.nan, math.inf])
def test_a_stamp_must_be_finite(stamp_s: float) -> None:
    with pytest.raises(InputError, match="stamp"):
        ScaleTracker().update(NOTHING, stamp_s)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_scales_and_changes_must_be_above_zero(value: float) -> None:
    with pytest.raises(InputError, match="scale"):
        ScaleTracker().update(estimate(value), 0.0)
    with pytest.raises(InputError, match="change"):
        ScaleTracker().update(NOTHING, 0.0, change=value)


@pytest.mark.parametrize(
    "wrong", [{"smoothing": 0.0}, {"smoothing": 1.1}, {"jump": 0.0}, {"jump_after": 0}, {"timeout_s": math.nan}]
)
def test_settings_outside_their_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        ScaleTracker(**wrong)  # type: ignore[arg-type]
