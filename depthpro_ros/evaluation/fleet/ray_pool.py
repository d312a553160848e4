# SPDX-License-Identifier: Apache-2.0
"""Workers on a Ray cluster, or on all cores of this machine; those that die are replaced."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from depthpro_ros.errors import DataError, DepthProError, InputError
from depthpro_ros.evaluation.fleet.cluster import connect, import_ray
from depthpro_ros.evaluation.fleet.find import Bag
from depthpro_ros.evaluation.fleet.pool import TRIES, Event, Part, Todo, bag_of, reason_of
from depthpro_ros.evaluation.fleet.work import Answer, Job, Task, Worker, WorkerInfo

WAIT_S, CLOSE_S = 30.0, 5.0

logger = logging.getLogger(__name__)


class Servant(Worker):
    """A worker that is asked for one answer after another, from another process."""

    _going: Iterator[Answer] = iter(())

    def advance(self, task: Task | None = None) -> Answer | None:
        """The next answer to this task, or to the one that was given before; None after the last."""
        if task is not None:
            self._going = self.answers(task)
        return next(self._going, None)


@dataclass(eq=False)
class _Hand:
    """A worker as it is seen from here.

    Attributes:
        info: None until it is ready.
        task: what it does; None if it is idle.
        opened: the recording that it has open.
    """

    actor: Any
    info: WorkerInfo | None = None
    task: Task | None = None
    opened: Bag | None = None


class RayPool:
    """Workers on a Ray cluster, each an actor with a model: one for each GPU where the cluster has GPUs and the device
    is not cpu, else one for each core.

    Args:
        job: what to do.
        address: of the cluster, as `ray.init` takes it; None for this machine alone.
        device: as `load_estimator` takes it.
        jobs: at most so many workers; None for as many as there is room for.
        cores: of this machine, where there is no address; None for all.

    Attributes:
        size: how many workers there may be.

    Raises:
        InputError: Ray is not installed, there is no such cluster, or it does not have the device.
    """

    def __init__(
        self,
        job: Job,
        address: str | None = None,
        *,
        device: str = "auto",
        jobs: int | None = None,
        cores: int | None = None,
    ) -> None:
        self._hands: list[_Hand] = []
        self._pending: dict[Any, _Hand] = {}
        self._first: WorkerInfo | None = None
        self._hosts: dict[str, str] = {}
        self._stillborn = 0
        self._ray = import_ray()
        self._owned = connect(self._ray, address, cores)
        try:
            resources = self._ray.cluster_resources()
            gpus, cpus = int(resources.get("GPU", 0)), int(resources.get("CPU", 0))
            on_gpus = device != "cpu" and gpus > 0
            if device.startswith("cuda") and (not on_gpus or device != "cuda"):
                raise InputError(
                    f"--device {device}: the cluster has {gpus} GPUs, and each worker has one of them for itself, "
                    "which it calls cuda; give --device cuda, auto or cpu"
                )
            room = gpus if on_gpus else max(cpus, 1)
            self.size = room if jobs is None else min(jobs, room)
            options = {"num_cpus": 0, "num_gpus": 1} if on_gpus else {"num_cpus": 1}
            self._actor_class = self._ray.remote(max_restarts=0, **options)(Servant)
            self._arguments = (self._ray.put(job), None if on_gpus else 1)
        except BaseException:
            self.close()
            raise

    def start(self) -> WorkerInfo:
        """See `Pool`."""
        while self._first is None:
            self._staff(1)
            for ref in self._wait():
                self._welcome(self._pending.pop(ref), ref)
        return self._first

    def run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        """See `Pool`."""
        self.start()
        todo = Todo(tasks)
        while len(todo) or any(hand.task is not None for hand in self._hands):
            self._staff(len(todo))
            for hand in self._idle():
                task = todo.take(hand.opened)
                if task is None:
                    break
                hand.task, hand.opened = task, bag_of(task)
                self._pending[hand.actor.advance.remote(task)] = hand
            for ref in self._wait():
                hand = self._pending.pop(ref)
                if hand.info is None:
                    self._welcome(hand, ref)
                else:
                    yield self._event(hand, hand.info, ref, todo)

    def machines(self) -> str:
        """See `Pool`."""
        names = Counter(self._hosts.values())
        return f"{self.size} workers on " + "; ".join(f"{count} x {name}" for name, count in sorted(names.items()))

    def close(self) -> None:
        """See `Pool`."""
        hands, self._hands = self._hands, []
        closed = [hand.actor.close.remote() for hand in hands if hand.info is not None]
        if closed:
            self._ray.wait(closed, num_returns=len(closed), timeout=CLOSE_S)
        for hand in hands:
            self._ray.kill(hand.actor)
        if self._owned:
            self._ray.shutdown()

    def _idle(self) -> list[_Hand]:
        return [hand for hand in self._hands if hand.info is not None and hand.task is None]

    def _staff(self, waiting: int) -> None:
        """Have a worker for each task that waits, while there is room."""
        free = sum(hand.task is None for hand in self._hands)
        for _ in range(min(self.size - len(self._hands), waiting - free)):
            hand = _Hand(self._actor_class.remote(*self._arguments))
            self._hands.append(hand)
            self._pending[hand.actor.hello.remote()] = hand

    def _wait(self) -> list[Any]:
        ready, _ = self._ray.wait(list(self._pending), num_returns=1, timeout=WAIT_S)
        if not ready and not any(hand.info for hand in self._hands):
            logger.warning("no worker is ready yet: other work may have the cluster, or the model takes long to load")
        return list(ready)

    def _welcome(self, hand: _Hand, ref: Any) -> None:
        """Take in a worker that has loaded its model."""
        try:
            info: WorkerInfo = self._ray.get(ref)
        except self._ray.exceptions.RayError as error:
            self._dismiss(hand)
            cause = _cause(error)
            if isinstance(cause, DepthProError):
                raise cause from error
            self._stillborn += 1
            if self._stillborn >= TRIES:
                raise DataError(
                    f"{TRIES} workers in a row ended before their model was loaded (is there memory for {self.size}? "
                    f"--jobs takes fewer; is depthpro_ros installed on all machines?): {reason_of(cause)}"
                ) from error
            return
        if self._first is None and info.notice:
            # what loading logs stays in the worker's log
            logger.warning(info.notice)
        first = self._first or info
        if (info.model, info.version) != (first.model, first.version):
            raise DataError(
                f"workers differ: {_identity(first)}, but {_identity(info)}; install the same version and model on all "
                "machines, or name the model with --model"
            )
        self._stillborn = 0
        self._first, hand.info = first, info
        self._hosts[info.host] = info.machine

    def _event(self, hand: _Hand, info: WorkerInfo, ref: Any, todo: Todo) -> Event:
        """What came of asking a worker for its next answer."""
        task = hand.task
        assert task is not None
        try:
            answer: Answer | None = self._ray.get(ref)
        except self._ray.exceptions.RayTaskError as error:
            hand.task, cause = None, _cause(error)
            if info.model.device.startswith("cuda") and not isinstance(cause, DepthProError):
                # after some errors of CUDA a process cannot use the GPU any more
                self._dismiss(hand)
            return todo.failed(task, reason_of(cause))
        except self._ray.exceptions.RayError as error:
            self._dismiss(hand)
            logger.warning("a worker on %s died (%s); another takes its place", info.host, type(error).__name__)
            return todo.failed(task, f"its worker died ({type(error).__name__})")
        if answer is None:
            hand.task = None
            return todo.done(task)
        # it goes on while this answer is written
        self._pending[hand.actor.advance.remote()] = hand
        return Part(task, answer, info)

    def _dismiss(self, hand: _Hand) -> None:
        self._hands.remove(hand)
        self._ray.kill(hand.actor)


def _cause(error: Any) -> BaseException:
    """What the worker raised, if it lived to raise something."""
    cause = getattr(error, "cause", None)
    return cause if isinstance(cause, BaseException) else error


def _identity(info: WorkerInfo) -> str:
    model = info.model
    return f"{info.host} has {model.name} {model.weights_sha256[:12]} on {model.device} in {info.version}"
