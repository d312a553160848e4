# SPDX-License-Identifier: Apache-2.0
"""Measurements take turns."""

from __future__ import annotations

from depthpro_ros.bench.timing import Samples, take_turns


def test_actions_take_turns_after_one_warm_up_of_each():
    called = []
    samples = take_turns({"a": lambda: called.append("a"), "b": lambda: called.append("b")}, "cpu", 0.0, least=2)
    assert called == ["a", "b", *["a", "b"] * 2]
    assert {name: len(s.seconds) for name, s in samples.items()} == {"a": 2, "b": 2}


def test_rates_are_amounts_by_time():
    assert Samples((0.5, 2.0)).rates(10.0) == [20.0, 5.0]
