# SPDX-License-Identifier: Apache-2.0
"""Looks at a running graph for `depthpro doctor`: an image topic, its CameraInfo, and the depth node that serves it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    LivelinessPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
)
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from depthpro_ros import images
from depthpro_ros.doctor.graph import IMAGE_TYPES
from depthpro_ros.doctor.graph_facts import (
    DepthNodeFacts,
    Endpoint,
    ImageFacts,
    InfoFacts,
    Mismatch,
    Seen,
    TopicFacts,
)
from depthpro_ros.errors import InputError
from depthpro_ros.node.messages import camera_model
from depthpro_ros.node.pairing import stamp_ns, time_ns
from depthpro_ros.node.subscriptions import MatchedSubscription

DISCOVERY_S = 3.0
"""How long to wait for a publisher of the topic to be discovered."""
SETTLE_S = 1.0
"""How long after the first for the others."""
NAME = "depthpro_doctor"


class Listener(Node):
    """Hears one image topic, what belongs to it, and /diagnostics.

    Args:
        topic: of images, resolved as ROS does.
        context: to be in.
    """

    def __init__(self, topic: str, context: Context) -> None:
        super().__init__(NAME, context=context, start_parameter_services=False, enable_rosout=False)
        self.topic = self.resolve_topic_name(topic)
        self.info_topic = self.topic.removesuffix("/compressed").rpartition("/")[0] + "/camera_info"
        self.seen: list[Seen] = []
        self.last: Image | CompressedImage | None = None
        self.info: CameraInfo | None = None
        self.info_stamps: set[int] = set()
        self.statuses: dict[str, DiagnosticStatus] = {}
        self._clock_ns: int | None = None
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)

    def listen(self) -> None:
        """Subscribe to the images, with the type and reliability that they are published with."""
        types = {p.topic_type for p in self.get_publishers_info_by_topic(self.topic)}
        type_ = CompressedImage if types == {IMAGE_TYPES[1]} else Image
        if types <= set(IMAGE_TYPES):
            MatchedSubscription(self, type_, self.topic, self._on_image, depth=10)
            MatchedSubscription(self, CameraInfo, self.info_topic, self._on_info, depth=10)
        if self.count_publishers("/clock"):
            qos = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
            self.create_subscription(Clock, "/clock", self._on_clock, qos)

    def _on_image(self, message: Image | CompressedImage) -> None:
        self.seen.append(Seen(stamp_ns(message.header), time.time_ns(), self._clock_ns, time.monotonic()))
        self.last = message

    def _on_info(self, message: CameraInfo) -> None:
        self.info = message
        self.info_stamps.add(stamp_ns(message.header))

    def _on_clock(self, message: Clock) -> None:
        self._clock_ns = time_ns(message.clock)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        self.statuses |= {status.name: status for status in message.status}

    def endpoints(self, infos: Sequence[Any]) -> tuple[Endpoint, ...]:
        """Publishers other than ourselves."""
        return tuple(
            Endpoint(_node_name(e), e.topic_type, e.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT)
            for e in infos
            if e.node_name != NAME
        )

    def mismatches(self, topic: str) -> list[Mismatch]:
        """Pairs of a topic that do not connect."""
        subscribers = [s for s in self.get_subscriptions_info_by_topic(topic) if s.node_name != NAME]
        found = []
        for publisher in self.get_publishers_info_by_topic(topic):
            for subscriber in subscribers:
                qos = (_decided(publisher.qos_profile), _decided(subscriber.qos_profile))
                compatibility, reason = qos_check_compatible(*qos)
                if compatibility == QoSCompatibility.ERROR:
                    said = reason.removeprefix("ERROR: ").rstrip(";")
                    found.append(Mismatch(topic, _node_name(publisher), _node_name(subscriber), said))
        return found

    def depth_nodes(self) -> tuple[DepthNodeFacts, ...]:
        """Those that say that they take images from this topic."""
        wanted = self.topic.removesuffix("/compressed")
        found = []
        for status in self.statuses.values():
            values = {v.key: v.value for v in status.values}
            if values.get("image topic") == wanted:
                found.append(
                    DepthNodeFacts(
                        status.name,
                        _level(status.level),
                        status.message,
                        values.get("state", "unknown"),
                        values.get("fps out", "?"),
                        values.get("subscribed outputs", ""),
                    )
                )
        return tuple(found)

    def outputs(self) -> list[str]:
        """Topics that the depth nodes publish."""
        topics: set[str] = set()
        for facts in self.depth_nodes():
            namespace, _, name = facts.name.split(":")[0].rpartition("/")
            with suppress(rclpy.node.NodeNameNonExistentError):  # it ended just now
                found = self.get_publisher_names_and_types_by_node(name, namespace or "/")
                topics |= {topic for topic, _ in found if topic not in ("/rosout", "/parameter_events")}
        return sorted(topics)


def observe(topic: str, seconds: float) -> TopicFacts:
    """Join the graph for a while, and say what was seen.

    Args:
        topic: of images.
        seconds: how long to listen after it was found.
    """
    context = Context()
    rclpy.init(context=context)
    executor = SingleThreadedExecutor(context=context)
    listener = Listener(topic, context)
    executor.add_node(listener)
    try:
        _spin(executor, DISCOVERY_S, lambda: listener.count_publishers(listener.topic) > 0)
        _spin(executor, SETTLE_S)
        listener.listen()
        _spin(executor, seconds)
        return _facts(listener, seconds)
    finally:
        executor.shutdown()
        listener.destroy_node()
        rclpy.shutdown(context=context)


def _spin(executor: SingleThreadedExecutor, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
    end = time.monotonic() + seconds
    while not until() and (left := end - time.monotonic()) > 0:
        executor.spin_once(min(0.1, left))


def _facts(listener: Listener, seconds: float) -> TopicFacts:
    outputs = listener.outputs()
    topics = [listener.topic, listener.info_topic, *outputs]
    last = None if listener.last is None else image_facts(listener.last)
    everything = listener.get_topic_names_and_types()
    return TopicFacts(
        topic=listener.topic,
        seconds=seconds,
        publishers=listener.endpoints(listener.get_publishers_info_by_topic(listener.topic)),
        others=tuple(
            name
            for name, types in everything
            if set(types) & set(IMAGE_TYPES) and name not in outputs and listener.count_publishers(name)
        ),
        mismatches=tuple(m for topic in topics for m in listener.mismatches(topic)),
        outputs=len(outputs),
        clock=listener.count_publishers("/clock") > 0,
        images=tuple(listener.seen),
        last=last,
        info=InfoFacts(
            listener.info_topic,
            listener.count_publishers(listener.info_topic),
            None if listener.info is None else camera_model(listener.info),
            frozenset(listener.info_stamps),
        ),
        depth_nodes=listener.depth_nodes(),
        middleware=rclpy.get_rmw_implementation_identifier(),
    )


def image_facts(message: Image | CompressedImage) -> ImageFacts:
    """The form of an image, and whether the node would take it."""
    size, frame, refusal = len(message.data), message.header.frame_id, ""
    if isinstance(message, CompressedImage):
        height = width = 0
        try:
            height, width = images.decode_compressed(message.data).shape[:2]
        except InputError as error:
            refusal = str(error)
        return ImageFacts(message.format, True, width, height, 0, size, frame, refusal)
    try:
        images.check(message.encoding, size, height=message.height, width=message.width, step=message.step)
    except InputError as error:
        refusal = str(error)
    return ImageFacts(message.encoding, False, message.width, message.height, message.step, size, frame, refusal)


def _decided(qos: QoSProfile) -> QoSProfile:
    """A profile of the graph, with what the middleware does not tell set to what fits everybody."""
    if qos.durability == DurabilityPolicy.UNKNOWN:
        qos.durability = DurabilityPolicy.VOLATILE
    if qos.liveliness == LivelinessPolicy.UNKNOWN:
        qos.liveliness = LivelinessPolicy.AUTOMATIC
    return qos


def _node_name(endpoint: Any) -> str:
    return f"{endpoint.node_namespace.rstrip('/')}/{endpoint.node_name}"


def _level(level: bytes | int) -> int:
    # a ROS byte is `bytes` of length one in Python
    return level[0] if isinstance(level, bytes) else int(level)
