# SPDX-License-Identifier: Apache-2.0
"""Part "messages": making the messages of one frame and publishing them, beside the ways that other nodes use."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing

from depthpro_ros.bench.messages_ways import OURS, Frame, Make, cloud_ways, depth_ways, sensor_msgs_py
from depthpro_ros.bench.results import Cell, Figure, PartResult, Row, RunContext, Table
from depthpro_ros.bench.ros_peer import no_ros
from depthpro_ros.bench.timing import take_turns
from depthpro_ros.bench.transport_load import SIZES, Load
from depthpro_ros.bench.transport_pair import Pair, Way

PUBLISHED = (*(Load("cloud", *size) for size in SIZES), Load("image", *SIZES[1]))
HOWS = {"message": "message", "bytes": "serialised, with rclpy", "direct": "serialised, directly"}
MAKING_SHARE = 0.5
LEAST_TURNS, MOST_TURNS = 4, 200


def run(context: RunContext) -> PartResult:
    """Measure; see `depthpro_ros.bench.results`."""
    reason = no_ros()
    if reason:
        return PartResult.skip("messages", reason)
    each = MAKING_SHARE * context.seconds / (2 * len(SIZES))
    frames = [Frame(*size) for size in SIZES]
    library = "sensor_msgs_py itself" if sensor_msgs_py() else "the steps of sensor_msgs_py's create_cloud, not itself"
    tables = [
        making("Making an organised cloud of depth and colours", cloud_ways, frames, each, f"{library}."),
        making("Making a depth image, 32FC1", depth_ways, frames, each, ""),
    ]
    domain = 40 + os.getpid() % 60  # 0 to 101 are the domains that no system needs other ports for
    with closing(Pair(Way("publishing"), domain, context.folder)) as pair:
        pair.wait_until_ready()
        tables += publishing(pair, PUBLISHED, (1 - MAKING_SHARE) * context.seconds)
    return PartResult("messages", tuple(tables))


def making(
    title: str, ways: Callable[[Frame], dict[str, Make]], frames: Sequence[Frame], seconds: float, note: str
) -> Table:
    """One kind of message, made in all ways in turns.

    Args:
        title: of the table.
        ways: makes messages of a frame.
        frames: of several sizes.
        seconds: for each size.
        note: below the table.
    """
    rows, names = [], []
    for frame in frames:
        samples = take_turns(ways(frame), "cpu", seconds)
        names = list(samples)
        cells: list[Cell] = [Figure.duration(one.seconds) for one in samples.values()]
        others = [name for name in names if not name.startswith("ours")]
        fastest = min(others, key=lambda name: Figure.median(samples[name].seconds, "s").value)
        cells.append(Figure.ratio(samples[fastest].seconds, samples[OURS].seconds))
        height, width = frame.depth_m.shape
        rows.append(Row(f"{width}x{height}", tuple(cells)))
    notes = ("The rays are made before in all of them.", note) if note else ()
    return Table(title, "image", (*names, "fastest other / ours"), tuple(rows), notes)


def publishing(pair: Pair, loads: Sequence[Load], seconds: float) -> list[Table]:
    """What publishing costs the thread that does it, and the others of its process.

    Args:
        pair: the writer, and a reader in another process.
        loads: what is published.
        seconds: in all.
    """
    tables = []
    measured: dict[tuple[Load, str, bool], dict[str, list[float]]] = {}
    for load in loads:
        for listened in (False, True):
            if listened:
                pair.connect(load)
            for command in ("publish", "stand_still"):
                measured[load, command, listened] = in_turns(
                    lambda how, load=load, listened=listened, command=command: pair.one(  # type: ignore[misc]
                        load, how, listened=listened, command=command
                    ),
                    seconds / (4 * len(loads)),
                )
    titles = {
        "publish": "Publishing: until the call returns",
        "stand_still": "Publishing: longest time that no other Python thread of the process runs",
    }
    columns = [f"{words}, {readers}" for readers in ("nobody listens", "one reader") for words in HOWS.values()]
    for command, title in titles.items():
        rows = []
        for load in loads:
            samples = [measured[load, command, listened][how] for listened in (False, True) for how in HOWS]
            rows.append(Row(load.label, tuple(map(Figure.duration, samples))))
        tables.append(Table(title, "message", tuple(columns), tuple(rows)))
    return tables


def in_turns(publish: Callable[[str], float], seconds: float) -> dict[str, list[float]]:
    """What publishing in each of the ways returns, one after another, after a round that does not count."""
    for how in HOWS:
        publish(how)
    result: dict[str, list[float]] = {how: [] for how in HOWS}
    end = time.monotonic() + seconds
    turns = 0
    while turns < LEAST_TURNS or (time.monotonic() < end and turns < MOST_TURNS):
        for how in HOWS:
            result[how].append(publish(how))
        turns += 1
    return result
