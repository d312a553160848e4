# SPDX-License-Identifier: Apache-2.0
"""Part "network": the full network in turns with transformers', its stages beside the floor, and everyone's memory."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from depthpro_ros.bench.builders import Task
from depthpro_ros.bench.contestant import Ready
from depthpro_ros.bench.duel import take_turns
from depthpro_ros.bench.flops import FrameWork, frame_flops
from depthpro_ros.bench.network_groups import Group, groups
from depthpro_ros.bench.network_memory import fitting, free_bytes
from depthpro_ros.bench.network_tables import Outcome, network_tables
from depthpro_ros.bench.random_weights import full_weights
from depthpro_ros.bench.rates import best_rate
from depthpro_ros.bench.results import PartResult, RunContext, Table
from depthpro_ros.bench.seat import ContestantDied, Seat
from depthpro_ros.machine import cpu_flags
from depthpro_ros.models.depth_pro.presets import PRESETS


def run(context: RunContext) -> PartResult:
    """Measure; see `depthpro_ros.bench.results`."""
    planned, left_out = groups(context.on_cuda, cpu_flags())
    return measure(context, planned, left_out)


def measure(
    context: RunContext, planned: tuple[Group, ...], left_out: tuple[str, ...] = (), size: str = "depth_pro"
) -> PartResult:
    """Measure groups of Depth Pro's networks.

    Args:
        context: of the run.
        planned: the groups.
        left_out: sentences about what is not measured.
        size: of the network, one of `PRESETS`.
    """
    config = PRESETS[size]
    task = Task("", context.device, "", full_weights(context, config), size)
    if size == "depth_pro":
        planned = tuple(
            part for group in planned for part in fitting(group, free_bytes(context.device), context.on_cuda)
        )
    return contest("network", context, planned, left_out, task, frame_flops(config))


def contest(
    part: str,
    context: RunContext,
    planned: tuple[Group, ...],
    left_out: tuple[str, ...],
    task: Task,
    flops: FrameWork,
) -> PartResult:
    """Measure groups one after another.

    Args:
        part: whose result it is.
        context: of the run.
        planned: the groups.
        left_out: sentences about what is not measured.
        task: with what all have in common.
        flops: of a frame.
    """
    tables: list[Table] = []
    notes = list(left_out)
    left_s, frame_s = context.seconds, 0.0
    for index, group in enumerate(planned):
        needs_s = frame_s * len(group.entrants)
        reason = "" if group.entrants else "memory does not suffice for two of them at once"
        if group.optional and needs_s > left_s:
            reason = f"it takes about {max(1, round(needs_s / 60))} minutes more, which --minutes gives it"
        if reason:
            notes.append(f"{group.title}: not measured, {reason}.")
            continue
        context.say(f"  {group.title} ...")
        outcome = play(context, group, task, max(0.0, left_s) / (len(planned) - index))
        tables += network_tables(outcome, flops, stages=not any(table.label == "stage" for table in tables))
        if outcome.duel is not None:
            # building is not counted: compilers take minutes, and the figures need turns
            left_s -= sum(sum(r.seconds.values()) for r in outcome.duel.rounds)
            frame_s = max(outcome.duel.rounds[-1].seconds.values())
    if not tables:
        return PartResult.skip(part, " ".join(notes))
    tables[-1] = replace(tables[-1], notes=(*tables[-1].notes, *notes))
    return PartResult(part, tuple(tables))


def play(context: RunContext, group: Group, task: Task, seconds: float) -> Outcome:
    """Start a group's processes and let them take turns.

    Args:
        context: of the run.
        group: what is compared.
        task: with what all have in common.
        seconds: for the turns.
    """
    with contextlib.ExitStack() as stack:
        seats: dict[str, Seat] = {}
        started: dict[str, Ready] = {}
        for number, entrant in enumerate(group.entrants):
            job = replace(
                task, builder=entrant.builder, precision=group.precision, fov=entrant.fov, options=entrant.options
            )
            context.say(f"    building {entrant.name} ...")
            seat = Seat(entrant.name, job, context.folder / f"contestant_{number}.log")
            seats[entrant.name] = stack.enter_context(seat)
            if not context.on_cuda:  # there, compilers may work side by side
                started[entrant.name] = seat.ready()
        for name, seat in seats.items():
            if name not in started:
                started[name] = seat.ready()
        problems = {name: ready.problem for name, ready in started.items() if ready.problem}
        seats = {name: seat for name, seat in seats.items() if name not in problems}
        rate = best_rate(group.precision, context.device)
        duel = None
        while seats and duel is None:
            try:
                duel = take_turns(seats, rate, seconds, warm=context.on_cuda)
            except ContestantDied as error:
                # out of memory, most likely: the others begin again without it
                problems[error.name] = str(error)
                del seats[error.name]
        memory = {name: seat.memory() for name, seat in seats.items()}
        build_s = {name: started[name].build_s for name in seats}
    return Outcome(group, duel, memory, build_s, problems)
