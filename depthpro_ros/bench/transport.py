# SPDX-License-Identifier: Apache-2.0
"""Part "transport": messages from one process to another on this host, through the middleware.

Every way of sending has a writer and a reader of its own, all alive at once in ROS domains of their own; they take
turns, so that only one sends at a time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing

from depthpro_ros.bench.results import PartResult, RunContext
from depthpro_ros.bench.ros_peer import no_ros
from depthpro_ros.bench.transport_load import LOADS, Load
from depthpro_ros.bench.transport_pair import Burst, Pair, Way, profile_variables
from depthpro_ros.bench.transport_tables import Rated, Sent, tables

DEFAULT = Way("default transport", profile=False)
PROFILE = Way("with the profile")
DIRECT = Way("and published directly", direct=True)
KEPT = Way("and a reader that keeps its memory", direct=True, reader_keeps=True)
TAKEN = Way("and taken directly", direct=True, reader_keeps=True, taken_directly=True)
WAYS = (DEFAULT, PROFILE, DIRECT, KEPT, TAKEN)
"""Each adds something to the one before."""
TAKING = (DIRECT, KEPT, TAKEN)
RATED = (DEFAULT, PROFILE)
RATE_HZ = 30.0
AT_ONCE = 2
"""Messages of each way in a turn."""
LEAST_TURNS, MOST_TURNS = 4, 40
WARMING = 2
TAKEN_OF_EACH = 6
LEAST_BURST_S = 1.0
"""Sending at a camera's rate takes half of the time, but each way at least this, so long that a backlog shows."""
LATE_S = 0.5
"""At a camera's rate: what comes later than that after everything else is lost."""
SETTLING_S = 0.05
"""Between two bursts: what the first has left to do is not the second's."""


def run(context: RunContext) -> PartResult:
    """Measure; see `depthpro_ros.bench.results`."""
    reason = no_ros()
    if reason:
        return PartResult.skip("transport", reason)
    with ExitStack() as stack:
        pairs: dict[Way, Pair] = {}
        for way in ways_here():
            domain = (
                40 + (os.getpid() + len(pairs)) % 60
            )  # 0 to 101 are the domains that no system needs other ports for
            pairs[way] = stack.enter_context(closing(Pair(way, domain, context.folder)))
        for pair in pairs.values():
            pair.wait_until_ready()
        sent = measured(pairs, LOADS, context.seconds / len(LOADS), context.say)
    return PartResult("transport", tables(sent, RATE_HZ, profile_variables()))


def ways_here() -> tuple[Way, ...]:
    """The ways that can be told apart with the middleware in use."""
    import rclpy

    fast_dds = "fastrtps" in rclpy.get_rmw_implementation_identifier()
    return WAYS if fast_dds and profile_variables() else tuple(way for way in WAYS if way is not PROFILE)


def measured(
    pairs: Mapping[Way, Pair], loads: Sequence[Load], seconds: float, say: Callable[[str], None]
) -> list[Sent]:
    """Let them take turns with each load.

    Args:
        pairs: by way.
        loads: what they send.
        seconds: about how long for each load.
        say: see `RunContext`.
    """
    result = []
    for load in loads:
        say(f"  {load.label}")
        rated = [way for way in RATED if way in pairs]
        burst_s = max(LEAST_BURST_S, seconds / 2 / (2 * len(rated)))
        result.append(
            Sent(
                load,
                singly(pairs, load, seconds / 2),
                taken({way: pairs[way] for way in TAKING}, load),
                [
                    Rated(way, reliable, at_camera_rate(pairs[way], load, burst_s, reliable=reliable))
                    for reliable in (True, False)
                    for way in rated
                ],
            )
        )
    return result


def singly(pairs: Mapping[Way, Pair], load: Load, seconds: float) -> dict[Way, Burst]:
    """Messages that are sent once the one before has arrived."""
    for pair in pairs.values():
        pair.connect(load)
        pair.singly(load, WARMING)  # memory grows to this size meanwhile
    bursts: dict[Way, list[Burst]] = {way: [] for way in pairs}
    end = time.monotonic() + seconds
    turns = 0
    while turns < LEAST_TURNS or (time.monotonic() < end and turns < MOST_TURNS):
        for way, pair in pairs.items():
            time.sleep(SETTLING_S)
            bursts[way].append(pair.singly(load, AT_ONCE))
        turns += 1
    return {way: Burst.of(some) for way, some in bursts.items()}


def taken(pairs: Mapping[Way, Pair], load: Load) -> dict[Way, Burst]:
    """The same with readers that poll, so that the taking alone can be timed."""
    for pair in pairs.values():
        pair.connect(load, polling=True)
        pair.singly(load, WARMING)
    bursts: dict[Way, list[Burst]] = {way: [] for way in pairs}
    for _ in range(TAKEN_OF_EACH):
        for way, pair in pairs.items():
            bursts[way].append(pair.singly(load, 1))
    return {way: Burst.of(some) for way, some in bursts.items()}


def at_camera_rate(pair: Pair, load: Load, seconds: float, *, reliable: bool) -> Burst:
    """Messages that are sent whether the ones before have arrived or not."""
    pair.connect(load, reliable=reliable)
    pair.burst(load, 1, late_s=LATE_S)
    time.sleep(SETTLING_S)
    return pair.burst(load, round(seconds * RATE_HZ), 1 / RATE_HZ, LATE_S)
