# SPDX-License-Identifier: Apache-2.0
"""Part "startup": from launching a process to its first depth of the bundled model, with the node and without ROS."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

from depthpro_ros.bench.pictures import Picture, scenes
from depthpro_ros.bench.results import Figure, PartResult, Row, RunContext, Table
from depthpro_ros.bench.ros_peer import DEPTH, no_ros, ros_peer
from depthpro_ros.node.node_process import NODE_COMMAND, NodeProcess

MODEL, SIZE = "depth_pro_nano", (640, 480)
LEAST, MOST = 3, 10
CAMERA_PERIOD_S = 1 / 30
LIBRARY = """
import time; started = time.perf_counter()
import numpy as np
from depthpro_ros import load_estimator; imported = time.perf_counter()
estimator = load_estimator({model!r}, device={device!r}); loaded = time.perf_counter()
estimator.predict(np.zeros(({height}, {width}, 3), np.uint8), 500.0).depth_m.cpu(); done = time.perf_counter()
print(imported - started, loaded - imported, done - loaded)
"""
_STEP = re.compile(r"(?P<name>[a-z][a-z ,]*?) (?P<seconds>\d+(?:\.\d+)?) s\b")
"""A step in the line in which the node tells where the time of its start went, such as "imports 1.2 s"."""


def run(context: RunContext) -> PartResult:
    """Measure; see `depthpro_ros.bench.results`."""
    (picture,) = scenes(1, *SIZE)
    reason = no_ros()
    nodes: list[float] = []
    said: list[str] = []
    libraries: list[list[float]] = []
    end = time.monotonic() + context.seconds
    while len(libraries) < LEAST or (time.monotonic() < end and len(libraries) < MOST):
        libraries.append(library_start(context.device))
        if not reason:
            seconds, words = node_start(picture, context.device, context.folder / "startup.log")
            nodes.append(seconds)
            said.append(words)
    rows = []
    if nodes:
        rows.append(Row("node: launch to its first depth image in another process", (Figure.median(nodes, "s"),)))
        rows += steps(said)
    names = ("a program without ROS: launch to its first depth", *("- imports", "- loading", "- first frame"))
    rows += [Row(name, (Figure.median([one[index] for one in libraries], "s"),)) for index, name in enumerate(names)]
    notes = (f"The node is not measured: {reason}.",) if reason else ()
    title = f"{MODEL}, {SIZE[0]}x{SIZE[1]}: time from launch; the files are in the system's cache"
    return PartResult("startup", (Table(title, "start", ("time",), tuple(rows), notes),))


def node_start(picture: Picture, device: str, log: Path) -> tuple[float, str]:
    """Seconds from launching the node to its first depth image here, and what it says about its start."""
    with ros_peer(outputs=(DEPTH,)) as peer:
        parameters = {"model": MODEL, "device": device}
        with NodeProcess(log, "image", parameters, NODE_COMMAND) as node:
            seconds = peer.connect(picture, node, CAMERA_PERIOD_S)
        lines = log.read_text(errors="replace").splitlines()
        return seconds, next((line.rpartition(": ")[2] for line in lines if "first depth" in line), "")


def steps(said: list[str]) -> list[Row]:
    """The steps of its start that the node told in every launch."""
    told = [{m["name"].strip(" ,"): float(m["seconds"]) for m in _STEP.finditer(line)} for line in said]
    return [
        Row(f"- {name}", (Figure.median([one[name] for one in told], "s"),))
        for name in told[0]
        if all(name in one for one in told)
    ]


def library_start(device: str) -> list[float]:
    """Seconds from launching Python to the first depth without ROS, and of its steps: imports, loading, first frame."""
    code = LIBRARY.format(model=MODEL, device=device, width=SIZE[0], height=SIZE[1])
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        whole = time.perf_counter() - started
    return [whole, *map(float, line.split())]
