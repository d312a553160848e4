# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading

import pytest

from depthpro_ros.node.publisher import PublishingThread

from .harness import until


class Outlet:
    """What a publisher writes to: it takes one frame at a time, when it is let."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.out: list[str] = []
        self.let = threading.Semaphore(0)
        self.given_up: list[str] = []
        self.publisher = PublishingThread[str](self.publish, self.given_up.append)
        self.publisher.start()

    def publish(self, frame: str) -> None:
        self.begun.append(frame)
        assert self.let.acquire(timeout=10)
        self.out.append(frame)


@pytest.fixture
def outlet():
    outlet = Outlet()
    yield outlet
    outlet.let.release(100)
    outlet.publisher.stop()
    assert outlet.publisher.join(10)


def test_frames_go_out_in_order_on_another_thread(outlet: Outlet) -> None:
    for name in "abc":
        assert outlet.publisher.put(1, name)
    outlet.let.release(3)
    until(lambda: outlet.out == ["a", "b", "c"])


def test_a_cycle_waits_until_the_one_before_is_out(outlet: Outlet) -> None:
    outlet.publisher.put(1, "a1")
    outlet.publisher.put(1, "b1")
    done = threading.Event()
    late = threading.Thread(target=lambda: (outlet.publisher.put(2, "a2"), done.set()))
    late.start()
    outlet.let.release()
    until(lambda: outlet.begun == ["a1", "b1"])
    assert not done.wait(0.05), "two cycles are pending"
    outlet.let.release()
    assert done.wait(10)
    late.join()
    until(lambda: outlet.begun == ["a1", "b1", "a2"])


def test_after_stop_nothing_goes_out(outlet: Outlet) -> None:
    outlet.publisher.put(1, "a")
    outlet.publisher.put(1, "b")
    until(lambda: outlet.begun == ["a"])
    threading.Timer(0.05, outlet.let.release, [5]).start()
    outlet.publisher.stop()
    assert outlet.out == ["a"], "stop did not wait for the frame in publication"
    assert outlet.publisher.join(10)
    assert outlet.begun == ["a"]
    assert outlet.given_up == ["b"]
    assert not outlet.publisher.put(2, "c")


def test_stop_lets_one_go_who_waits_to_hand_over(outlet: Outlet) -> None:
    outlet.publisher.put(1, "a")
    until(lambda: outlet.begun == ["a"])
    answers: list[bool] = []
    late = threading.Thread(target=lambda: answers.append(outlet.publisher.put(2, "b")))
    late.start()
    stopping = threading.Thread(target=outlet.publisher.stop)
    stopping.start()
    late.join(10)
    assert answers == [False]
    outlet.let.release()
    stopping.join(10)
