# SPDX-License-Identifier: Apache-2.0
"""Matching by stamp."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.bags.matching import match_stamps

MS = 1_000_000
stamps = st.lists(st.integers(0, 200).map(lambda ms: ms * MS), max_size=12)


def test_what_is_left_over_is_reported() -> None:
    found = match_stamps([0, 100 * MS, 200 * MS], [1 * MS, 100 * MS, 350 * MS])
    assert found.pairs == ((0, 0), (1, 1))
    assert found.offsets_ns == (1 * MS, 0)
    assert (found.unmatched_first, found.unmatched_second, found.exact) == ((2,), (2,), 1)
    assert found.summary() == (
        "2 pairs, 1 with equal stamps; offset +0.500 ms (median), +1.000 ms (largest); "
        "without partner: 1 images, 1 ground truth"
    )


def test_a_slop_of_nothing_takes_equal_stamps_only() -> None:
    assert match_stamps([5, 7], [7, 6], 0).pairs == ((1, 0),)


@given(stamps, stamps)
def test_one_to_one_within_the_slop_and_complete(first: list[int], second: list[int]) -> None:
    found = match_stamps(first, second)
    left, right = [i for i, _ in found.pairs], [j for _, j in found.pairs]
    assert len(set(left)) == len(left) and len(set(right)) == len(right)
    assert sorted(left + list(found.unmatched_first)) == list(range(len(first)))
    assert sorted(right + list(found.unmatched_second)) == list(range(len(second)))
    assert all(abs(offset) <= 20 * MS for offset in found.offsets_ns)
    # nobody is left alone beside somebody who is
    assert all(abs(first[i] - second[j]) > 20 * MS for i in found.unmatched_first for j in found.unmatched_second)
    # as many equal stamps as there can be
    assert found.exact == sum(min(first.count(s), second.count(s)) for s in set(first))


@pytest.mark.parametrize("slop", [-0.1, float("nan"), float("inf")])
def test_a_slop_that_makes_no_sense(slop: float) -> None:
    with pytest.raises(InputError, match="slop is"):
        match_stamps([0], [0], slop)
