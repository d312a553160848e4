# SPDX-License-Identifier: Apache-2.0
"""One implementation in a process of its own, which computes on command, so that several can take turns.

    python -m depthpro_ros.bench.contestant TASK

It reads words from its input (`Order`) and answers each with one line of JSON. What libraries print goes to the error
stream.
"""

from __future__ import annotations

import enum
import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TextIO

import torch

from depthpro_ros.bench.builders import Built, Task, build
from depthpro_ros.bench.timing import seconds_of
from depthpro_ros.errors import DepthProError

WARM_RUNS = 3
"""Before the first measurement, on a GPU: kernels are chosen and compiled in them."""
SHORT_TURN_S = 0.3
"""A turn is as many frames in a row as fit into this, at least one."""
POST = "post"
"""The stage after the network: `Built.post`."""


class Order(str, enum.Enum):
    """What the process can be told."""

    RUN = "run"
    STAGES = "stages"
    MEMORY = "memory"
    END = "end"


@dataclass(frozen=True)
class Ready:
    """The first line.

    Attributes:
        build_s: until the network is on the device; on a GPU with the warm-up.
        problem: why it could not be built; empty if it could.
    """

    build_s: float
    problem: str = ""


@dataclass(frozen=True)
class Turn:
    """One turn.

    Attributes:
        seconds: of each frame.
        stages: seconds of each stage of one more frame (or of the only one), if they were asked for.
    """

    seconds: tuple[float, ...]
    stages: dict[str, float]


@dataclass(frozen=True)
class Memory:
    """Peaks of the process: of the CUDA allocator's reserved memory, or resident.

    Attributes:
        whole: with loading.
        computing: since the network was built.
    """

    whole: int
    computing: int


def main(arguments: list[str], orders: TextIO = sys.stdin) -> int:
    """Build, then obey until the end."""
    started = time.perf_counter()
    task = Task.from_json(arguments[0])
    memory = PeakMemory(task.device)
    with _private_output() as answers:

        def answer(what: Ready | Turn | Memory) -> None:
            print(json.dumps(asdict(what)), file=answers, flush=True)

        try:
            if task.device != "cpu":
                torch.cuda.set_device(task.device)  # where events are recorded
            built = build(task)
            if task.device != "cpu":
                _warm_up(built, task.device)
        except (DepthProError, RuntimeError, ImportError) as error:
            answer(Ready(0.0, f"{type(error).__name__}: {error}".splitlines()[0]))
            return 1
        memory.built()
        answer(Ready(time.perf_counter() - started))
        for line in orders:
            order = Order(line.strip())
            if order == Order.END:
                break
            answer(memory.read() if order == Order.MEMORY else _turn(built, task.device, order))
    return 0


@torch.inference_mode()
def _warm_up(built: Built, device: str) -> None:
    for _ in range(WARM_RUNS):
        built.run()
    torch.cuda.synchronize(device)


@torch.inference_mode()
def _turn(built: Built, device: str, order: Order) -> Turn:
    stages = stage_seconds(built, device) if order == Order.STAGES and built.run_marked is not None else {}
    if stages and device == "cpu":
        # looking at the clock costs nothing there, and a second frame would cost minutes
        return Turn((sum(stages.values()) - stages.get(POST, 0.0),), stages)
    seconds = [seconds_of(built.run, device)]
    while sum(seconds) < SHORT_TURN_S:
        seconds.append(seconds_of(built.run, device))
    return Turn(tuple(seconds), stages)


def stage_seconds(built: Built, device: str) -> dict[str, float]:
    """Seconds of each stage of one frame, in order, with what comes after the network if anything does."""
    assert built.run_marked is not None
    clock = _CudaClock() if device != "cpu" else _Clock()
    clock.mark("")
    result = built.run_marked(clock.mark)
    if built.post is not None:
        built.post(result)
        clock.mark(POST)
    return clock.intervals()


class _Clock:
    """Times between marks."""

    def __init__(self) -> None:
        self._marks: list[tuple[str, float]] = []

    def mark(self, name: str) -> None:
        self._marks.append((name, time.perf_counter()))

    def intervals(self) -> dict[str, float]:
        pairs = zip(self._marks, self._marks[1:], strict=False)
        return {name: at - before for (_, before), (name, at) in pairs}


class _CudaClock:
    """The same on the GPU's own clock, without waiting at each mark."""

    def __init__(self) -> None:
        self._marks: list[tuple[str, torch.cuda.Event]] = []

    def mark(self, name: str) -> None:
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        self._marks.append((name, event))

    def intervals(self) -> dict[str, float]:
        torch.cuda.synchronize()
        pairs = zip(self._marks, self._marks[1:], strict=False)
        return {name: before.elapsed_time(at) / 1e3 for (_, before), (name, at) in pairs}


class PeakMemory:
    """Peaks of this process, of building and of computing apart.

    Args:
        device: whose memory: the CUDA allocator's, or the resident set.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._building = 0

    def built(self) -> None:
        """Count from here on what computing needs."""
        self._building = self._peak()
        if self._device != "cpu":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self._device)
            return
        try:
            with open("/proc/self/clear_refs", "w", encoding="ascii") as clear:
                clear.write("5")
        except OSError:
            pass  # not Linux: both peaks are the same then

    def read(self) -> Memory:
        """Both peaks until now."""
        computing = self._peak()
        return Memory(max(self._building, computing), computing)

    def _peak(self) -> int:
        if self._device != "cpu":
            return torch.cuda.max_memory_reserved(self._device)
        try:
            with open("/proc/self/status", encoding="ascii") as status:
                return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
        except (OSError, StopIteration):
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@contextmanager
def _private_output() -> Iterator[TextIO]:
    """The output stream for us alone: whatever else is printed goes to the error stream."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        yield answers


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
