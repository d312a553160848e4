# SPDX-License-Identifier: Apache-2.0
"""Small recordings, and a model of which workers need nothing but this file."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from depthpro_ros.evaluation.fleet.evaluate import FleetEvaluation, Order
from depthpro_ros.evaluation.fleet.find import find_bags
from depthpro_ros.evaluation.fleet.pool import Pool, SingleProcess
from depthpro_ros.evaluation.fleet.work import Job, Worker
from depthpro_ros.evaluation.results.folder import ResultsFolder
from depthpro_ros.evaluation.results.record import FrameRecord
from depthpro_ros.evaluation.run.scoring import FrameScorer
from depthpro_ros.models.estimator import EstimatorInfo, Prediction
from test.bag_writer import BagWriter

WIDTH, HEIGHT, FX = 64, 48, 50.0
SECOND = 10**9
INFO = EstimatorInfo("fake", "", 0, "cpu", "float32")
TIMES = ("model_ms", "pipeline_ms", "frame_ms")


@dataclass
class FakeEstimator:
    """Depth and focal length are plain functions of the image.

    Attributes:
        meeting: a folder with a file for each process that has loaded a model, and one for each that was given an
            image; images of the first recording wait until two have loaded, those of the second until three were given
            one.
        refused: an image whose first pixel is this makes it fail as a fault in the code would.
        predicted: images so far.
    """

    meeting: Path | None = None
    refused: tuple[int, int, int] | None = None
    predicted: int = 0
    info: EstimatorInfo = INFO

    def predict(self, rgb: np.ndarray, focal_px: float | None = None) -> Prediction:
        if self.refused is not None and tuple(rgb[0, 0]) == self.refused:
            raise RuntimeError("an image that this model cannot stand")
        if self.meeting is not None:
            (self.meeting / f"{os.getpid()}.given").touch()
            pattern, count = {1: ("*.loaded", 2), 2: ("*.given", 3)}[int(rgb[0, 0, 0])]
            await_files(self.meeting, pattern, count)
        self.predicted += 1
        focal = 40.0 + float(rgb[..., 2].mean()) / 10 if focal_px is None else focal_px
        depth_m = torch.from_numpy(1 + rgb[..., 0].astype(np.float32) / 64) * (focal / FX)
        return Prediction(depth_m, torch.tensor(focal), torch.tensor(60.0) if focal_px is None else None)


def quick_fake() -> FakeEstimator:
    return FakeEstimator()


def refusing_fake(seed: int) -> FakeEstimator:
    """Fails on the eighth image of a recording."""
    return FakeEstimator(refused=first_pixel(seed, 7))


def meeting_fake(meeting: Path) -> FakeEstimator:
    (meeting / f"{os.getpid()}.loaded").touch()
    return FakeEstimator(meeting, first_pixel(2, 7))


def await_files(folder: Path, pattern: str, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(list(folder.glob(pattern))) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"there are no {count} files {pattern} in {folder}")
        time.sleep(0.01)


def first_pixel(seed: int, index: int) -> tuple[int, int, int]:
    """Which says what image it is."""
    return seed, index, 77


def write_bag(path: Path, frames: int, seed: int = 1, *, calibrated: bool = True, storage: str = "mcap") -> Path:
    """Images of a scene that flickers a little, with registered depth."""
    random = np.random.default_rng(seed)
    scene = random.integers(20, 220, (HEIGHT, WIDTH, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with BagWriter(path, storage) as bag:
        for index in range(frames):
            stamp_ns = (100 + seed) * SECOND + index * SECOND // 10
            image = scene + random.integers(0, 4, scene.shape, np.uint8)
            # what it estimates for the focal length changes over time
            image[..., 2] += np.uint8(index % 30)
            image[0, 0] = first_pixel(seed, index)
            truth_m = (1 + scene[..., 0].astype(np.float32) / 64) * np.float32(random.uniform(0.8, 1.2))
            if calibrated:
                bag.info(
                    "/c/camera_info", stamp_ns, FX, width=WIDTH, height=HEIGHT, centre=(31.5, 23.5), rectified_fx=FX
                )
            bag.image("/c/image", stamp_ns, image, "rgb8")
            bag.image("/d/image", stamp_ns, truth_m, "32FC1")
    return bag.path


def make_job(root: Path, make_estimator: Callable[[], FakeEstimator] = quick_fake) -> Job:
    return Job(root.resolve(), make_estimator, FrameScorer(alignments=("none", "median_scale")))


def evaluate(root: Path, output: Path, pool: Pool | None = None, job: Job | None = None, **order) -> ResultsFolder:
    """A whole evaluation, in one process unless there is a pool."""
    job = job or make_job(root)
    pool = pool or SingleProcess(Worker(job))
    evaluation = FleetEvaluation(Order(find_bags(root), output, **order), job, pool)
    evaluation.work()
    return evaluation.folder


def but_for_times(records: Sequence[FrameRecord]) -> list[str]:
    """Records as lines, without what differs from run to run."""
    return [
        dataclasses.replace(
            record, figures={name: value for name, value in record.figures.items() if name not in TIMES}
        ).to_line()
        for record in records
    ]


def lines(folder: ResultsFolder) -> list[str]:
    return but_for_times(list(folder.records()))
