# SPDX-License-Identifier: Apache-2.0
"""Focal errors in closed form."""

from __future__ import annotations

import math

import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.focal import score_focals


def test_errors_are_relative_to_the_truth() -> None:
    assert score_focals([120.0, 50.0], [100.0, 200.0]).relative_errors == pytest.approx((0.2, 0.75))


def test_shares_are_strict() -> None:
    """125 of 100 px is not below 25 %."""
    scores = score_focals([100.0, 124.0, 125.0, 149.0, 150.0, math.nan], [100.0] * 6)
    assert scores.within_25 == pytest.approx(2 / 6)
    assert scores.within_50 == pytest.approx(4 / 6)


def test_median() -> None:
    assert score_focals([110.0, 130.0, 900.0], [100.0] * 3).median == pytest.approx(0.3)


@pytest.mark.parametrize(("estimated", "true"), [([], []), ([1.0], [1.0, 2.0]), ([1.0], [0.0]), ([1.0], [math.nan])])
def test_nonsense_is_refused(estimated: list[float], true: list[float]) -> None:
    with pytest.raises(InputError, match="focal lengths"):
        score_focals(estimated, true)
