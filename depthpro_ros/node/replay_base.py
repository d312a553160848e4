# SPDX-License-Identifier: Apache-2.0
"""What replays of a bag into a depth node have in common: publishers, listeners, and waiting for the node."""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from numpy.typing import NDArray
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage

from depthpro_ros.bag_messages import sibling_info_topic, stamp_ns
from depthpro_ros.errors import DepthProError
from depthpro_ros.node.bag_images import BagImages
from depthpro_ros.node.node_words import NodeWords
from depthpro_ros.node.outputs import DEPTH, DEPTH_INFO, ESTIMATED_INFO, POINTS, TOPICS
from depthpro_ros.node.replayed_frame import Answer

REQUIRED = (DEPTH, DEPTH_INFO, POINTS)
OPTIONAL = (ESTIMATED_INFO,)
_WATCH_S = 0.5
_SILENT_AFTER = 5
"""After so many answered frames without the optional outputs they are not waited for."""


class ReplayError(DepthProError):
    """The node did not answer."""


class ReplayBase(Node):
    """A camera driver and a consumer in one. rclpy must be initialised.

    Args:
        image_topic: where to publish images; None is the topic that they have in the bag.
        required: outputs that make a frame answered.
        optional: outputs that are taken if they have come `grace_s` after the required ones.
        kept: outputs whose content is kept, and not only when they came; None keeps all.
        timeout_s: how long to wait for an answer; a large model on a CPU takes a minute.
        ready_s: how long the node may take to load its model and appear.
        namespace: of the node under test; its outputs are relative to it.
        watch: called twice a second; what it raises ends the replay.
        context: of rclpy; None is the default one.

    Attributes:
        words: what the node says about itself.
        strange_stamps: outputs so far with a stamp that no image had.
        strange_frames: outputs so far in another coordinate frame than their image.
    """

    def __init__(
        self,
        *,
        image_topic: str | None = None,
        required: Sequence[str] = REQUIRED,
        optional: Sequence[str] = OPTIONAL,
        kept: Collection[str] | None = None,
        timeout_s: float = 60.0,
        ready_s: float = 120.0,
        grace_s: float = 0.05,
        namespace: str = "",
        node_name: str = "depth_replay",
        watch: Callable[[], None] | None = None,
        context: Context | None = None,
    ) -> None:
        super().__init__(node_name, namespace=namespace, context=context)
        self.words = NodeWords()
        self.strange_stamps = self.strange_frames = 0
        self._image_topic, self._required, self._optional = image_topic, tuple(required), tuple(optional)
        self._kept = frozenset(TOPICS if kept is None else kept)
        self._timeout_s, self._ready_s, self._grace_s = timeout_s, ready_s, grace_s
        self._without_optional = 0
        self._spinner = SingleThreadedExecutor(context=context)
        self._spinner.add_node(self)
        self._qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
        self._stamps_ns: NDArray[np.int64] = np.empty(0, np.int64)
        self._listeners = {n: self._listen(n) for n in (*self._required, *self._optional)}
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)
        if watch is not None:
            self.create_timer(_WATCH_S, watch)

    def close(self) -> None:
        """Leave the network."""
        self._spinner.shutdown()
        self.destroy_node()

    def hear_last_words(self, patience_s: float = 2.0) -> None:
        """Wait until the node has said how it all ended: after the last frame, with nothing more to do."""
        self.words.idle_reports = 0
        self._spin_until(lambda: self.words.idle_reports > 0, patience_s)

    def _on_answer(self, answer: Answer) -> None:
        """An output came whose stamp an image has."""
        raise NotImplementedError

    @contextmanager
    def _publishing(self, images: BagImages) -> Iterator[tuple[Any, Any]]:
        """Publishers of images and of CameraInfo, once the node listens to them."""
        topic = self._image_topic or topic_of(images)
        self._stamps_ns = np.unique(images.stamps_ns)
        pair = [
            self.create_publisher(images.message_type, topic, self._qos),
            self.create_publisher(CameraInfo, sibling_info_topic(topic), self._qos),
        ]
        try:
            self._wait_for_node(pair[0])
            yield pair[0], pair[1]
        finally:
            for publisher in pair:
                self.destroy_publisher(publisher)

    def _wait_for_node(self, images: Any) -> None:
        """Wait until the node subscribes to the images, and both sides know of the outputs."""
        topic = images.topic_name

        def ready() -> bool:
            offered = all(self.count_publishers(s.topic_name) for s in self._listeners.values())
            return images.get_subscription_count() > 0 and offered

        if not self._spin_until(ready, self._ready_s):
            raise ReplayError(
                f"no depth node listened to {topic} within {self._ready_s:g} s ({self.words.complaint}): start "
                f"`depth_node --ros-args -r image:={topic.removesuffix('/compressed')}` in the same ROS domain"
            )
        # a frame that is sent too early is lost
        self._spin_until(lambda: self.words.hears(*self._required, *self._optional), 5.0)

    def _spin_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        end = time.monotonic() + timeout_s
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self._spinner.spin_once(min(left, 0.1))
        return True

    def _patience_s(self) -> float:
        """How long to wait for optional outputs."""
        return self._grace_s if self._without_optional < _SILENT_AFTER else 0.0

    def _note_optional(self, answers: dict[str, Answer]) -> None:
        missing = any(name not in answers for name in self._optional)
        self._without_optional = self._without_optional + 1 if missing else 0

    def _compare_frames(self, answer: Answer, frame_id: str) -> None:
        self.strange_frames += answer.frame_id != frame_id

    def _latency_s(self, sent_ns: int, answers: dict[str, Answer]) -> float:
        return (max(answers[n].received_ns for n in self._required) - sent_ns) / 1e9

    def _listen(self, name: str) -> Any:
        def arrived(data: bytes, received_ns: int) -> None:
            stamp, frame_id = _header(data)
            if not _contains(self._stamps_ns, stamp):
                self.strange_stamps += 1
                return
            self._on_answer(Answer(name, data if name in self._kept else b"", stamp, frame_id, received_ns))

        def with_info(data: bytes, info: Any) -> None:
            # the middleware's own time, which does not wait for us; 0 where it has none
            received_ns, now_ns = int(info["received_timestamp"]), time.time_ns()
            arrived(data, received_ns if 0 < received_ns <= now_ns else now_ns)

        def without_info(data: bytes) -> None:
            arrived(data, time.time_ns())

        # Humble does not tell a callback when a message came
        callback: Any = with_info if hasattr(Subscription, "CallbackType") else without_info
        return self.create_subscription(TOPICS[name], name, callback, self._qos, raw=True)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        self.words.hear(message, self.get_namespace())


def topic_of(images: BagImages) -> str:
    """Where to publish a bag's images: as in the bag, with the letters and suffix that ROS 2 wants."""
    topic = re.sub(r"[^A-Za-z0-9/]+", "_", "/" + images.image_topic.strip("/"))
    topic = re.sub(r"/(?=[0-9])", "/_", re.sub(r"/+", "/", topic))
    compressed = images.message_type is CompressedImage
    return topic + "/compressed" if compressed and not topic.endswith("/compressed") else topic


def _header(data: bytes) -> tuple[int, str]:
    """Stamp and frame of a serialised message that begins with a header (CDR)."""
    length = struct.unpack_from("<I" if data[1] & 1 else ">I", data, 12)[0]
    return stamp_ns(data, True), data[16 : 16 + length].rstrip(b"\0").decode(errors="replace")


def _contains(ordered: NDArray[np.int64], value: int) -> bool:
    place = int(np.searchsorted(ordered, value))
    return place < len(ordered) and int(ordered[place]) == value
