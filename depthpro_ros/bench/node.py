# SPDX-License-Identifier: Apache-2.0
"""Part "node": from the arrival of an image to its three messages published, with the real node over real topics.

The node's own times come from its diagnostics; "round trip" is seen by a camera driver and consumer in another process.
In the turns between stands the usual way to make the cloud alone.
"""

from __future__ import annotations

import math
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from depthpro_ros.bench.pictures import Picture, scenes
from depthpro_ros.bench.pipeline import SIZES
from depthpro_ros.bench.random_weights import full_weights
from depthpro_ros.bench.results import Cell, Figure, PartResult, Row, RunContext, Table
from depthpro_ros.bench.ros_peer import no_ros, ros_peer
from depthpro_ros.bench.usual_cloud import usual_cloud
from depthpro_ros.models.depth_pro import DepthProConfig
from depthpro_ros.node.node_process import NODE_COMMAND, NodeProcess

RANDOM_COMMAND = (sys.executable, "-m", "depthpro_ros.bench.random_depth")
LEAST_FRAMES, MOST_FRAMES = 10, 300
PERCENTS = (50, 95, 99)
REPORT_S = 0.2
SAMPLES = 100
"""The node's percentiles are of so many last frames."""
_SAID = re.compile(r"(?P<stage>.+) p(?P<percent>\d+) \(ms\)")


@dataclass(frozen=True)
class Model:
    """What the node runs.

    Attributes:
        title: of its tables.
        command: that starts the node.
        parameters: of the node.
    """

    title: str
    command: tuple[str, ...]
    parameters: dict[str, str | float | bool]


@dataclass(frozen=True)
class Measured:
    """One image size with one model.

    Attributes:
        size: "640x480".
        round_trips: seconds.
        usual: seconds of the usual cloud in the same turns.
        said: the node's last diagnostics, key to value.
    """

    size: str
    round_trips: list[float]
    usual: list[float]
    said: dict[str, str]


def run(context: RunContext) -> PartResult:
    """Measure; see `depthpro_ros.bench.results`."""
    reason = no_ros()
    if reason:
        return PartResult.skip("node", reason)
    models = [Model("a model that takes no time", RANDOM_COMMAND, {})]
    models.append(Model("depth_pro_nano", NODE_COMMAND, {"model": "depth_pro_nano", "device": context.device}))
    if context.on_cuda:
        weights = full_weights(context, DepthProConfig())
        models.append(Model("the full network", NODE_COMMAND, {"model": str(weights), "device": context.device}))
    (scene,) = scenes(1, *SIZES[0])
    tables: list[Table] = []
    for model in models:
        measured = []
        for size in SIZES:
            seconds = context.seconds / (len(models) * len(SIZES))
            measured.append(measure(model, scene.squashed(*size), seconds, context.folder / "node.log"))
        tables += [round_trips(model, measured), breakdown(model, measured)]
    return PartResult("node", tuple(tables))


def measure(model: Model, picture: Picture, seconds: float, log: Path) -> Measured:
    """Send pictures one after another to a node that is started for it."""
    height, width = picture.rgb.shape[:2]
    parameters = {"diagnostics_period_s": REPORT_S, **model.parameters}
    trips: list[float] = []
    usual: list[float] = []
    with ros_peer() as peer, NodeProcess(log, "image", parameters, model.command) as node:
        peer.connect(picture, node)
        before = int(peer.said.get("frames out", 0))
        end = time.monotonic() + seconds
        while len(trips) < LEAST_FRAMES or (time.monotonic() < end and len(trips) < MOST_FRAMES):
            trips.append(peer.round_trip(picture))
            started = time.perf_counter()
            usual_cloud(picture)
            usual.append(time.perf_counter() - started)
        peer.said.pop("frames out", None)
        peer.until(lambda: int(peer.said.get("frames out", 0)) >= before + len(trips))
        return Measured(f"{width}x{height}", trips, usual, dict(peer.said))


def round_trips(model: Model, measured: list[Measured]) -> Table:
    """What a consumer sees, and the usual cloud in the same turns."""
    rows = []
    for one in measured:
        ms = [1e3 * second for second in one.round_trips]
        cells = tuple(Figure.percentile(ms, percent, "ms") for percent in PERCENTS)
        rows.append(Row(one.size, (*cells, Figure.duration(one.usual))))
    return Table(
        f"{model.title}: round trip of an image to depth, camera and cloud in another process",
        "image",
        (*(f"p{percent}" for percent in PERCENTS), "the usual cloud alone"),
        tuple(rows),
        ("The usual cloud is back-projected with NumPy into a structured array and copied into a message.",),
    )


def breakdown(model: Model, measured: list[Measured]) -> Table:
    """What the node says about itself."""
    stages = list(dict.fromkeys(m["stage"] for one in measured for key in one.said if (m := _SAID.fullmatch(key))))
    percents = sorted({int(m["percent"]) for one in measured for key in one.said if (m := _SAID.fullmatch(key))})
    columns = tuple(f"{one.size}, p{percent}" for one in measured for percent in percents)
    rows = []
    for stage in stages:
        cells: list[Cell] = []
        for one in measured:
            for percent in percents:
                value = float(one.said.get(f"{stage} p{percent} (ms)", "nan"))
                frames = min(len(one.round_trips), SAMPLES)
                known = math.isfinite(value)
                cells.append(Figure(value, value, value, frames, "ms", f"p{percent}") if known else "")
        rows.append(Row(stage, tuple(cells)))
    return Table(
        f"{model.title}: latency in the node, from its diagnostics",
        "of a frame",
        columns,
        tuple(rows),
        (f"Of the last {SAMPLES} frames at most.",),
    )
