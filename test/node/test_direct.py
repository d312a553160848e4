# SPDX-License-Identifier: Apache-2.0
"""Publishing through rcl's C interface, to a subscription of rclpy."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import rclpy
import torch
from rclpy.exceptions import InvalidHandle
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import Image, PointCloud2
from std_msgs.msg import Header

from depthpro_ros.node import direct, rcl
from depthpro_ros.node.cdr import SerialisedMessage
from depthpro_ros.node.messages import CloudWriter, DepthWriter

pytestmark = pytest.mark.skipif(not rcl.available(), reason="rcl's C interface is found on Linux only")


class Listener:
    """A lifecycle node that listens to itself."""

    def __init__(self) -> None:
        self.node = LifecycleNode("direct", enable_communication_interface=False)
        self.received: list[Any] = []
        self.publisher = self.node.create_lifecycle_publisher(PointCloud2, "direct/points", 2)
        self.node.create_subscription(PointCloud2, "direct/points", self.received.append, 5)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self.spin_until(lambda: self.publisher.get_subscription_count())

    def spin_until(self, condition: Any, seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            self._executor.spin_once(0.05)

    def close(self) -> None:
        self._executor.shutdown()
        self.node.destroy_node()


@pytest.fixture
def listener() -> Iterator[Listener]:
    result = Listener()
    yield result
    result.close()


def cloud(value: float, rows: int = 2) -> SerialisedMessage:
    message = CloudWriter(serialised=True).message(torch.full((rows, 3, 4), value), Header(frame_id="optical"))
    assert isinstance(message, SerialisedMessage)
    return message


def test_a_serialised_message_arrives(listener: Listener) -> None:
    listener.publisher.on_activate(None)
    direct.publish(listener.publisher, cloud(3.0))
    listener.spin_until(lambda: listener.received)
    (message,) = listener.received
    assert (message.height, message.width, message.header.frame_id) == (2, 3, "optical")
    assert np.frombuffer(message.data, np.float32).tolist() == [3.0] * 24


def test_its_memory_may_change_once_it_is_published(listener: Listener) -> None:
    listener.publisher.on_activate(None)
    writer = CloudWriter(serialised=True)
    for value in (1.0, 2.0):
        memory = writer.memory(100, 100)
        memory.fill_(value)
        direct.publish(listener.publisher, writer.message(memory, Header()))
    memory.fill_(-1)
    listener.spin_until(lambda: len(listener.received) == 2)
    assert [set(np.frombuffer(m.data, np.float32)) for m in listener.received] == [{1.0}, {2.0}]


def test_an_inactive_publisher_publishes_nothing(listener: Listener) -> None:
    direct.publish(listener.publisher, cloud(3.0))
    listener.publisher.on_activate(None)
    direct.publish(listener.publisher, cloud(4.0))
    listener.spin_until(lambda: listener.received)
    assert [m.data[:4].tobytes() for m in listener.received] == [np.float32(4).tobytes()]


def test_a_ros_message_goes_the_usual_way(listener: Listener) -> None:
    listener.publisher.on_activate(None)
    direct.publish(listener.publisher, CloudWriter().message(torch.zeros(2, 3, 4), Header(frame_id="usual")))
    listener.spin_until(lambda: listener.received)
    assert listener.received[0].header.frame_id == "usual"


def test_without_the_c_interface_rclpy_publishes_the_bytes(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rcl, "_functions", lambda: None)
    assert not direct.can_publish_directly()
    listener.publisher.on_activate(None)
    direct.publish(listener.publisher, cloud(5.0))
    listener.spin_until(lambda: listener.received)
    assert np.frombuffer(listener.received[0].data, np.float32).tolist() == [5.0] * 24


def test_a_publisher_that_is_gone_is_refused_as_rclpy_does() -> None:
    node = rclpy.create_node("gone")
    publisher = node.create_publisher(Image, "gone", 2)
    message = DepthWriter(serialised=True).message(torch.zeros(2, 2), Header(), "32FC1")
    node.destroy_publisher(publisher)
    node.destroy_node()
    with pytest.raises(InvalidHandle):
        direct.publish(publisher, message)


def test_what_rcl_refuses_is_said_in_rclpys_words(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    reset: list[bool] = []
    functions = replace(
        rcl._functions(),
        publish=lambda *_: 300,  # RCL_RET_PUBLISHER_INVALID
        reset_error=lambda: reset.append(True),
    )
    monkeypatch.setattr(rcl, "_functions", lambda: functions)
    listener.publisher.on_activate(None)
    direct.publish(listener.publisher, cloud(6.0))
    listener.spin_until(lambda: listener.received)
    assert len(listener.received) == 1 and reset == [True], "rclpy was not asked, or the error was left behind"


def ticks_during(publish: Callable[[], None]) -> int:
    """How often another thread runs meanwhile, at the best of ten times."""
    ticks: list[float] = []
    stop = threading.Event()

    def tick() -> None:
        while not stop.wait(1e-4):
            ticks.append(time.perf_counter())

    thread = threading.Thread(target=tick)
    thread.start()
    most = 0
    for _ in range(10):
        time.sleep(0.002)  # the other thread waits again
        began = time.perf_counter()
        publish()
        ended = time.perf_counter()
        time.sleep(0.002)
        most = max(most, sum(began < t < ended for t in ticks))
    stop.set()
    thread.join()
    return most


def test_other_threads_run_while_a_large_message_is_published(listener: Listener) -> None:
    listener.publisher.on_activate(None)
    message = cloud(1.0, rows=700_000)  # 34 MB
    assert ticks_during(lambda: direct.publish(listener.publisher, message)) >= 5
