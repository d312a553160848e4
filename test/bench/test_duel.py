# SPDX-License-Identifier: Apache-2.0
"""Turns of implementations, with a clock that only they move."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from depthpro_ros.bench.contestant import Turn
from depthpro_ros.bench.duel import LEAST_ROUNDS, MOST_ROUNDS, take_turns


@dataclass
class Clock:
    now: float = 0.0
    order: list[str] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now


@dataclass
class Player:
    name: str
    takes_s: float
    clock: Clock

    def turn(self, *, stages: bool = False) -> Turn:
        self.clock.now += self.takes_s
        self.clock.order.append(self.name)
        return Turn((self.takes_s,), {"all": self.takes_s} if self.name == "a" else {})


def play(seconds: float, *, warm: bool, clock: Clock):
    players = {"a": Player("a", 2.0, clock), "b": Player("b", 3.0, clock)}
    return take_turns(players, lambda: 100.0, seconds, warm=warm, clock=clock)


def test_players_alternate():
    clock = Clock()
    play(0.0, warm=True, clock=clock)
    assert clock.order == ["a", "b"] * LEAST_ROUNDS


def test_a_first_round_that_takes_all_the_time_is_the_measurement():
    duel = play(6.0, warm=False, clock=Clock())
    assert len(duel.rounds) == 1 and not duel.warm


def test_a_first_round_is_a_warm_up_where_time_suffices_for_more():
    clock = Clock()
    duel = play(30.0, warm=False, clock=clock)
    assert duel.warm and len(duel.rounds) == 30 / 5 - 1 and len(clock.order) == 2 * 30 / 5


def test_rounds_are_limited():
    assert len(play(1e6, warm=True, clock=Clock()).rounds) == MOST_ROUNDS


def test_floors_follow_from_the_rate_of_the_same_rounds():
    duel = play(0.0, warm=True, clock=Clock())
    assert duel.floors(50) == pytest.approx([0.5] * LEAST_ROUNDS)


def test_only_who_tells_its_stages_has_them():
    duel = play(0.0, warm=True, clock=Clock())
    assert duel.stages("a") == ["all"] and duel.stages("b") == []
    assert duel.stage("a", "all") == [2.0] * LEAST_ROUNDS
