# SPDX-License-Identifier: Apache-2.0
"""What the part "transport" has measured, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from depthpro_ros.bench.results import Cell, Figure, Row, Table
from depthpro_ros.bench.transport_load import Load
from depthpro_ros.bench.transport_pair import Burst, Way


@dataclass(frozen=True)
class Rated:
    """Messages at a camera's rate.

    Attributes:
        way: how.
        reliable: the reader; else best effort.
        burst: what came of them.
    """

    way: Way
    reliable: bool
    burst: Burst


@dataclass(frozen=True)
class Sent:
    """One load.

    Attributes:
        load: what was sent.
        singly: one message after another, by way; as many of each.
        taken: the same with polling readers.
        rated: at a camera's rate.
    """

    load: Load
    singly: Mapping[Way, Burst]
    taken: Mapping[Way, Burst]
    rated: Sequence[Rated]


def tables(sent: Sequence[Sent], rate_hz: float, profile: Mapping[str, str]) -> tuple[Table, ...]:
    """All tables.

    Args:
        sent: by load, all with the same ways.
        rate_hz: of the camera.
        profile: the variable that names the profile.
    """
    name = "".join(Path(path).name for path in profile.values()) or "none"
    return (arrival(sent, f"The profile: {name}."), publishing(sent), taking(sent), loss(sent, rate_hz))


def arrival(sent: Sequence[Sent], note: str) -> Table:
    """From publish() called to the callback with the message."""
    ways = list(sent[0].singly)
    first, last = ways[0], ways[-1]
    columns = [f"{way.name}, p50" for way in ways] + [f"{way.name}, p95" for way in (first, last)]
    rows = []
    for one in sent:
        cells = [_percentile(one.singly[way].arrived, 50) for way in ways]
        cells += [_percentile(one.singly[way].arrived, 95) for way in (first, last)]
        rows.append(Row(one.load.label, (*cells, _ratio(one.singly[first], one.singly[last]))))
    return Table(
        "Arrival in another process: publish() called to callback called, reliable reader",
        "message",
        (*columns, "first / last"),
        tuple(rows),
        (note, "Every way adds something to the one before. Each message is sent once the one before has arrived."),
    )


def publishing(sent: Sequence[Sent]) -> Table:
    """How long the writer is busy."""
    ways = list(sent[0].singly)
    rows = [Row(one.load.label, tuple(Figure.duration(one.singly[way].published) for way in ways)) for one in sent]
    return Table(
        "Publishing itself, one reader in another process: until the call returns",
        "message",
        tuple(way.name for way in ways),
        tuple(rows),
        ("rclpy's publish() keeps all other Python threads of the process waiting; publishing directly does not.",),
    )


def taking(sent: Sequence[Sent]) -> Table:
    """What receiving costs the reader's Python thread."""
    ways = list(sent[0].taken)
    rows = [Row(one.load.label, tuple(_median(one.taken[way].taken) for way in ways)) for one in sent]
    return Table(
        "Taking a message that has arrived",
        "message",
        tuple(way.name.removeprefix("and ") for way in ways),
        tuple(rows),
        (
            "rclpy copies a message into a C structure, that into bytes and those into an array; each is new memory, "
            "which the kernel maps page by page unless the process keeps it. Taken directly it stays serialised.",
        ),
    )


def loss(sent: Sequence[Sent], rate_hz: float) -> Table:
    """What does not arrive."""
    columns = [f"{r.way.name}, {'reliable' if r.reliable else 'best effort'}" for r in sent[0].rated]
    rows = [Row(one.load.label, tuple(_lost(rated.burst) for rated in one.rated)) for one in sent]
    return Table(
        f"Lost at {rate_hz:g} Hz",
        "message",
        tuple(columns),
        tuple(rows),
        (
            "The writer keeps two messages and the reader five, so what either has no time for counts as lost, too: "
            "33 MB at this rate are 1 GB in a second.",
        ),
    )


def _percentile(seconds: Sequence[float], percent: float) -> Cell:
    return Figure.percentile([1e3 * s for s in seconds], percent, "ms") if seconds else "none arrived"


def _median(seconds: Sequence[float]) -> Cell:
    return Figure.duration(seconds) if seconds else "none arrived"


def _ratio(slow: Burst, fast: Burst) -> Cell:
    """Of arrivals that were neighbours in time, which they are if none was lost."""
    return "" if slow.lost or fast.lost else Figure.ratio(slow.arrived, fast.arrived)


def _lost(burst: Burst) -> Cell:
    sent = len(burst.published)
    return Figure.once(100 * burst.lost / sent, "%", f"of {sent}")
