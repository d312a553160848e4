# SPDX-License-Identifier: Apache-2.0
"""Reading ahead in another thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from depthpro_ros.node.read_ahead import ReadAhead


def test_items_come_in_order_and_all_of_them() -> None:
    with ReadAhead(range(1000), lambda _: 1, 7) as ahead:
        assert list(ahead) == list(range(1000))


def test_no_more_is_held_than_allowed() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    with ReadAhead(items(), lambda _: 10, 45) as ahead:
        ahead.wait(10)
        # four are held and one waits to be
        assert made == [0, 1, 2, 3, 4]
        taken = iter(ahead)
        assert next(taken) == 0
        while len(made) < 6:
            time.sleep(0.01)
        time.sleep(0.05)
        assert len(made) == 6


def test_an_item_larger_than_allowed_is_still_given() -> None:
    with ReadAhead([1, 2, 3], lambda _: 100, 5) as ahead:
        assert list(ahead) == [1, 2, 3]


def test_an_error_comes_after_what_was_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("the bag ends here")

    got = []
    with ReadAhead(items(), lambda _: 1, 100) as ahead, pytest.raises(ValueError, match="the bag ends here"):
        for item in ahead:
            got.append(item)
    assert got == [1]


def test_leaving_early_ends_the_thread() -> None:
    before = threading.active_count()
    with ReadAhead(iter(int, 1), lambda _: 1, 10) as ahead:
        assert next(iter(ahead)) == 0
    assert threading.active_count() == before
