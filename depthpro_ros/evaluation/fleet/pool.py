# SPDX-License-Identifier: Apache-2.0
"""Who does the tasks: here one process; `ray_pool` has many."""

from __future__ import annotations

import os
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from depthpro_ros.errors import DepthProError
from depthpro_ros.evaluation.fleet.find import Bag
from depthpro_ros.evaluation.fleet.work import Answer, Task, Worker, WorkerInfo

TRIES = 3


@dataclass(frozen=True)
class Part:
    """Some of the answers to a task, in their order, and who gave them."""

    task: Task
    answer: Answer
    worker: WorkerInfo


@dataclass(frozen=True)
class Done:
    """All answers to a task have been given."""

    task: Task


@dataclass(frozen=True)
class Failed:
    """A task was not done; what was answered so far is void.

    Attributes:
        reason: why.
        again: whether it is tried again; it is `TRIES` times.
    """

    task: Task
    reason: str
    again: bool


Event = Part | Done | Failed


class Pool(Protocol):
    """Workers that share tasks."""

    def start(self) -> WorkerInfo:
        """Have at least one worker ready; safe to call again.

        Raises:
            DepthProError: no worker can work.
        """
        ...

    def run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        """Do the tasks; events of different tasks come in any order, those of one in theirs.

        Raises:
            DepthProError: workers cannot work at all, or not all alike.
        """
        ...

    def machines(self) -> str:
        """What has worked so far."""
        ...

    def close(self) -> None:
        """Let the workers go."""
        ...


class Todo:
    """Tasks that wait, and how often each has failed."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._waiting: dict[Bag, deque[Task]] = defaultdict(deque)
        for task in tasks:
            self._waiting[bag_of(task)].append(task)
        self._failures: dict[Task, int] = defaultdict(int)
        self._workers: dict[Bag, int] = defaultdict(int)

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def take(self, opened: Bag | None) -> Task | None:
        """The next task for a worker, since opening a recording reads all of it: of the one that it has open if there
        is any, else of the one that the fewest work at. None if no task waits.
        """
        if opened is not None and self._waiting.get(opened):
            bag = opened
        else:
            bags = [bag for bag, tasks in self._waiting.items() if tasks]
            if not bags:
                return None
            bag = min(bags, key=lambda bag: self._workers[bag])
        self._workers[bag] += 1
        return self._waiting[bag].popleft()

    def done(self, task: Task) -> Done:
        """It is done."""
        self._workers[bag_of(task)] -= 1
        return Done(task)

    def failed(self, task: Task, reason: str) -> Failed:
        """It failed, and waits again unless it has failed too often."""
        self._workers[bag_of(task)] -= 1
        self._failures[task] += 1
        again = self._failures[task] < TRIES
        if again:
            self._waiting[bag_of(task)].appendleft(task)
        return Failed(task, reason, again)


class SingleProcess:
    """Does one task after another, here.

    Args:
        worker: who does them.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._info: WorkerInfo | None = None

    def start(self) -> WorkerInfo:
        """See `Pool`."""
        if self._info is None:
            self._info = self._worker.hello()
        return self._info

    def run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        """See `Pool`."""
        info, todo, opened = self.start(), Todo(tasks), None
        while (task := todo.take(opened)) is not None:
            opened = bag_of(task)
            try:
                for answer in self._worker.answers(task):
                    yield Part(task, answer, info)
            except Exception as error:  # a worker process would not outlive it either, and the others go on
                yield todo.failed(task, reason_of(error))
            else:
                yield todo.done(task)

    def machines(self) -> str:
        """See `Pool`."""
        return self._info.machine if self._info else ""

    def close(self) -> None:
        """See `Pool`."""
        self._worker.close()


def workers_here(device: str) -> int:
    """How many workers this machine has room for: one for each GPU, else one for each core; one on a named GPU."""
    if device.startswith("cuda:"):
        return 1
    if device != "cpu" and torch.cuda.is_available():
        return torch.cuda.device_count()
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def bag_of(task: Task) -> Bag:
    """The recording that a task is about."""
    return task if isinstance(task, Bag) else task.bag


def reason_of(error: BaseException) -> str:
    """Why a task failed, in words."""
    return str(error) if isinstance(error, DepthProError) else f"{type(error).__name__}: {error}"
