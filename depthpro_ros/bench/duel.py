# SPDX-License-Identifier: Apache-2.0
"""Implementations that take turns at the same frame, beside the machine's matrix rate at that moment."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from depthpro_ros.bench.contestant import Turn

LEAST_ROUNDS, MOST_ROUNDS = 3, 60
"""The least is for what is warm: elsewhere a round may take minutes."""


class Player(Protocol):
    """Something that computes frames on command."""

    def turn(self, *, stages: bool = False) -> Turn:
        """Compute at least one frame."""
        ...


@dataclass(frozen=True)
class Round:
    """One turn of each.

    Attributes:
        rate: floating-point operations in a second that the machine reached just before each turn; the median.
        seconds: of a frame, by player: the median of its turn.
        stages: seconds of each stage, by player, where it can tell.
    """

    rate: float
    seconds: dict[str, float]
    stages: dict[str, dict[str, float]]


@dataclass(frozen=True)
class Duel:
    """What was measured in turns.

    Attributes:
        rounds: in order; each has all players.
        warm: everything had run before the first of them.
    """

    rounds: tuple[Round, ...]
    warm: bool

    def seconds(self, player: str) -> list[float]:
        """Of one player, a value for each round."""
        return [r.seconds[player] for r in self.rounds]

    def floors(self, flops: int) -> list[float]:
        """Seconds that so many operations take at the rate of each round."""
        return [flops / r.rate for r in self.rounds]

    def stage(self, player: str, name: str) -> list[float]:
        """Seconds of one stage, a value for each round."""
        return [r.stages[player][name] for r in self.rounds]

    def stages(self, player: str) -> list[str]:
        """Names of the stages that a player tells apart, in order; empty if it does not."""
        return list(self.rounds[0].stages.get(player, {}))


def take_turns(
    players: Mapping[str, Player],
    rate: Callable[[], float],
    seconds: float,
    *,
    warm: bool,
    clock: Callable[[], float] = time.monotonic,
) -> Duel:
    """Let players take turns until the time is up; at least once, and `LEAST_ROUNDS` times where they are warm.

    Args:
        players: by name.
        rate: measures the machine's matrix rate.
        seconds: how long; the round in which it ends is finished.
        warm: they have run before. If not, the first round counts only where the time does not suffice for more.
        clock: seconds.
    """
    started = clock()
    rounds = [_round(players, rate)]
    if not warm and (1 + LEAST_ROUNDS) * (clock() - started) <= seconds:
        rounds, warm = [], True
    if warm:
        while len(rounds) < LEAST_ROUNDS or (clock() - started < seconds and len(rounds) < MOST_ROUNDS):
            rounds.append(_round(players, rate))
    return Duel(tuple(rounds), warm)


def _round(players: Mapping[str, Player], rate: Callable[[], float]) -> Round:
    rates: list[float] = []
    times: dict[str, float] = {}
    stages: dict[str, dict[str, float]] = {}
    for name, player in players.items():
        rates.append(rate())  # as close to each turn as can be: other work comes and goes
        turn = player.turn(stages=True)
        times[name] = statistics.median(turn.seconds)
        if turn.stages:
            stages[name] = turn.stages
    return Round(statistics.median(rates), times, stages)
