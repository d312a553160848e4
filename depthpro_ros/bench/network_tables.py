# SPDX-License-Identifier: Apache-2.0
"""What a contest of implementations has shown, as tables."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from depthpro_ros.bench.contestant import POST, Memory
from depthpro_ros.bench.duel import Duel
from depthpro_ros.bench.flops import FrameWork
from depthpro_ros.bench.network_groups import Group
from depthpro_ros.bench.results import Cell, Figure, Row, Table


@dataclass(frozen=True)
class Outcome:
    """A group after its rounds.

    Attributes:
        group: what was compared.
        duel: the turns of those that could be built; None where none could.
        memory: their peaks, by name.
        build_s: how long each took to be ready, by name.
        problems: why others could not be built, by name.
    """

    group: Group
    duel: Duel | None
    memory: dict[str, Memory]
    build_s: dict[str, float]
    problems: dict[str, str]


def network_tables(outcome: Outcome, flops: FrameWork, *, stages: bool) -> list[Table]:
    """The comparison and, if they are wanted, the stages of a frame of every entrant that tells them apart."""
    duel = outcome.duel
    if duel is None:
        reasons = [Row(name, (problem,)) for name, problem in outcome.problems.items()]
        return [Table(outcome.group.title, "implementation", ("",), tuple(reasons))]
    tables = [_comparison(outcome, duel, flops)]
    if stages:
        tellers = [name for name in outcome.memory if duel.stages(name)]
        tables += [_stages(outcome.group, duel, teller, flops) for teller in tellers]
    return tables


def _comparison(outcome: Outcome, duel: Duel, flops: FrameWork) -> Table:
    columns = (
        "one frame",
        "of the floor's speed",
        "against the first row",
        "peak memory",
        "peak while computing",
        "built in",
    )
    first = next(iter(outcome.memory))
    rows = []
    for entrant in outcome.group.entrants:
        name = entrant.name
        if name in outcome.problems:
            rows.append(Row(name, (f"not run: {outcome.problems[name]}", *[""] * (len(columns) - 1))))
            continue
        floors = duel.floors(flops.total if entrant.fov else flops.depth)
        peak = outcome.memory[name]
        cells: tuple[Cell, ...] = (
            Figure.duration(duel.seconds(name)),
            _percent(floors, duel.seconds(name)),
            "" if name == first else Figure.ratio(duel.seconds(name), duel.seconds(first)),
            Figure.once(peak.whole / 1e9, "GB"),
            Figure.once(peak.computing / 1e9, "GB"),
            Figure.once(outcome.build_s[name], "s"),
        )
        rows.append(Row(name, cells))
    rate = Figure.median([r.rate / 1e12 for r in duel.rounds], "TFLOP/s")
    floor = Figure.duration(duel.floors(flops.total))
    rows.append(Row(flops.floor, (floor, *[""] * (len(columns) - 1))))
    notes = [
        f"Random weights; one process each, in turns. Floor: {flops.words} at the matrix rate measured in the same "
        f"turns, {rate.value:.3g} TFLOP/s."
    ]
    if not duel.warm:
        notes.append("The time sufficed for one turn each, the first of its process.")
    return Table(outcome.group.title, "implementation", columns, tuple(rows), tuple(notes))


def _stages(group: Group, duel: Duel, teller: str, flops: FrameWork) -> Table:
    times = {name: Figure.duration(duel.stage(teller, name)) for name in duel.stages(teller)}
    whole = sum(statistics.median(duel.stage(teller, name)) for name in times if name != POST)
    rows = []
    for name, time in times.items():
        cells: tuple[Cell, ...] = ("", time, "", "")
        if name != POST:
            amount, seconds = flops.stage(name), duel.stage(teller, name)
            share = Figure.once(100 * statistics.median(seconds) / whole, "%")
            work = Figure.once(amount / 1e12, "TFLOP")
            cells = (work, time, share, _percent(duel.floors(amount), seconds))
        rows.append(Row(name, cells))
    post = f'"{POST}" makes metres of 1280x720 of the result; it is no part of the frame above.'
    return Table(
        f"Stages: {teller}, {group.precision}",
        "stage",
        ("published network's work", "time", "share", "of the floor's speed"),
        tuple(rows),
        (post,) if POST in times else (),
    )


def _percent(floors: list[float], seconds: list[float]) -> Figure:
    ratio = Figure.ratio(floors, seconds)
    return Figure(100 * ratio.value, 100 * ratio.low, 100 * ratio.high, ratio.runs, "%")
