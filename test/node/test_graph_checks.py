# SPDX-License-Identifier: Apache-2.0
"""The doctor's view of graphs that are really there."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2

from depthpro_ros.doctor.graph import check_all
from depthpro_ros.doctor.graph_facts import TopicFacts
from depthpro_ros.doctor.shared_memory import is_unlocked
from depthpro_ros.node import graph_checks
from depthpro_ros.node.graph_checks import image_facts, observe

from .harness import Peer

SECONDS = 1.5
RGB = np.full((48, 64, 3), 128, np.uint8)


def levels(facts: TopicFacts) -> dict[str, str]:
    return {f.check: f.level.value for f in check_all(facts)}


@contextmanager
def publishing(step: Callable[[], Any], every_s: float = 0.05) -> Iterator[None]:
    """Repeat something in another thread."""
    end = threading.Event()

    def repeat() -> None:
        while not end.wait(every_s):
            step()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


@pytest.fixture(scope="module")
def healthy(start: Callable[..., Peer]) -> TopicFacts:
    """What is seen around a node that serves a calibrated camera, whose consumer of clouds is wrong."""
    peer = start("doctor")
    peer.listen("depth/image")
    peer.connected()
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    peer.create_subscription(PointCloud2, "depth/points", lambda _: None, latched)

    def step() -> None:
        now = peer.get_clock().now().to_msg()
        peer.show(RGB, stamp=(now.sec, now.nanosec), frame_id="camera_optical_frame")
        peer.executor_.spin_once(0.0)

    with publishing(step):
        return observe("/doctor/camera/image", SECONDS)


def test_what_a_camera_sends_is_seen(healthy: TopicFacts) -> None:
    last = healthy.last
    assert last is not None
    assert (last.encoding, last.width, last.height, last.step) == ("rgb8", 64, 48, 192)
    assert (last.size_bytes, last.frame_id, last.refusal) == (9216, "camera_optical_frame", "")
    assert [p.node for p in healthy.publishers] == ["/doctor/peer"]
    assert healthy.info.camera is not None and healthy.info.camera.k[0] == 1.25 * 64
    assert {i.stamp_ns for i in healthy.images} & healthy.info.stamps_ns
    assert len(healthy.images) > 2 and not healthy.clock


def test_the_depth_node_is_found_by_what_it_says(healthy: TopicFacts) -> None:
    (node,) = healthy.depth_nodes
    assert (node.name, node.state) == ("/doctor/depth_pro: depth", "active")
    assert "depth/image" in node.subscribed
    assert healthy.outputs >= 7


def test_a_consumer_of_the_node_that_hears_nothing_is_named(healthy: TopicFacts) -> None:
    (mismatch,) = healthy.mismatches
    assert mismatch.topic == "/doctor/depth/points"
    assert (mismatch.publisher, mismatch.subscriber) == ("/doctor/depth_pro", "/doctor/peer")
    assert "transient local" in mismatch.reason


def test_judgement_of_it(healthy: TopicFacts) -> None:
    found = levels(healthy)
    assert found.pop("QoS") == "problem"
    # the fake model of these tests has a notice, which is a warning
    assert found.pop("depth node") == "warning"
    assert set(found.values()) == {"ok"}, found


@pytest.fixture
def driver() -> Iterator[Node]:
    node = Node("driver", namespace="sick")
    yield node
    node.destroy_node()


def test_a_sick_camera(driver: Node) -> None:
    best_effort = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    images = driver.create_publisher(Image, "image_raw", best_effort)
    infos = driver.create_publisher(CameraInfo, "camera_info", best_effort)
    driver.create_subscription(Image, "image_raw", lambda _: None, 1)
    picture = Image(height=2, width=2, encoding="32FC1", step=8)
    picture.data.frombytes(bytes(16))

    def step() -> None:
        infos.publish(CameraInfo(width=4, height=2))
        images.publish(picture)

    with publishing(step):
        facts = observe("/sick/image_raw", SECONDS)
    found = levels(facts)
    assert [found[c] for c in ("QoS", "image", "frame", "stamps")] == ["problem"] * 4
    assert found["CameraInfo"] == "warning" and found["depth node"] == "warning"
    (mismatch,) = facts.mismatches
    assert (mismatch.publisher, mismatch.subscriber) == ("/sick/driver", "/sick/driver")


def test_compressed_images_are_heard(driver: Node) -> None:
    images = driver.create_publisher(CompressedImage, "image_raw/compressed", 1)
    with publishing(lambda: images.publish(CompressedImage(format="jpeg", data=b"not a picture"))):
        facts = observe("/sick/image_raw/compressed", 0.5)
    assert facts.last is not None and facts.last.compressed and facts.images
    assert facts.info.topic == "/sick/camera_info"
    assert facts.last.refusal.startswith("compressed image of 13 bytes")


def test_a_topic_of_nobody(driver: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_checks, "DISCOVERY_S", 0.2)
    driver.create_publisher(Image, "elsewhere", 1)
    looks = (observe("/sick/image", 0.1) for _ in range(10))  # it may not be discovered at once
    facts = next(facts for facts in looks if "/sick/elsewhere" in facts.others)
    assert levels(facts)["publishers"] == "problem"


@pytest.mark.skipif(
    "fastrtps" not in rclpy.get_rmw_implementation_identifier(), reason="the middleware is not Fast DDS"
)
def test_a_living_participants_segment_is_not_left_over(driver: Node) -> None:
    mapped = re.findall(r"/dev/shm/fast\w+_[0-9a-f]{16}$", Path("/proc/self/maps").read_text(), re.MULTILINE)
    locks = [Path(f"{segment}_el") for segment in mapped]
    assert locks and not any(is_unlocked(lock) for lock in locks if lock.exists())


def test_the_doctor_leaves_the_users_context_alone() -> None:
    assert rclpy.ok()
    assert image_facts(Image()).refusal
