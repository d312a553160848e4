# SPDX-License-Identifier: Apache-2.0
"""Part "cameras": what 1, 2, 4 and 8 cameras cost together, in one batch of the model and through one node."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from depthpro_ros.bench.pictures import Picture, scenes
from depthpro_ros.bench.random_weights import full_weights
from depthpro_ros.bench.results import Cell, Figure, PartResult, Row, RunContext, Table
from depthpro_ros.bench.ros_peer import DEPTH, NoAnswer, Peer, no_ros, ros_peer
from depthpro_ros.bench.timing import take_turns
from depthpro_ros.errors import first_line
from depthpro_ros.models import load_estimator
from depthpro_ros.models.depth_pro import DepthProConfig
from depthpro_ros.models.estimator import Estimator
from depthpro_ros.node.node_process import NODE_COMMAND, NodeDied, NodeProcess

COUNTS = (1, 2, 4, 8)
SIZE = (640, 480)
LEAST_CYCLES, MOST_CYCLES = 3, 100
OVERLOADED_CYCLES = 8
OVERLOAD = 1.5
"""How many times as often as it can serve them the node gets images, when its fairness is measured."""


def run(context: RunContext) -> PartResult:
    """Measure; see `depthpro_ros.bench.results`."""
    models: list[str | Path] = ["depth_pro_nano"]
    if context.on_cuda:
        models.append(full_weights(context, DepthProConfig()))
    pictures = scenes(max(COUNTS), *SIZE)
    tables = []
    for model in models:
        estimator = load_estimator(model, device=context.device)
        tables.append(batches(estimator, pictures, context.device, context.seconds / (2 * len(models))))
        del estimator
    reason = no_ros()
    if reason:
        rows = [Row(f"{count} cameras", (f"not measured: {reason}", "", "", "")) for count in COUNTS]
    else:
        seconds = context.seconds / 2 / len(COUNTS)
        rows = [through_node(count, pictures[0], context.device, seconds, context.folder) for count in COUNTS]
    tables.append(
        Table(
            f"depth_pro_nano: one node, {SIZE[0]}x{SIZE[1]} each",
            "cameras",
            ("images of all to their depth in another process", "each camera", "overload: fewest", "overload: most"),
            tuple(rows),
            (
                f"Overload: every camera sends {OVERLOAD:g} times as often as the node can serve it; depth images of "
                "the camera that got fewest and most.",
            ),
        )
    )
    return PartResult("cameras", tuple(tables))


def batches(estimator: Estimator, pictures: list[Picture], device: str, seconds: float) -> Table:
    """All numbers of cameras in turns, one batch each."""

    def batch(count: int) -> Callable[[], object]:
        chosen = pictures[:count]
        images, focals = [p.rgb for p in chosen], [p.focal_px for p in chosen]
        return lambda: estimator.predict_many(images, focals)

    samples = take_turns({str(count): batch(count) for count in COUNTS}, device, seconds)
    one = samples["1"].seconds
    rows = []
    for count in COUNTS:
        times = samples[str(count)].seconds
        each = Figure.duration([second / count for second in times])
        ratio = Figure.ratio(times, [count * second for second in one])
        rows.append(Row(f"{count}", (Figure.duration(times), each, "" if count == 1 else ratio)))
    info = estimator.info
    return Table(
        f"{info.name}, {info.precision}: images of several cameras in one batch, {SIZE[0]}x{SIZE[1]} each, known focal",
        "cameras",
        ("a batch", "each image", "against one by one"),
        tuple(rows),
    )


def through_node(count: int, picture: Picture, device: str, seconds: float, folder: Path) -> Row:
    """One node with so many cameras."""
    names = [f"camera{index}" for index in range(count)]
    parameters = {"model": "depth_pro_nano", "device": device, "cameras": f"[{', '.join(names)}]"}
    label = f"{count}"
    try:
        with (
            ros_peer(names, outputs=(DEPTH,)) as peer,
            NodeProcess(folder / "cameras.log", "image", parameters, NODE_COMMAND) as node,
        ):
            peer.connect(picture, node)
            cycles: list[float] = []
            end = time.monotonic() + seconds / 2
            while len(cycles) < LEAST_CYCLES or (time.monotonic() < end and len(cycles) < MOST_CYCLES):
                cycles.append(peer.round_trip(picture))
            each = Figure.duration([cycle / count for cycle in cycles])
            return Row(label, (Figure.duration(cycles), each, *fairness(peer, picture, sorted(cycles)[0], seconds / 2)))
    except (NoAnswer, NodeDied) as error:
        return Row(label, (f"failed: {first_line(error)}", "", "", ""))


def fairness(peer: Peer, picture: Picture, cycle_s: float, seconds: float) -> tuple[Cell, Cell]:
    """Depth images of the camera that got fewest and most, while all of them send too often."""
    before = dict(peer.frames)
    end = time.monotonic() + max(seconds, OVERLOADED_CYCLES * cycle_s)
    while time.monotonic() < end:
        peer.send(picture)
        peer.spin(cycle_s / OVERLOAD)
    got = [peer.frames[key] - before[key] for key in before]
    return Figure.once(min(got), "images"), Figure.once(max(got), "images")
