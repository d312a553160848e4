# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from depthpro_ros.node.watchdog import Activity, Hang, Watchdog, automatic_limit_s

from .harness import until


class Kennel:
    """A thread that works, and a watchdog that looks at it."""

    def __init__(self, limit_s: float) -> None:
        self.hangs: list[tuple[Hang, Sequence[str]]] = []
        self.gone_on: list[Hang] = []
        self.activity = Activity[str]()
        self.let = threading.Event()
        self.watchdog = Watchdog[str](
            [Activity[str](), self.activity],
            limit_s=lambda: limit_s,
            on_gpu=False,
            name=lambda frame: f"frame {frame}",
            on_hang=lambda hang, frames: self.hangs.append((hang, frames)),
            on_gone_on=lambda hang, frames: self.gone_on.append(hang),
        )
        self.watchdog.start()

    def works(self, *stages: str, waits: bool = False) -> threading.Thread:
        def work() -> None:
            with self.activity.on("ab", "first"):
                for stage in stages:
                    self.activity.at(stage, waits=waits)
                self.stays_here()

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread

    def stays_here(self) -> None:
        assert self.let.wait(30)


@pytest.fixture
def kennel() -> Iterator[Callable[[float], Kennel]]:
    kennels: list[Kennel] = []

    def make(limit_s: float) -> Kennel:
        kennels.append(Kennel(limit_s))
        return kennels[-1]

    yield make
    for made in kennels:
        made.let.set()
        made.watchdog.stop()


def test_it_tells_once_what_hangs_where(kennel: Callable[[float], Kennel]) -> None:
    k = kennel(0.3)
    thread = k.works("second")
    until(lambda: k.hangs)
    (hang, frames) = k.hangs[0]
    assert frames == ("a", "b")
    assert hang.text == "frame a and frame b hangs in stage 'second': more than 0.3 s (frame_limit_s)"
    assert "test_watchdog.py" in hang.place and "stays_here" in hang.place
    assert ", in stays_here\n    assert self.let.wait(30)" in hang.stack
    assert not k.gone_on
    k.let.set()
    thread.join()
    until(lambda: k.gone_on)
    assert k.gone_on == [hang] and len(k.hangs) == 1


def test_waiting_for_a_thread_that_is_watched_is_no_hang(kennel: Callable[[float], Kennel]) -> None:
    k = kennel(0.2)
    k.works("the other", waits=True)
    other = kennel(0.2)
    other.works("the other")
    until(lambda: other.hangs)  # so this one has had the time, too
    assert not k.hangs


def test_its_end_is_the_end_of_an_alarm(kennel: Callable[[float], Kennel]) -> None:
    k = kennel(0.2)
    k.works()
    until(lambda: k.hangs)
    k.watchdog.stop()
    assert k.gone_on == [k.hangs[0][0]]


def test_many_short_pieces_of_work_are_no_hang(kennel: Callable[[float], Kennel]) -> None:
    k = kennel(0.5)
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        with k.activity.on("a", "only"):
            pass
    assert not k.hangs


def test_only_what_went_well_says_how_long_work_takes() -> None:
    activity = Activity[str]()
    with pytest.raises(ValueError, match="a fault"), activity.on("a", "only"):
        raise ValueError("a fault")
    assert not activity.took_s and activity.work is None
    with activity.on("a", "only"):
        activity.went_well()
    assert len(activity.took_s) == 1


@pytest.mark.parametrize(
    ("took_s", "images", "on_gpu", "limit_s"),
    [
        ([], 1, False, 1200),
        ([], 4, False, 4800),
        ([], 1, True, 600),
        ([120.0, 110.0], 1, False, 1200),  # one that is slow may still follow
        ([0.1] * 3, 1, False, 120),
        ([0.1] * 3, 1, True, 30),
        ([120.0, 110.0, 115.0], 1, False, 1200),  # Apple's network on a CPU
        ([0.1, 9.0, 0.1], 2, True, 180),
    ],
)
def test_the_limit_by_itself(took_s: list[float], images: int, on_gpu: bool, limit_s: float) -> None:
    assert automatic_limit_s(took_s, images, on_gpu=on_gpu) == limit_s
