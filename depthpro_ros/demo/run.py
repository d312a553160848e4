# SPDX-License-Identifier: Apache-2.0
"""The demo from beginning to end."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from depthpro_ros.demo.bag import IMAGE, read_answers, write_input
from depthpro_ros.demo.live import replay_and_record
from depthpro_ros.demo.photographs import DemoFrame, demo_frames
from depthpro_ros.demo.report import Summary, as_json, draw, markdown, score, summarise
from depthpro_ros.errors import InputError
from depthpro_ros.node.network import private_network
from depthpro_ros.node.node_process import NodeDied, NodeProcess
from depthpro_ros.node.node_words import NodeCannotStart

_STEPS = 4


def run_demo(folder: Path, *, model: str, device: str, precision: str, force: bool = False) -> int:
    """Run the demo and print its report.

    Args:
        folder: where everything goes: input and output bag, pictures, report, the node's log.
        model, device, precision: as the node takes them.
        force: write over the results of an earlier run.

    Returns:
        0 if every frame was answered, else 1.

    Raises:
        InputError: something that the demo needs is missing, or the folder is in use.
    """
    started = time.monotonic()
    prepare_folder(folder, force)
    os.environ.update(private_network())

    frames = demo_frames()
    known = sum(f.camera is not None for f in frames)
    _step(1, f"{len(frames)} frames of photographs, {known} with known camera and depth, as a bag: {folder / 'input'}")
    write_input(folder / "input", frames)

    _step(2, f"starting depth_node with model {model!r}, its log is {folder / 'node.log'}")
    parameters = {"model": model, "device": device, "precision": precision, "estimate": "always"}
    parameters["diagnostics_period_s"] = "0.5"
    try:
        with NodeProcess(folder / "node.log", IMAGE, parameters) as node:
            words = replay_and_record(folder / "input", folder / "bag", node, _progress(len(frames)))
    except (NodeDied, NodeCannotStart) as error:
        print(f"\ndepthpro: error: {error}", file=sys.stderr)
        return 1

    _step(4, "pictures and report")
    summary = report(folder, frames, words.model, words.notice)
    answered = summary.frames_out == summary.frames_in
    print(f"\ndone in {time.monotonic() - started:.0f} s" + ("" if answered else ", but frames were not answered"))
    print("Look at:")
    print(f"  {folder / 'overview.png'}  image, ground truth, depth and cloud; every frame is in {folder / 'frames'}")
    print(f"  {folder / 'report.md'}  the whole table, and {folder / 'report.json'} for programs")
    print(
        f"  {folder / 'bag'}  images, depth, clouds: ros2 bag play, Foxglove, or RViz with frame camera_optical_frame"
    )
    return 0 if answered else 1


def report(folder: Path, frames: list[DemoFrame], model: str, notice: str) -> Summary:
    """Score the recorded bag, write pictures and report, and print the summary."""
    answers = list(read_answers(folder / "bag"))
    results = score(frames, answers)
    summary = summarise(results, model, notice)
    draw(folder, frames, answers)
    text = markdown(summary, results)
    (folder / "report.md").write_text(text)
    (folder / "report.json").write_text(as_json(summary, results))
    print(f"\n{text.split('Per frame')[0].removeprefix('# Demo report').strip()}")
    return summary


def prepare_folder(folder: Path, force: bool) -> None:
    """Make the folder, without the pictures of an earlier run.

    Raises:
        InputError: there is something in it and `force` is not set.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: choose another folder")
    if folder.exists() and any(folder.iterdir()) and not force:
        raise InputError(f"{folder} is not empty: choose another folder, or add --force to write over its results")
    folder.mkdir(parents=True, exist_ok=True)
    for old in (folder / "frames").glob("frame_*.png"):
        old.unlink()


def _step(number: int, text: str) -> None:
    print(f"[{number}/{_STEPS}] {text}", file=sys.stderr, flush=True)


def _progress(total: int) -> Callable[[int, float], None]:
    """Says how far the replay is: on one line of a terminal, on a line for every eighth frame elsewhere."""

    def show(done: int, latency_ms: float) -> None:
        text = f"[3/{_STEPS}] replaying: frame {done} of {total}, {latency_ms:.0f} ms"
        if sys.stderr.isatty():
            print(f"\r{text}   ", end="\n" if done == total else "", file=sys.stderr, flush=True)
        elif done == 1 or done % 8 == 0 or done == total:
            print(text, file=sys.stderr, flush=True)

    return show
