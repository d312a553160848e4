# SPDX-License-Identifier: Apache-2.0
"""Recordings of a fleet on a Ray cluster of two workers, on this machine."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("rosbags")

from depthpro_ros.errors import DataError, InputError
from depthpro_ros.evaluation.fleet.pool import Event, Failed, Part
from depthpro_ros.evaluation.fleet.ray_pool import RayPool
from depthpro_ros.evaluation.fleet.units import Unit
from depthpro_ros.evaluation.fleet.work import Job, Task
from depthpro_ros.evaluation.results.folder import ResultsFolder
from test.evaluation.fleet.fleet_fixtures import (
    evaluate,
    lines,
    make_job,
    meeting_fake,
    quick_fake,
    refusing_fake,
    write_bag,
)


class Killing(RayPool):
    """Kills the worker that gives the first part of a unit, in the middle of that unit.

    Attributes:
        killed: its process.
        failed: what failed.
    """

    def __init__(self, job: Job) -> None:
        super().__init__(job, device="cpu", jobs=2)
        self.killed: int | None = None
        self.failed: list[Failed] = []

    def run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        for event in super().run(tasks):
            if isinstance(event, Part) and isinstance(event.task, Unit) and self.killed is None:
                self.killed = event.worker.pid
                os.kill(event.worker.pid, signal.SIGKILL)
            elif isinstance(event, Failed):
                self.failed.append(event)
            yield event


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'depthpro_ros[fleet]'")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # a GPU that Ray only counts
    ray.init(
        address="local",
        num_cpus=2,
        num_gpus=1,
        include_dashboard=False,
        object_store_memory=100_000_000,
        log_to_driver=False,
    )
    yield
    ray.shutdown()


@dataclass(frozen=True)
class Runs:
    """The same recordings twice.

    Attributes:
        given: the workers that were given an image.
    """

    pool: Killing
    given: set[int]
    shared: ResultsFolder
    alone: ResultsFolder


@pytest.fixture(scope="module")
def runs(cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """A recording of 44 frames without calibration, one of 21 with it that has an image which makes the model fail,
    and one that cannot be read: by two workers of which one is killed, and in one process.
    """
    fleet = tmp_path_factory.mktemp("fleet")
    write_bag(fleet / "a", 44, seed=1, calibrated=False)
    write_bag(fleet / "b", 21, seed=2)
    (fleet / "c.mcap").write_bytes(b"this is no recording")
    meeting = tmp_path_factory.mktemp("meeting")
    job = make_job(fleet, partial(meeting_fake, meeting))
    pool = Killing(job)
    try:
        shared = evaluate(fleet, tmp_path_factory.mktemp("shared"), pool, job, shard_frames=14)
    finally:
        pool.close()
    job = make_job(fleet, partial(refusing_fake, 2))
    given = {int(path.stem) for path in meeting.glob("*.given")}
    return Runs(pool, given, shared, evaluate(fleet, tmp_path_factory.mktemp("alone"), job=job, shard_frames=14))


@pytest.mark.timeout(120)
def test_a_killed_worker_makes_no_difference(runs: Runs) -> None:
    died = [event for event in runs.pool.failed if event.reason == "its worker died (ActorDiedError)"]
    assert [event.again for event in died] == [True]
    assert lines(runs.shared) == lines(runs.alone)
    assert len(lines(runs.shared)) == 44 + 21 + 1


@pytest.mark.timeout(120)
def test_another_takes_the_place_of_a_killed_worker(runs: Runs) -> None:
    # not who gave results: the new one may have been given nothing but what fails
    assert len(runs.given) == 3
    assert runs.pool.killed in runs.given


@pytest.mark.timeout(120)
def test_what_fails_in_a_worker_is_tried_three_times_and_skipped(runs: Runs) -> None:
    raised = [event.again for event in runs.pool.failed if event.reason.startswith("RuntimeError")]
    assert raised == [True, True, False]
    assert [record.index for record in runs.shared.records() if record.skipped] == [*range(44, 58), 65]


@pytest.mark.timeout(120)
def test_pictures_are_those_of_one_process(runs: Runs) -> None:
    # of all frames but the 15 that are skipped
    assert len(pictures(runs.alone)) == 66 - 15
    assert pictures(runs.shared) == pictures(runs.alone)


def pictures(folder: ResultsFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder.path / "thumbnails").iterdir()}


@pytest.mark.timeout(120)
def test_a_machine_without_the_recordings_is_an_error(cluster: None, tmp_path: Path) -> None:
    pool = RayPool(make_job(tmp_path / "not_mounted", quick_fake), jobs=2)
    with pytest.raises(DataError, match="all machines must have the recordings there"):
        pool.start()
    pool.close()


@pytest.mark.timeout(120)
def test_there_is_a_worker_for_each_gpu_or_for_each_core(cluster: None, tmp_path: Path) -> None:
    assert RayPool(make_job(tmp_path), device="auto").size == 1
    assert RayPool(make_job(tmp_path), device="cpu").size == 2
    assert RayPool(make_job(tmp_path), device="cpu", jobs=1).size == 1


@pytest.mark.timeout(120)
def test_a_worker_cannot_choose_its_gpu(cluster: None, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="each worker has one of them for itself"):
        RayPool(make_job(tmp_path), device="cuda:1")


def test_without_ray_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"depthpro_ros\[fleet\]"):
        RayPool(make_job(tmp_path))
