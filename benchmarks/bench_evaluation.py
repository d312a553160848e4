# SPDX-License-Identifier: Apache-2.0
"""What an evaluation costs beside its model: reading a bag, all default metrics, and memory over many frames.

A small bag of 640x480 frames is written to a temporary folder and read as `depthpro evaluate bag` does it. The
prediction is the truth with a wrong scale, soft edges and noise. Memory is that of 10,000 small frames, scored and
recorded. Beside the time that passes stands what the processor took, which other work on the machine changes less.

    python -m benchmarks.bench_evaluation
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
from numpy.typing import NDArray

from depthpro_ros.bag_writer import BagWriter, camera_info_message, header, image_message
from depthpro_ros.camera import CameraModel, Intrinsics
from depthpro_ros.evaluation.bags.recording import Recording
from depthpro_ros.evaluation.bags.topic_info import list_topics
from depthpro_ros.evaluation.bags.topics import choose_topics
from depthpro_ros.evaluation.boundaries import boundary_f1
from depthpro_ros.evaluation.metrics import score_alignments
from depthpro_ros.evaluation.results.folder import ResultsFolder
from depthpro_ros.evaluation.results.profiles import Profiles
from depthpro_ros.evaluation.results.record import Focal
from depthpro_ros.evaluation.results.run_info import RunInfo, Settings
from depthpro_ros.evaluation.run.bag_source import BagSource
from depthpro_ros.evaluation.run.frames import Predicted, SourceFrame
from depthpro_ros.evaluation.run.scoring import DEFAULT_ALIGNMENTS, DEFAULT_MASK, FrameScorer, Scored
from depthpro_ros.evaluation.temporal import flicker, static_pixels
from depthpro_ros.machine import machine

ALLOWED_MS = 40.0
SIZE, SMALL = (640, 480), (64, 48)
BAG_FRAMES = 60
ENCODINGS = ("32FC1", "16UC1")
PERIOD_NS = 10**8
SETTLED = 1000
"""Frames after which memory is looked at first."""
IMAGE, INFO, TRUTH = "/camera/image_raw", "/camera/camera_info", "/camera/aligned_depth/image_raw"
RUN = RunInfo("bag", "bench", "", None, Settings("", DEFAULT_ALIGNMENTS, "penalise", (), "auto"))

Depth = NDArray[np.float32]


@dataclass
class Room:
    """A camera at rest before a slope with boxes.

    Attributes:
        size: width and height in pixels.
    """

    size: tuple[int, int]
    _rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def __post_init__(self) -> None:
        width, height = self.size
        v, u = np.mgrid[0:height, 0:width] / height
        self._depth_m = (2 + 4 * v + np.sin(5 * u)).astype(np.float32)
        for left, top, side in self._rng.uniform(0, 1, (40, 3)):
            box = np.s_[int(top * height) :, int(left * width) :]
            self._depth_m[box][: int(height * side / 8), : int(height * side / 8)] = 1 + 7 * side
        self._rgb = self._rng.integers(0, 250, (height, width, 3), np.uint8)
        self._soft_m = cv2.GaussianBlur(self._depth_m, (5, 5), 1.2)

    @property
    def camera(self) -> Intrinsics:
        """Of the images."""
        return Intrinsics.from_focal(*self.size, 0.8 * self.size[0])

    def frame(self, number: int) -> SourceFrame:
        """The image with a little noise, and the exact depth."""
        rgb = self._rgb + self._rng.integers(0, 5, self._rgb.shape, np.uint8)
        fx = self.camera.fx
        return SourceFrame(f"bench/{number}", "bench", rgb, number * PERIOD_NS, "camera", None, fx, self._depth_m)

    def prediction(self) -> Predicted:
        """A tenth too far, with soft edges and 2 % of noise."""
        noise = self._rng.normal(1.1, 0.02, self._soft_m.shape).astype(np.float32)
        return Predicted(self._soft_m * noise, self.camera, Focal(self.size[0], self.camera.fx, self.camera.fx))


@dataclass(frozen=True)
class Times:
    """Medians, milliseconds.

    Attributes:
        wall: what passes.
        processor: what all threads together take.
    """

    wall: float
    processor: float

    def __add__(self, other: Times) -> Times:
        return Times(self.wall + other.wall, self.processor + other.processor)

    def __truediv__(self, count: int) -> Times:
        return Times(self.wall / count, self.processor / count)

    def __str__(self) -> str:
        return f"{self.wall:7.1f} ms {self.processor:8.1f} ms"


def timed(action: Callable[[], Any], repeats: int) -> Times:
    """Repeat an action, once more than is counted."""
    walls, processors = [], []
    for _ in range(repeats + 1):
        started, taken = time.perf_counter(), time.process_time()
        action()
        walls.append((time.perf_counter() - started) * 1e3)
        processors.append((time.process_time() - taken) * 1e3)
    return Times(statistics.median(walls[1:]), statistics.median(processors[1:]))


def write_bag(path: Path, encoding: str) -> None:
    """Images, calibrations and depth."""
    room = Room(SIZE)
    with BagWriter(path) as bag:
        for number in range(BAG_FRAMES):
            frame = room.frame(number)
            assert frame.truth_m is not None
            depth = frame.truth_m if encoding == "32FC1" else (frame.truth_m * 1000).astype(np.uint16)
            head, stamp_ns = header(number * PERIOD_NS, "camera"), number * PERIOD_NS
            bag.write(INFO, camera_info_message(head, CameraModel.from_intrinsics(room.camera)), stamp_ns)
            bag.write(IMAGE, image_message(head, frame.rgb, "rgb8"), stamp_ns)
            bag.write(TRUTH, image_message(head, depth, encoding), stamp_ns)


def read_bag(path: Path) -> int:
    """Open, find the topics, match, and decode every frame; how many there were."""
    with Recording(path) as recording:
        source = BagSource(recording, choose_topics(list_topics(recording)))
        return sum(isinstance(frame, SourceFrame) for frame in source.frames())


def reading(encoding: str, repeats: int) -> Times:
    """Of each frame of a bag."""
    with tempfile.TemporaryDirectory(prefix="depthpro_bench_") as folder:
        path = Path(folder) / "bag"
        write_bag(path, encoding)
        assert read_bag(path) == BAG_FRAMES
        return timed(lambda: read_bag(path), max(1, repeats // 5)) / BAG_FRAMES


def default_metrics(repeats: int) -> Iterator[tuple[str, Times]]:
    """Each default metric alone."""
    room = Room(SIZE)
    before, now = ((room.frame(number), room.prediction().depth_m) for number in range(2))
    frame, depth_m = now
    truth_m = frame.truth_m
    assert truth_m is not None
    counts = DEFAULT_MASK.of(truth_m)

    def steadiness() -> float:
        return flicker(before[1], depth_m, static_pixels(before[0].rgb, frame.rgb))

    alignments = ", ".join(DEFAULT_ALIGNMENTS)
    metrics: dict[str, Callable[[], Any]] = {
        f"scores: {alignments}": lambda: score_alignments(
            depth_m, truth_m, mask=DEFAULT_MASK.of(truth_m), alignments=DEFAULT_ALIGNMENTS
        ),
        "boundary F1": lambda: boundary_f1(depth_m, truth_m),
        "flicker, where the image is at rest": steadiness,
        "profiles: range, row, radius, histogram": lambda: Profiles.of(depth_m, truth_m, counts),
    }
    for name, metric in metrics.items():
        yield name, timed(metric, repeats)


def scorer(repeats: int) -> Times:
    """All default figures of a frame, as an evaluation takes them."""
    room, all_metrics = Room(SIZE), FrameScorer()
    frames = [(room.frame(number), room.prediction()) for number in range(4)]
    before: Scored | None = all_metrics.score(0, *frames[0], None)[1]
    count = 0

    def score() -> None:
        nonlocal before, count
        count += 1
        record, before = all_metrics.score(count, *frames[count % len(frames)], before)
        assert "flicker" in record.figures

    return timed(score, repeats)


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


def memory_over(frames: int) -> Memory:
    """Score, record and sum up many small frames."""
    room, all_metrics = Room(SMALL), FrameScorer()

    def resident() -> float:
        return psutil.Process().memory_info().rss / 1e6

    with tempfile.TemporaryDirectory(prefix="depthpro_bench_") as path:
        folder = ResultsFolder.create(Path(path), RUN)
        before: Scored | None = None
        settled = 0.0
        for number in range(frames):
            record, before = all_metrics.score(number, room.frame(number), room.prediction(), before)
            folder.add(record)
            if number + 1 == min(SETTLED, frames):
                settled = resident()
        scored = resident()
        assert folder.summary().evaluated == frames
        return Memory(settled, scored - settled, resident() - scored)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--memory-frames", type=int, default=10_000)
    options = parser.parse_args()
    print(f"Evaluation beside the model, {SIZE[0]}x{SIZE[1]}, {machine()}:")
    print(f"{'':60} {'time':>10} {'processor':>11}")
    read = {f"decode and match, rgb8 and {encoding}": reading(encoding, options.repeats) for encoding in ENCODINGS}
    for name, times in read.items():
        print(f"{name:60} {times}")
    for name, times in default_metrics(options.repeats):
        print(f"{name:60} {times}", flush=True)
    metrics = scorer(options.repeats)
    print(f"{'all default metrics, as an evaluation takes them':60} {metrics}")
    slower = max(read.values(), key=lambda times: times.wall)
    print(f"{'whole frame beside the model':60} {slower + metrics}, allowed {ALLOWED_MS:.0f} ms")
    memory = memory_over(options.memory_frames)
    print(
        f"memory: {memory.settled:.0f} MB after {min(SETTLED, options.memory_frames)} frames of {SMALL[0]}x{SMALL[1]}, "
        f"{memory.scored:+.1f} MB more after {options.memory_frames}, {memory.summarised:+.1f} MB more in the summary"
    )


if __name__ == "__main__":
    main()
