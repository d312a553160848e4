# SPDX-License-Identifier: Apache-2.0
"""The worker between cameras that are made of paper: what shares a batch, what waits, and what a failure costs."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from depthpro_ros.errors import InputError
from depthpro_ros.models.estimator import EstimatorInfo, Prediction
from depthpro_ros.node import failures
from depthpro_ros.node.accounting import Statistics
from depthpro_ros.node.frame_times import FrameTimes
from depthpro_ros.node.worker import BatchWorker

from .harness import until


@dataclass
class PaperCamera:
    """One camera's stream; its images are numbers."""

    label: str = ""
    fail: dict[str, Exception] = field(default_factory=dict)
    publishing: Callable[[int], None] = lambda image: None
    published: list[int] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    swapped: int = 0

    def __post_init__(self) -> None:
        self.statistics = Statistics()
        self.camera = SimpleNamespace(
            label=self.label, statistics=self.statistics, outputs=SimpleNamespace(swap=self.swap)
        )

    def swap(self) -> None:
        self.swapped += 1

    def _may_fail(self, stage: str) -> None:
        if stage in self.fail:
            raise self.fail.pop(stage)

    def arrived(self, message: Any) -> None:
        self.statistics.arrived()

    def due(self, time_s: float) -> bool:
        return True

    def ready_in(self, arrival: Any) -> float:
        return 0.0

    def begin(self, arrival: Any, at: Callable[[str], None]) -> Any:
        at("decoding")
        self._may_fail("begin")
        return SimpleNamespace(prepared=SimpleNamespace(rgb=arrival.message, focal_px=100.0))

    def finish(self, begun: Any, prediction: Prediction, model_ms: float, batch: int) -> Any:
        self._may_fail("finish")
        self.batches.append(batch)
        return int(prediction.depth_m)

    def publish(self, frame: int) -> None:
        self.publishing(frame)
        self._may_fail("publish")
        self.published.append(frame)
        self.statistics.served(FrameTimes(*[0.0] * 8), 1)


@dataclass
class PaperModel:
    """Says of each image its own number, when it is let; the images of each pass are kept."""

    info = EstimatorInfo("paper", "none", 0, "cpu", "float32")
    passes: list[list[int]] = field(default_factory=list)
    fails: Callable[[list[int]], None] = lambda images: None
    let: threading.Event = field(default_factory=threading.Event)

    def predict(self, rgb: int, focal_px: float) -> Prediction:
        return self._pass([rgb])[0]

    def predict_many(self, images: list[int], focals_px: list[float]) -> list[Prediction]:
        assert len(images) > 1
        return self._pass(images)

    def _pass(self, images: list[int]) -> list[Prediction]:
        self.passes.append(list(images))
        assert self.let.wait(10)
        self.fails(images)
        return [Prediction(torch.tensor(float(image)), torch.tensor(100.0), None) for image in images]


class Log:
    """A logger that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def warning(self, text: str) -> None:
        self.lines.append(text)

    error = warning


class Bench:
    """A worker with its surroundings."""

    def __init__(self, cameras: int, most: int = 0) -> None:
        self.cameras = [PaperCamera(label=f"{number}: ") for number in range(cameras)]
        self.model, self.log, self.broken = PaperModel(), Log(), []
        self.worker = BatchWorker(
            self.model,  # type: ignore[arg-type]
            self.cameras,  # type: ignore[arg-type]
            most=lambda: most,
            logger=self.log,  # type: ignore[arg-type]
            on_broken=self.broken.append,
        )
        self.model.let.set()
        self.worker.start()

    def waiting(self, *images: int) -> None:
        """Hand images over, one of each camera, while the model is busy with another: number 0."""
        self.model.let.clear()
        self.worker.put(0, 0)  # type: ignore[arg-type]
        self.until(lambda: self.model.passes[-1:] == [[0]])
        for camera, image in enumerate(images):
            self.worker.put(camera, image)  # type: ignore[arg-type]
        self.model.let.set()

    def until(self, condition: Callable[[], Any]) -> None:
        until(condition, lambda: (self.model.passes, self.log.lines))


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def make(cameras: int, most: int = 0) -> Bench:
        benches.append(Bench(cameras, most))
        return benches[-1]

    yield make
    for made in benches:
        made.model.let.set()
        made.worker.stop()
        assert made.worker.join(10)


def test_what_waits_is_one_batch(bench: Callable[..., Bench]) -> None:
    b = bench(3)
    b.waiting(1, 2, 3)
    b.until(lambda: [c.published[-1:] for c in b.cameras] == [[1], [2], [3]])
    assert b.model.passes == [[0], [1, 2, 3]]
    assert [c.batches[-1] for c in b.cameras] == [3, 3, 3]


def test_a_limit_splits_it(bench: Callable[..., Bench]) -> None:
    b = bench(3, most=2)
    b.waiting(1, 2, 3)
    b.until(lambda: [c.published[-1:] for c in b.cameras] == [[1], [2], [3]])
    # camera 0 was served last
    assert b.model.passes == [[0], [2, 3], [1]]


@pytest.mark.parametrize("stage", ["begin", "finish", "publish"])
def test_a_failure_beside_the_network_costs_its_own_frame(bench: Callable[..., Bench], stage: str) -> None:
    b = bench(2)
    b.cameras[1].fail[stage] = InputError("spoilt")
    b.waiting(1, 2)
    b.until(lambda: b.cameras[0].published == [0, 1] and b.cameras[1].statistics.refused == 1)
    assert b.log.lines == ["1: frame refused: spoilt"]
    b.waiting(3, 4)
    b.until(lambda: b.cameras[1].published == [4] and b.cameras[0].published == [0, 1, 0, 3])
    assert b.cameras[0].statistics.refused == 0


def test_a_batch_that_fails_is_computed_one_by_one(bench: Callable[..., Bench]) -> None:
    b = bench(3)

    def fails(images: list[int]) -> None:
        if 2 in images:
            raise RuntimeError("a bad one")

    b.model.fails = fails
    b.waiting(1, 2, 3)
    b.until(lambda: b.cameras[0].published == [0, 1] and b.cameras[2].published == [3])
    assert b.model.passes == [[0], [1, 2, 3], [1], [2], [3]]
    b.until(lambda: b.cameras[1].statistics.refused == 1)
    assert b.cameras[1].statistics.last_error == "RuntimeError: a bad one"
    assert b.cameras[0].statistics.refused == b.cameras[2].statistics.refused == 0


def test_batches_that_do_not_fit_the_memory_become_smaller(bench: Callable[..., Bench]) -> None:
    b = bench(4)

    def fails(images: list[int]) -> None:
        if len(images) > 2:
            raise torch.cuda.OutOfMemoryError("too large")

    b.model.fails = fails
    b.waiting(1, 2, 3, 4)
    b.until(lambda: [c.published[-1:] for c in b.cameras] == [[1], [2], [3], [4]])
    b.waiting(5, 6, 7, 8)
    b.until(lambda: [c.published[-1:] for c in b.cameras] == [[5], [6], [7], [8]])
    assert [len(images) for images in b.model.passes] == [1, 4, 1, 1, 1, 1, 1, 2, 2]
    assert all(c.statistics.refused == 0 for c in b.cameras)
    assert "at most 2 at once from now on" in b.log.lines[0]


def test_a_lost_gpu_is_told_and_nothing_is_tried_again(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lost(RuntimeError):
        pass

    monkeypatch.setattr(failures, "CUDA_BROKEN", (Lost,))
    b = bench(2)

    def fails(images: list[int]) -> None:
        if len(images) == 2:
            raise Lost("illegal memory access")

    b.model.fails = fails
    b.waiting(1, 2)
    b.until(lambda: len(b.broken) == 2)
    assert b.model.passes == [[0], [1, 2]]
    assert all("illegal memory access" in reason for reason in b.broken)


def test_the_next_frame_is_computed_while_one_is_published(bench: Callable[..., Bench]) -> None:
    b = bench(1)
    (camera,) = b.cameras
    out = threading.Semaphore(0)
    camera.publishing = lambda image: out.acquire(timeout=10) and None
    for image in (1, 2):
        b.worker.put(0, image)  # type: ignore[arg-type]
        b.until(lambda image=image: b.model.passes[-1:] == [[image]])
    b.until(lambda: camera.batches == [1, 1])
    assert camera.published == []
    b.worker.put(0, 3)  # type: ignore[arg-type]
    time.sleep(0.05)
    assert (b.model.passes, camera.swapped) == ([[1], [2]], 1), "a third frame, and there are two sets of messages"
    out.release(3)
    b.until(lambda: camera.published == [1, 2, 3])


def test_a_frame_that_is_computed_at_the_stop_is_not_published(bench: Callable[..., Bench]) -> None:
    b = bench(1)
    b.model.let.clear()
    b.worker.put(0, 1)  # type: ignore[arg-type]
    b.until(lambda: b.model.passes == [[1]])
    b.worker.stop()
    assert not b.worker.join(0.05), "the frame in progress was given up"
    b.model.let.set()
    assert b.worker.join(10)
    assert b.cameras[0].published == [] and b.cameras[0].batches == [1]
    assert b.log.lines == []


def total(statistics: Statistics) -> int:
    parts = (statistics.frames_out, statistics.dropped, statistics.refused, statistics.idle)
    return sum(parts) + statistics.waiting + statistics.in_progress


def test_every_image_is_accounted_for(bench: Callable[..., Bench]) -> None:
    b = bench(3, most=2)
    chance = random.Random(0)

    def fails(images: list[int]) -> None:
        time.sleep(chance.random() * 0.003)
        if chance.random() < 0.2:
            raise chance.choice([RuntimeError("a bad one"), MemoryError(), torch.cuda.OutOfMemoryError("full")])

    b.model.fails = fails
    for number in range(300):
        camera = chance.randrange(3)
        stage = chance.choice(["begin", "finish", "publish", "", "", ""])
        if stage:
            b.cameras[camera].fail[stage] = InputError("spoilt")
        b.worker.put(camera, number)  # type: ignore[arg-type]
        time.sleep(chance.random() * 0.003)
    b.model.let.clear()  # one is computed, and the next wait
    for number in range(6):
        b.worker.put(number % 3, number)  # type: ignore[arg-type]
    b.worker.stop()
    b.worker.put(0, 1)  # type: ignore[arg-type]
    b.model.let.set()
    assert b.worker.join(10)
    for camera in b.cameras:
        s = camera.statistics
        assert s.waiting == s.in_progress == 0
        assert s.images_in == total(s) and s.frames_out == len(camera.published)
    assert sum(c.statistics.images_in for c in b.cameras) == 307
    assert all(sum(getattr(c.statistics, kind) for c in b.cameras) for kind in ("frames_out", "dropped", "refused"))


def test_a_worker_that_breaks_down_is_told(bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch) -> None:
    b = bench(1)

    def breaks(arrival: Any) -> float:
        raise KeyError("a bug")

    monkeypatch.setattr(b.cameras[0], "ready_in", breaks)
    b.worker.put(0, 1)  # type: ignore[arg-type]
    b.until(lambda: b.broken)
    assert "a bug" in b.broken[0] and "the worker ends" in b.log.lines[0]
