# SPDX-License-Identifier: Apache-2.0
"""Who gets which task, and what becomes of those that fail."""

from __future__ import annotations

from pathlib import Path

from depthpro_ros.evaluation.fleet.find import Bag
from depthpro_ros.evaluation.fleet.pool import Done, Failed, Todo, workers_here
from depthpro_ros.evaluation.fleet.units import Unit

A, B = Bag(Path("/a"), "a"), Bag(Path("/b"), "b")


def units(bag: Bag, count: int) -> list[Unit]:
    return [Unit(bag, start, start + 1) for start in range(count)]


def test_a_worker_stays_with_the_recording_that_it_has_open() -> None:
    todo = Todo([*units(A, 2), *units(B, 3)])
    taken = [todo.take(B) for _ in range(5)]
    assert taken == [*units(B, 3), *units(A, 2)]
    assert todo.take(B) is None


def test_workers_with_nothing_open_go_to_different_recordings() -> None:
    todo = Todo([*units(A, 2), *units(B, 2)])
    assert [todo.take(None) for _ in range(2)] == [units(A, 1)[0], units(B, 1)[0]]


def test_a_task_is_tried_three_times() -> None:
    task = units(A, 1)[0]
    todo = Todo([task])
    outcomes = []
    while (taken := todo.take(None)) is not None:
        outcomes.append(todo.failed(taken, "why"))
    assert outcomes == [Failed(task, "why", True), Failed(task, "why", True), Failed(task, "why", False)]


def test_a_task_that_is_done_does_not_come_back() -> None:
    todo = Todo(units(A, 1))
    task = todo.take(None)
    assert task is not None
    assert todo.done(task) == Done(task)
    assert len(todo) == 0


def test_a_named_gpu_has_room_for_one_worker() -> None:
    assert workers_here("cuda:1") == 1
    assert workers_here("cpu") >= 1
