# SPDX-License-Identifier: Apache-2.0
"""What a worker does: it holds one model and one open recording, and evaluates unit after unit."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from depthpro_ros import __version__
from depthpro_ros.errors import DataError, DepthProError, InputError
from depthpro_ros.evaluation.bags.matching import SLOP_S
from depthpro_ros.evaluation.bags.recording import Recording
from depthpro_ros.evaluation.bags.topic_info import list_topics
from depthpro_ros.evaluation.bags.topics import Choice, Wanted, choose_topics
from depthpro_ros.evaluation.bags.transforms import Pose
from depthpro_ros.evaluation.fleet.find import Bag
from depthpro_ros.evaluation.fleet.units import Survey, Unit
from depthpro_ros.evaluation.results.record import FrameRecord
from depthpro_ros.evaluation.results.run_info import ModelInfo
from depthpro_ros.evaluation.results.thumbnail import Thumbnail
from depthpro_ros.evaluation.run.bag_source import BagSource
from depthpro_ros.evaluation.run.frames import ALL, Selection
from depthpro_ros.evaluation.run.predictors import FocalChoice, PipelinePredictor, model_info
from depthpro_ros.evaluation.run.runner import Pictures, records, thumbnail_of
from depthpro_ros.evaluation.run.scoring import FrameScorer
from depthpro_ros.machine import machine
from depthpro_ros.models.estimator import Estimator

CHUNK_FRAMES = 8
"""So many results travel together: a few hundred kilobytes."""


@dataclass(frozen=True)
class Job:
    """What all units have in common; it is sent to every worker.

    Attributes:
        root: the folder that was searched, which every machine must have.
        make_estimator: loads the model, on the worker.
        scorer: how frames are scored.
        focal, estimate_focal: see `PipelinePredictor`.
        wanted, preset: topics, in all recordings the same (see `choose_topics`).
        selection: which frames of each recording.
        slop_s, depth_scale, truth_pose: see `BagSource`.
        decoding: what `make_estimator` was told of it (see `ModelInfo`).
    """

    root: Path
    make_estimator: Callable[[], Estimator]
    scorer: FrameScorer
    focal: FocalChoice = "auto"
    estimate_focal: bool = False
    wanted: Wanted | None = None
    preset: str | None = None
    selection: Selection = ALL
    slop_s: float = SLOP_S
    depth_scale: float | None = None
    truth_pose: Pose | None = None
    decoding: str = ""


@dataclass(frozen=True)
class WorkerInfo:
    """Who works.

    Attributes:
        host, pid: the machine's name and the process.
        machine: its processor and GPU.
        model: what it loaded.
        version: of this package.
        notice: something that the user must know about the model; empty if there is nothing.
    """

    host: str
    pid: int
    machine: str
    model: ModelInfo
    version: str
    notice: str = ""


@dataclass(frozen=True)
class Result:
    """A frame's record, whose index is its number in the recording, and its picture if it keeps one."""

    record: FrameRecord
    picture: Thumbnail | None


Task = Bag | Unit
Answer = Survey | tuple[Result, ...]


class Worker:
    """Surveys recordings and evaluates units, one after another.

    Args:
        job: what to do.
        threads: how many threads computing may take; None for as many as the libraries choose.
    """

    def __init__(self, job: Job, threads: int | None = None) -> None:
        self._job, self._threads = job, threads
        self._scorer = job.scorer
        self._estimator: Estimator | None = None
        self._opened: _Opened | None = None

    def hello(self) -> WorkerInfo:
        """Load the model and say who works.

        Raises:
            DataError: the recordings are not on this machine.
            DepthProError: the model cannot be loaded, or its depth cannot be scored as asked.
        """
        if self._threads is not None:
            _limit_threads(self._threads)
        if not self._job.root.is_dir():
            raise DataError(f"{platform.node()} has no {self._job.root}: all machines must have the recordings there")
        self._estimator = self._job.make_estimator()
        model, notice = model_info(self._estimator, self._job.decoding), self._estimator.info.notice
        self._scorer = self._job.scorer.of_model(model.metric)
        return WorkerInfo(platform.node(), os.getpid(), machine([model.device]), model, __version__, notice)

    def answers(self, task: Task) -> Iterator[Answer]:
        """The survey of a recording, or the results of a unit, a few at a time.

        Raises:
            DepthProError: the unit's recording cannot be opened, or has changed.
        """
        if isinstance(task, Bag):
            yield self._survey(task)
            return
        results = self._results(task)
        while chunk := tuple(islice(results, CHUNK_FRAMES)):
            yield chunk

    def close(self) -> None:
        """Close the recording, which removes copies that reading it took."""
        if self._opened is not None:
            self._opened.recording.close()
        self._opened = None

    def _survey(self, bag: Bag) -> Survey:
        try:
            opened = self._open(bag)
        except (DepthProError, OSError) as error:
            return Survey(bag, reason=str(error))
        notes = (*(problem.text for problem in opened.recording.problems), *opened.source.notes)
        return Survey(bag, opened.source.total, opened.choice, notes)

    def _results(self, unit: Unit) -> Iterator[Result]:
        assert self._estimator is not None, "hello comes first"
        opened = self._open(unit.bag)
        # a new one, which knows nothing of other frames: whoever did the unit before makes no difference
        predictor = PipelinePredictor(
            self._estimator,
            self._job.focal,
            estimate=self._job.estimate_focal,
            rectified=opened.choice.rectified,
        )
        pictures, done = Pictures(unit.fleet_frames), 0
        for record, scored in records(opened.source, predictor, self._scorer, unit.start, unit.stop):
            done += 1
            picture = thumbnail_of(scored) if scored is not None and pictures.wanted(record) else None
            yield Result(record, picture)
        if done < len(unit):
            raise InputError(
                f"{unit.bag.name} has {done} frames from number {unit.start}, there were {len(unit)}: it has changed"
            )

    def _open(self, bag: Bag) -> _Opened:
        if self._opened is None or self._opened.bag != bag:
            self.close()
            self._opened = _Opened.of(bag, self._job)
        return self._opened


@dataclass(frozen=True)
class _Opened:
    """A recording that stays open, since opening reads all of it."""

    bag: Bag
    recording: Recording
    choice: Choice
    source: BagSource

    @classmethod
    def of(cls, bag: Bag, job: Job) -> _Opened:
        recording = Recording(bag.path)
        try:
            choice = choose_topics(list_topics(recording), job.wanted, job.preset)
            source = BagSource(
                recording,
                choice,
                job.selection,
                slop_s=job.slop_s,
                depth_scale=job.depth_scale,
                truth_pose=job.truth_pose,
                scene=bag.name,
            )
        except DepthProError as error:
            recording.close()
            # what is wrong with the recording may be why it lacks what is needed
            raise InputError("; ".join([str(error), *(problem.text for problem in recording.problems)])) from error
        except BaseException:
            recording.close()
            raise
        return cls(bag, recording, choice, source)


def _limit_threads(threads: int) -> None:
    """As many workers as cores must not each take all cores."""
    import cv2
    import torch

    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
