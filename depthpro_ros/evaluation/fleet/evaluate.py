# SPDX-License-Identifier: Apache-2.0
"""A fleet's recordings from beginning to end: survey, units, merged evaluation."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from depthpro_ros.evaluation.bags.matching import SLOP_S
from depthpro_ros.evaluation.bags.topics import Choice
from depthpro_ros.evaluation.fleet.find import Bag
from depthpro_ros.evaluation.fleet.merge import Whole, merge, notes_of
from depthpro_ros.evaluation.fleet.pool import Done, Failed, Part, Pool
from depthpro_ros.evaluation.fleet.store import UnitStore
from depthpro_ros.evaluation.fleet.units import SHARD_FRAMES, Survey, Unit, units_of
from depthpro_ros.evaluation.fleet.work import Job
from depthpro_ros.evaluation.results.folder import ResultsFolder
from depthpro_ros.evaluation.results.run_info import RunInfo
from depthpro_ros.evaluation.run.describe import describe
from depthpro_ros.evaluation.run.progress import EVERY_S, Progress


@dataclass(frozen=True)
class Order:
    """What to evaluate, and where to.

    Attributes:
        bags: the recordings.
        output: folder for the results.
        command: what was typed.
        shard_frames: how many frames a unit has at most.
        force, resume: see `ResultsFolder.create`.
    """

    bags: Sequence[Bag]
    output: Path
    command: str = ""
    shard_frames: int = SHARD_FRAMES
    force: bool = False
    resume: bool = False


class FleetEvaluation:
    """Spreads recordings over a pool and merges what comes back; only this process writes.

    Args:
        order: what, and where to.
        job: how.
        pool: who; it stays the caller's.

    Attributes:
        folder: the merged results, there when `work` has ended.

    Raises:
        InputError: the folder holds results and neither `force` nor `resume` is set, or results of another kind.
        DepthProError: no worker can work.
    """

    def __init__(self, order: Order, job: Job, pool: Pool) -> None:
        self._order, self._job, self._pool = order, job, pool
        self._model = pool.start().model
        run = self._run_info()
        self.folder = ResultsFolder.create(order.output, run, force=order.force, resume=order.resume)
        self._store = UnitStore(order.output, run, keep=order.resume)
        self._started = run.started
        self._surveys = self._store.surveys(order.bags)
        self._given_up: dict[Unit, str] = {}

    def work(self) -> None:
        """Evaluate what is not done yet, and merge all that is done, also after an interruption.

        Raises:
            DepthProError: workers cannot go on; what is done is kept for another run.
        """
        try:
            self._survey()
            self._evaluate()
        except KeyboardInterrupt:
            self._merge()
            raise
        self._merge()

    def _survey(self) -> None:
        """Look through the recordings that are not known yet."""
        unknown = [bag for bag in self._order.bags if bag not in self._surveys]
        shown = time.monotonic()
        for event in self._pool.run(unknown):
            if isinstance(event, Part) and isinstance(event.answer, Survey):
                self._surveys[event.answer.bag] = event.answer
                self._store.add_survey(event.answer)
            elif isinstance(event, Failed) and not event.again and isinstance(event.task, Bag):
                self._surveys[event.task] = Survey(event.task, reason=event.reason)
            if time.monotonic() - shown >= EVERY_S:
                shown = time.monotonic()
                print(f"{len(self._surveys)} of {len(self._order.bags)} recordings looked through", file=sys.stderr)
        for survey in self._surveys.values():
            if survey.reason:
                print(f"depthpro: warning: {survey.bag.name} is left out: {survey.reason}", file=sys.stderr)

    def _evaluate(self) -> None:
        """Do the units that are not done yet."""
        units = self._units()
        waiting = [unit for unit in units if self._store.complete(unit) is None]
        total, left = sum(map(len, units)), sum(map(len, waiting))
        print(
            f"{len(self._surveys)} recordings, {total} frames in {len(units)} units, {len(waiting)} to do",
            file=sys.stderr,
        )
        with Progress(total, total - left) as progress:
            counters = defaultdict[Unit, _Counter](lambda: _Counter(progress))
            for event in self._pool.run(waiting):
                unit = event.task
                assert isinstance(unit, Unit)
                counter = counters[unit]
                if isinstance(event, Part):
                    assert not isinstance(event.answer, Survey)
                    self._store.add(unit, event.answer)
                    counter.add(len(event.answer))
                elif isinstance(event, Done):
                    self._store.finish(unit)
                    del counters[unit]
                else:
                    self._store.discard(unit)
                    counter.restart()
                    if not event.again:
                        self._given_up[unit] = event.reason
                        counter.add(len(unit))

    def _merge(self) -> None:
        surveys = sorted(self._surveys.values(), key=lambda survey: survey.bag.name)
        whole = Whole(surveys, self._units(), self._given_up)
        choices = {survey.choice for survey in surveys if survey.choice is not None}
        choice = choices.pop() if len(choices) == 1 else None
        run = replace(self._run_info(choice, notes_of(whole, self._store)), started=self._started)
        merge(whole, self._store, ResultsFolder.create(self._order.output, run, force=True))

    def _units(self) -> tuple[Unit, ...]:
        return units_of(list(self._surveys.values()), self._order.shard_frames)

    def _run_info(self, choice: Choice | None = None, notes: Sequence[str] = ()) -> RunInfo:
        job, frames = self._job, self._order.shard_frames
        run = describe(
            "fleet",
            job.root.name,
            self._order.command,
            job.scorer.of_model(self._model.metric),
            model=None,
            focal=job.focal,
            frames=job.selection.label if job.selection.label == "all" else f"of each recording: {job.selection.label}",
            choice=choice,
            notes=[
                f"recordings were cut into units of at most {frames} frames; an estimated focal length is held steady "
                "within a unit, and found anew at the beginning of each",
                *notes,
            ],
            extra=_extra(job, frames),
        )
        return replace(run, model=self._model, machine=self._pool.machines())


class _Counter:
    """Frames of a unit as progress counts them: those that are done again count once."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._now = self._shown = 0

    def add(self, frames: int) -> None:
        self._now += frames
        for _ in range(self._now - self._shown):
            self._progress.step()
        self._shown = max(self._shown, self._now)

    def restart(self) -> None:
        self._now = 0


def _extra(job: Job, shard_frames: int) -> dict[str, str]:
    """What is not as usual and changes results."""
    told: dict[str, object] = {"focal length found anew": f"every {shard_frames} frames"}
    if job.estimate_focal:
        told["focal length estimated"] = "also where it is known"
    if job.preset is not None:
        told["preset"] = job.preset
    if job.wanted is not None:
        told.update({f"{name} as told": topic for name, topic in vars(job.wanted).items() if topic is not None})
    if job.slop_s != SLOP_S:
        told["partners at most"] = f"{job.slop_s:g} s apart"
    if job.depth_scale is not None:
        told["depth values per metre"] = f"{job.depth_scale:g}"
    if job.truth_pose is not None:
        told["pose of the truth in the image's frame"] = job.truth_pose.round(6).tolist()
    return {name: str(value) for name, value in told.items()}
