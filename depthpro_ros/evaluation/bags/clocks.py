# SPDX-License-Identifier: Apache-2.0
"""Whether the times of a topic make sense."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from depthpro_ros.evaluation.bags.problems import Problem

JUMP_NS = 1_000_000_000
"""Stamps and times of recording that drift apart by more than this from one message to the next: a clock was set."""
GAP_PERIODS = 10
"""A pause of so many periods, and of a second at least, is a gap."""


@dataclass(frozen=True, order=True)
class Place:
    """Where a message is.

    Attributes:
        time_ns: when it was recorded.
        stamp_ns: of its header; its time of recording where it has none, or 0.
    """

    time_ns: int
    stamp_ns: int


def clock_problems(topic: str, places: Sequence[Place]) -> list[Problem]:
    """What is odd about the times of one topic's messages, in the order in which they are read."""
    found = []
    pairs = list(pairwise(places))
    jumps = [b.stamp_ns - a.stamp_ns - (b.time_ns - a.time_ns) for a, b in pairs]
    jumps = [jump for jump in jumps if abs(jump) > JUMP_NS]
    if jumps:
        largest = max(jumps, key=abs) / 1e9
        text = f"{topic}: the clock of the stamps jumps {_times(len(jumps))}, by {largest:+.3f} s at most"
        found.append(Problem("clock_jump", text, topic, len(jumps)))
    back = sum(b.stamp_ns < a.stamp_ns for a, b in pairs) + sum(b.time_ns < a.time_ns for a, b in pairs)
    if back:
        found.append(Problem("unsorted", f"{topic}: {back} messages are earlier than the one before", topic, back))
    steps = [b.time_ns - a.time_ns for a, b in pairs]
    usual = statistics.median(steps) if steps else 0
    gaps = [step for step in steps if step > max(GAP_PERIODS * usual, JUMP_NS)]
    if gaps and usual:
        text = f"{topic}: nothing for {sum(gaps) / 1e9:.1f} s in {len(gaps)} gaps (usually every {usual / 1e9:.3g} s)"
        found.append(Problem("gap", text, topic, len(gaps)))
    return found


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
