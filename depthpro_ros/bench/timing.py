# SPDX-License-Identifier: Apache-2.0
"""Repeated measurements that take turns, so that what disturbs the machine disturbs all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

Action = Callable[[], object]
SHORT_S = 0.02
"""Kernels that take less are repeated within one measurement: starting and waiting would count otherwise."""
MOST_ROUNDS = 1000


@dataclass(frozen=True)
class Samples:
    """Seconds of one of several actions that took turns; the same index is the same round.

    Attributes:
        seconds: one for each round, without the warm-up.
    """

    seconds: tuple[float, ...]

    @property
    def ms(self) -> list[float]:
        """In milliseconds."""
        return [1e3 * second for second in self.seconds]

    def rates(self, amount: float) -> list[float]:
        """What is done in a second, if each action does `amount`."""
        return [amount / second for second in self.seconds]


def synchronise(device: str) -> None:
    """Wait until the device has done everything."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def seconds_of(action: Action, device: str, repeats: int = 1) -> float:
    """How long an action takes, until its results are there; the mean of `repeats` in a row."""
    synchronise(device)
    started = time.perf_counter()
    for _ in range(repeats):
        action()
    synchronise(device)
    return (time.perf_counter() - started) / repeats


def take_turns(
    actions: Mapping[str, Action], device: str, seconds: float, least: int = 3, *, kernels: bool = False
) -> dict[str, Samples]:
    """Measure actions A B C A B C ... after one warm-up of each.

    Args:
        actions: by name.
        device: that they work on.
        seconds: when to stop, counted from the beginning.
        least: rounds that are made even if that takes longer.
        kernels: the actions are so short that a GPU has to repeat them within one measurement.

    Returns:
        Equally many measurements of each.
    """
    end = time.monotonic() + seconds
    repeats: dict[str, int] = {}
    for name, action in actions.items():
        action()
        repeats[name] = 1
        if kernels and device.startswith("cuda"):
            repeats[name] = max(1, round(SHORT_S / max(seconds_of(action, device), 1e-6)))
    times: dict[str, list[float]] = {name: [] for name in actions}
    rounds = 0
    while rounds < least or (time.monotonic() < end and rounds < MOST_ROUNDS):
        for name, action in actions.items():
            times[name].append(seconds_of(action, device, repeats[name]))
        rounds += 1
    return {name: Samples(tuple(values)) for name, values in times.items()}
