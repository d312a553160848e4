# SPDX-License-Identifier: Apache-2.0
"""Part "evaluation": what an evaluation costs beside its model: reading a bag, all default metrics, memory.

A small bag of 640x480 frames is written and read as `depthpro evaluate bag` does it. The prediction is the truth with a
wrong scale, soft edges and noise. Memory is that of many small frames, scored and recorded.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from depthpro_ros.bench.results import Figure, PartResult, Row, RunContext, Table

ALLOWED_MS = 40.0
SMALL = (64, 48)
SETTLED = 1000
"""Frames after which memory is looked at first."""
MANY_FRAMES, FEWER_FRAMES, LONG_PART_S = 10_000, 3000, 30.0
"""Frames after which it is looked at last: many where the part has so long."""
LEAST, MOST = 5, 40


@dataclass(frozen=True)
class Times:
    """One measurement, milliseconds.

    Attributes:
        wall: what passes.
        processor: what all threads together take, which other work on the machine changes less.
    """

    wall: float
    processor: float


@dataclass(frozen=True)
class Memory:
    """Resident memory, 10^6 bytes.

    Attributes:
        settled: after `SETTLED` frames.
        scored: growth from then to the last frame.
        summarised: growth while all of them are read again and summed up.
    """

    settled: float
    scored: float
    summarised: float


def run(context: RunContext) -> PartResult:
    """Measure; see `depthpro_ros.bench.results`."""
    try:
        import psutil  # noqa: F401
        import rosbags  # noqa: F401

        from depthpro_ros.bench.evaluation_room import ENCODINGS, SIZE
        from depthpro_ros.evaluation.run import scoring  # noqa: F401
    except ImportError as error:
        return PartResult.skip("evaluation", f"{error}: pip install 'depthpro_ros[evaluate]'")
    times = {f"decode and match, rgb8 and {encoding}": reading(encoding, context.folder) for encoding in ENCODINGS}
    slower = max((statistics.median(t.wall for t in read) for read in times.values()), default=0.0)
    actions = default_metrics()
    times |= {name: repeated(action, context.seconds / 2 / len(actions)) for name, action in actions.items()}
    beside = slower + statistics.median(t.wall for t in times["all default metrics, as an evaluation takes them"])
    rows = [
        Row(name, (Figure.median([t.wall for t in each], "ms"), Figure.median([t.processor for t in each], "ms")))
        for name, each in times.items()
    ]
    rows.append(Row("whole frame beside the model", (Figure.once(beside, "ms"), f"allowed: {ALLOWED_MS:.0f} ms")))
    size = f"{SIZE[0]}x{SIZE[1]}"
    frames = MANY_FRAMES if context.seconds >= LONG_PART_S else FEWER_FRAMES
    context.say(f"  memory over {frames} frames ...")
    used = memory_of_process(frames)
    memory = (
        Row(f"after {SETTLED} frames", (Figure.once(used.settled, "MB"),)),
        Row(f"more after {frames} frames", (Figure.once(used.scored, "MB"),)),
        Row("more in the summary of them", (Figure.once(used.summarised, "MB"),)),
    )
    return PartResult(
        "evaluation",
        (
            Table(f"A frame of {size} beside the model", "step", ("time", "of all cores"), tuple(rows)),
            Table(f"Resident memory, frames of {SMALL[0]}x{SMALL[1]} scored and recorded", "when", ("memory",), memory),
        ),
    )


def repeated(action: Callable[[], object], seconds: float) -> list[Times]:
    """Repeat an action, once more than is counted."""
    action()
    end = time.monotonic() + seconds
    times: list[Times] = []
    while len(times) < LEAST or (time.monotonic() < end and len(times) < MOST):
        started, taken = time.perf_counter(), time.process_time()
        action()
        times.append(Times((time.perf_counter() - started) * 1e3, (time.process_time() - taken) * 1e3))
    return times


def reading(encoding: str, folder: Path) -> list[Times]:
    """Of each frame of a bag, from readings of the whole bag."""
    from depthpro_ros.bench.evaluation_room import BAG_FRAMES, read_bag, write_bag

    path = folder / f"bag_{encoding}"
    write_bag(path, encoding)
    read = read_bag(path)
    if read != BAG_FRAMES:
        raise RuntimeError(f"{read} of {BAG_FRAMES} frames were read from {path}")
    whole = repeated(lambda: read_bag(path), 0.0)
    return [Times(t.wall / BAG_FRAMES, t.processor / BAG_FRAMES) for t in whole]


def default_metrics() -> dict[str, Callable[[], object]]:
    """Each default metric alone, and all of them as an evaluation takes them."""
    from depthpro_ros.bench.evaluation_room import SIZE, Room
    from depthpro_ros.evaluation.boundaries import boundary_f1
    from depthpro_ros.evaluation.metrics import score_alignments
    from depthpro_ros.evaluation.results.profiles import Profiles
    from depthpro_ros.evaluation.run.scoring import DEFAULT_ALIGNMENTS, DEFAULT_MASK, FrameScorer, Scored
    from depthpro_ros.evaluation.temporal import flicker, static_pixels

    room, scorer = Room(SIZE), FrameScorer()
    frames = [(room.frame(number), room.prediction()) for number in range(4)]
    (before, before_said), (now, said) = frames[:2]
    truth_m, depth_m = now.truth_m, said.depth
    assert truth_m is not None
    counts = DEFAULT_MASK.of(truth_m)
    last: Scored | None = scorer.score(0, *frames[0], None)[1]
    number = 0

    def everything() -> None:
        nonlocal last, number
        number += 1
        _, last = scorer.score(number, *frames[number % len(frames)], last)

    return {
        f"scores: {', '.join(DEFAULT_ALIGNMENTS)}": lambda: score_alignments(
            depth_m, truth_m, mask=DEFAULT_MASK.of(truth_m), alignments=DEFAULT_ALIGNMENTS
        ),
        "boundary F1": lambda: boundary_f1(depth_m, truth_m),
        "flicker, where the image is at rest": lambda: flicker(
            before_said.depth, depth_m, static_pixels(before.rgb, now.rgb)
        ),
        "profiles: range, row, radius, histogram": lambda: Profiles.of(depth_m, truth_m, counts),
        "all default metrics, as an evaluation takes them": everything,
    }


def memory_of_process(frames: int) -> Memory:
    """`memory_over` in a process of its own, which holds nothing else."""
    code = (
        f"import json; from depthpro_ros.bench import evaluation as e; print(json.dumps(vars(e.memory_over({frames}))))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True)
    return Memory(**json.loads(done.stdout.splitlines()[-1]))


def memory_over(frames: int) -> Memory:
    """Score, record and sum up many small frames."""
    import psutil

    from depthpro_ros.bench.evaluation_room import Room
    from depthpro_ros.evaluation.results.folder import ResultsFolder
    from depthpro_ros.evaluation.results.run_info import RunInfo, Settings
    from depthpro_ros.evaluation.run.scoring import DEFAULT_ALIGNMENTS, FrameScorer, Scored

    room, scorer = Room(SMALL), FrameScorer()
    about = RunInfo("bag", "bench", "", None, Settings("", DEFAULT_ALIGNMENTS, "penalise", (), "auto"))

    def resident() -> float:
        return float(psutil.Process().memory_info().rss) / 1e6

    with tempfile.TemporaryDirectory(prefix="depthpro_bench_") as path:
        folder = ResultsFolder.create(Path(path), about)
        before: Scored | None = None
        settled = 0.0
        for number in range(frames):
            record, before = scorer.score(number, room.frame(number), room.prediction(), before)
            folder.add(record)
            if number + 1 == min(SETTLED, frames):
                settled = resident()
        scored = resident()
        folder.summary()
        return Memory(settled, scored - settled, resident() - scored)
