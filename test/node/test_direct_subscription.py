# SPDX-License-Identifier: Apache-2.0
"""Images taken through rcl's C interface, from a publisher of rclpy."""

from __future__ import annotations

import array
import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from depthpro_ros.bench.direct_subscription import DirectSubscription
from depthpro_ros.bench.received_image import ReceivedImage
from depthpro_ros.node import rcl

pytestmark = pytest.mark.skipif(not rcl.available(), reason="rcl's C interface is found on Linux only")
QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)


class Camera:
    """A node that publishes images, and subscribes to them directly."""

    def __init__(self) -> None:
        self.node = rclpy.create_node("direct_camera")
        self.publisher = self.node.create_publisher(Image, "direct/image", QOS)
        self.received: list[ReceivedImage] = []
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.subscription = self.subscribe()

    def subscribe(self, **options: Any) -> DirectSubscription:
        return DirectSubscription(self.node, Image, "direct/image", self.received.append, QOS, **options)

    def publish(self, value: int, size: int = 12) -> None:
        data = array.array("B", bytes([value]) * size)
        self.publisher.publish(Image(header=Header(frame_id=f"{value}"), height=1, width=size, step=size, data=data))

    def spin_until(self, condition: Callable[[], Any], seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            self.executor.spin_once(0.05)

    def close(self) -> None:
        self.executor.shutdown()
        self.node.destroy_node()


@pytest.fixture
def camera() -> Iterator[Camera]:
    result = Camera()
    result.spin_until(result.publisher.get_subscription_count)
    yield result
    result.close()


def test_images_arrive_once_and_in_order(camera: Camera) -> None:
    for value in range(3):
        camera.publish(value)
    camera.spin_until(lambda: len(camera.received) >= 3)
    camera.spin_until(lambda: False, 0.2)
    assert [m.header.frame_id for m in camera.received] == ["0", "1", "2"]
    assert [m.data.tolist() for m in camera.received] == [[v] * 12 for v in range(3)]


def test_an_image_keeps_its_memory_while_others_come(camera: Camera) -> None:
    for value in range(5):
        camera.publish(value, 100_000)
    camera.spin_until(lambda: len(camera.received) == 5)
    assert [set(m.data.tolist()) for m in camera.received] == [{v} for v in range(5)]


def test_memory_goes_with_the_last_reference(camera: Camera) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    for _ in range(3):
        camera.publish(1, 10_000_000)
        camera.spin_until(lambda: camera.received)
        camera.received.clear()
    gc.collect()
    before = resident()
    for _ in range(20):
        camera.publish(1, 10_000_000)
        camera.spin_until(lambda: camera.received)
        camera.received.clear()
    assert resident() - before < 50_000_000, "of 200 MB that came and went"


def test_a_view_of_the_data_keeps_it(camera: Camera) -> None:
    camera.publish(9, 1_000_000)
    camera.spin_until(lambda: camera.received)
    view = camera.received.pop().data[500:504].view(np.uint16)
    gc.collect()
    camera.publish(1, 1_000_000)
    camera.spin_until(lambda: camera.received)
    assert view.tolist() == [0x0909] * 2


def test_nothing_comes_after_the_end(camera: Camera) -> None:
    camera.subscription.destroy()
    camera.spin_until(lambda: not camera.publisher.get_subscription_count())
    camera.publish(1)
    camera.spin_until(lambda: False, 0.2)
    assert camera.received == []


def test_it_may_end_on_another_thread_and_begin_again(camera: Camera) -> None:
    spinning = threading.Event()
    ended = threading.Event()

    def spin() -> None:
        while not ended.is_set():
            spinning.set()
            camera.executor.spin_once(0.01)

    thread = threading.Thread(target=spin)
    thread.start()
    spinning.wait()
    subscription = camera.subscription
    for value in range(20):
        camera.publish(value)
        subscription.destroy()
        subscription = camera.subscribe()
    end = time.monotonic() + 20
    while not any(m.header.frame_id == "99" for m in camera.received) and time.monotonic() < end:
        camera.publish(99)
        time.sleep(0.05)
    alive = thread.is_alive()
    ended.set()
    thread.join()
    assert alive and camera.received[-1].header.frame_id == "99"


def test_events_of_the_subscription_are_told(camera: Camera) -> None:
    callbacks = pytest.importorskip("rclpy.event_handler", reason="Humble has no matched event")
    told: list[Any] = []
    subscription = camera.subscribe(event_callbacks=callbacks.SubscriptionEventCallbacks(matched=told.append))
    camera.spin_until(lambda: told)
    assert told[0].current_count == 1
    subscription.destroy()


def test_without_the_c_interface_it_is_refused(camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rcl, "_functions", lambda: None)
    with pytest.raises(RuntimeError, match="available"):
        camera.subscription.take_data()
