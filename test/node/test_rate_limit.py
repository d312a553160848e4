# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from depthpro_ros.node.rate_limit import RateLimit


def passed(times_s: np.ndarray, rate_hz: float) -> np.ndarray:
    limit = RateLimit()
    return np.array([t for t in times_s if limit.due(t, rate_hz)])


def test_zero_is_no_limit() -> None:
    times = np.sort(np.random.default_rng(0).uniform(0, 1, 100))
    assert len(passed(times, 0)) == 100


@pytest.mark.parametrize("rate_hz", [1.0, 7.0, 10.0, 20.0, 29.0])
def test_a_faster_camera_is_thinned_to_the_rate(rate_hz: float) -> None:
    rng = np.random.default_rng(0)
    times = np.arange(3000) / 30 + rng.normal(0, 0.002, 3000)
    assert len(passed(times, rate_hz)) == pytest.approx(100 * rate_hz, rel=0.02)


@pytest.mark.parametrize("camera_hz", [3.0, 9.0, 10.0])
def test_a_slower_camera_and_one_of_the_very_rate_lose_nothing(camera_hz: float) -> None:
    rng = np.random.default_rng(0)
    times = np.arange(500) / camera_hz + rng.uniform(-0.01, 0.01, 500)
    assert len(passed(times, 10.0)) == 500


def test_no_second_has_more_than_the_rate_and_one() -> None:
    times = np.sort(np.random.default_rng(0).uniform(0, 50, 5000))
    kept = passed(times, 10.0)
    assert max(np.sum((kept >= t) & (kept < t + 1)) for t in kept) <= 11


def test_a_pause_is_not_made_up_for() -> None:
    times = np.concatenate([[0.0], np.arange(60.0, 62.0, 0.01)])
    assert len(passed(times, 5.0)) == pytest.approx(1 + 10, abs=1)


def test_another_rate_holds_at_once() -> None:
    limit = RateLimit()
    assert limit.due(0.0, 0.01)
    assert not limit.due(0.5, 0.01)
    assert limit.due(0.6, 10.0)
