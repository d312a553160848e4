# SPDX-License-Identifier: Apache-2.0
"""Part "depthart": the full network in turns with its plain composition, and the bundled one with a whole picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from depthpro_ros.bench.builders import Task
from depthpro_ros.bench.depthart_flops import depthart_flops
from depthpro_ros.bench.depthart_frame import STAGES
from depthpro_ros.bench.depthart_nano import nano_table
from depthpro_ros.bench.model_options import ModelOptions
from depthpro_ros.bench.network import contest
from depthpro_ros.bench.network_groups import NO_BFLOAT16, OURS, Entrant, Group
from depthpro_ros.bench.network_memory import fitting, free_bytes
from depthpro_ros.bench.pictures import scenes
from depthpro_ros.bench.random_weights import write_random_depthart
from depthpro_ros.bench.results import PartResult, RunContext
from depthpro_ros.machine import BFLOAT16_UNITS, cpu_flags
from depthpro_ros.models.depthart.presets import FULL, PRESETS
from depthpro_ros.models.registry import DEPTHART_WEIGHTS

NANO_SHARE = 0.2
"""Of the part's time."""
PARAMETERS, NUMBERS_AT_WORK = 0.42e9, 0.5e9
"""Of the full network: its weights, and the other numbers that are held while it is loaded and folded, about."""
ABOUT_STAGES = (
    f'"{STAGES[0]}": image to quantised latent; "{STAGES[1]}": its tokens and the start token through the transformer; '
    f'"{STAGES[2]}": the other nine; "{STAGES[3]}": the last latent to depth.'
)


def run(context: RunContext) -> PartResult:
    """Measure; see `depthpro_ros.bench.results`."""
    share = replace(context, seconds=(1 - NANO_SHARE) * context.seconds)
    result = measure(share, *depthart_groups(context.on_cuda, cpu_flags()))
    nano = replace(context, seconds=NANO_SHARE * context.seconds)
    return with_nano(result, nano, DEPTHART_WEIGHTS)


def depthart_groups(on_cuda: bool, flags: frozenset[str]) -> tuple[tuple[Group, ...], tuple[str, ...]]:
    """What is compared on such a machine.

    Args:
        on_cuda: the device is a GPU.
        flags: of the processor.

    Returns:
        The groups, and sentences about what is left out and why.
    """
    title = "DepthART, full size, 256x256, {}, one rollout, beside a plain composition of the published modules"
    ours, plain = Entrant(OURS, "depthart"), Entrant("plain composition", "depthart plain")
    if on_cuda:
        on_gpu = (
            ours,
            Entrant(f"{OURS}, accelerate eager", "depthart", options=ModelOptions(accelerate="eager")),
            plain,
            Entrant(f"{OURS}, decoding sampled, 5 samples (eager)", "depthart", options=sampled("eager")),
        )
        return tuple(Group(title.format(p), p, on_gpu) for p in ("float16", "bfloat16", "float32")), ()
    entrants = (ours, plain, Entrant(f"{OURS}, decoding sampled, 5 samples", "depthart", options=sampled("auto")))
    groups = [Group(title.format("float32"), "float32", entrants)]
    if not BFLOAT16_UNITS & flags:
        return tuple(groups), (NO_BFLOAT16,)
    both = Group(title.format("bfloat16"), "bfloat16", entrants)
    beside = Entrant(f"{OURS}, float32", "depthart", options=ModelOptions(precision="float32"))
    return (*groups, replace(both, entrants=(*entrants, beside))), ()


def sampled(accelerate: str) -> ModelOptions:
    """The decoding that the authors of DepthART use."""
    return ModelOptions(accelerate=accelerate, decoding="sampled")


def measure(
    context: RunContext, planned: tuple[Group, ...], left_out: tuple[str, ...] = (), size: str = "depthart_ar"
) -> PartResult:
    """Measure groups of DepthART's networks, with random weights.

    Args:
        context: of the run.
        planned: the groups.
        left_out: sentences about what is not measured.
        size: of the network, one of `PRESETS`.
    """
    config = PRESETS[size]
    weights = context.folder / f"depthart_{size}_random.safetensors"
    context.say("  writing random weights of DepthART ...")
    write_random_depthart(config, weights)
    if config == FULL:
        free = free_bytes(context.device)
        planned = tuple(
            part for group in planned for part in fitting(group, free, context.on_cuda, PARAMETERS, NUMBERS_AT_WORK)
        )
    task = Task("", context.device, "", weights)
    result = contest("depthart", context, planned, left_out, task, depthart_flops(config))
    return replace(
        result,
        tables=tuple(
            replace(table, notes=(*table.notes, ABOUT_STAGES)) if table.label == "stage" else table
            for table in result.tables
        ),
    )


def with_nano(result: PartResult, context: RunContext, weights: Path) -> PartResult:
    """With one more table, of the bundled model, or with a sentence about why there is none."""
    if weights.is_file():
        context.say("  the bundled model ...")
        (picture,) = scenes(1, 640, 480)
        return replace(result, tables=(*result.tables, nano_table(weights, picture, context)), skipped="")
    missing = f"The bundled model is not measured: {weights.name} is not there."
    if not result.tables:
        return replace(result, skipped=f"{result.skipped} {missing}".strip())
    last = replace(result.tables[-1], notes=(*result.tables[-1].notes, missing))
    return replace(result, tables=(*result.tables[:-1], last))
