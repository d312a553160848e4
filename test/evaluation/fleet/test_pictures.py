# SPDX-License-Identifier: Apache-2.0
"""Which frames keep their picture."""

from __future__ import annotations

from depthpro_ros.evaluation.fleet.pictures import chosen
from depthpro_ros.evaluation.results.record import FrameRecord

EXTREMES, KEPT = 12, 400


def test_the_whole_keeps_its_extremes_and_400_in_even_steps() -> None:
    total = 40_000
    errors = [0.5 + 1e-6 * ((place * 7919) % total) for place in range(total)]
    kept = chosen(range(total), errors, total)
    ranked = sorted(range(total), key=lambda place: errors[place])
    assert kept >= {*ranked[:EXTREMES], *ranked[-EXTREMES:], *range(0, total, 100)}
    assert len(kept) <= KEPT + 2 * EXTREMES


def test_a_frame_without_an_error_is_no_extreme() -> None:
    assert FrameRecord(0, "", "").headline_error is None
    assert FrameRecord(0, "", "", figures={"abs_rel": float("nan")}).headline_error is None


def test_all_pictures_of_a_small_evaluation_are_kept() -> None:
    assert chosen([0, 3, 4], [None, None, None], 5) >= {0, 3, 4}
    assert chosen([], [], 5) == set()


def test_pictures_nearest_to_the_steps_are_taken_where_there_are_none_at_them() -> None:
    # steps are at 0, 2, 4, ... 798
    assert chosen([5, 100, 797], [None] * 3, 800) == {5, 100, 797}
