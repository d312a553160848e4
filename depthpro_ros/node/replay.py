# SPDX-License-Identifier: Apache-2.0
"""Lock-step replay: a bag's images through real topics into a depth node, one after another.

`ros2 bag play` sends in real time, and a node that is slower than the camera drops frames, as it should. For
evaluation each frame has to be answered: the next one is sent when the last one's outputs have come.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from depthpro_ros.errors import DepthProError
from depthpro_ros.node.bag_images import BagImage, BagImages, sibling_info_topic
from depthpro_ros.node.outputs import DEPTH, DEPTH_INFO, ESTIMATED_INFO, POINTS, TOPICS
from depthpro_ros.node.pairing import stamp_ns

REQUIRED = (DEPTH, DEPTH_INFO, POINTS)
OPTIONAL = (ESTIMATED_INFO,)


class ReplayError(DepthProError):
    """The node did not answer."""


@dataclass(frozen=True)
class ReplayedFrame:
    """One image of the bag and everything that the node said to it.

    Attributes:
        stamp_ns: of the image, and of every output.
        sent_ns: when the image was sent, by this machine's clock.
        image, camera_info: what was sent; camera_info is None where the bag has none.
        outputs: messages by their name, as `depthpro_ros.node.outputs.TOPICS` lists them.
        arrival_s: by the same names, when each came here, counted from just before the image was sent.
        latency_s: the same of the last required output.
        attempts: how often it had to be sent; 1 is the rule.
    """

    stamp_ns: int
    sent_ns: int
    image: Image | CompressedImage
    camera_info: CameraInfo | None
    outputs: dict[str, Any]
    arrival_s: dict[str, float]
    latency_s: float
    attempts: int

    def recording(self, image_topic: str, namespace: str = "") -> list[tuple[str, str, int, bytes]]:
        """What a recorder would have written: topic, type, time in nanoseconds, serialised message.

        Args:
            image_topic: where the image was sent.
            namespace: of the node, before the names of the outputs.
        """
        prefix = f"/{namespace.strip('/')}/" if namespace.strip("/") else "/"
        messages = [(image_topic, self.sent_ns, self.image)]
        if self.camera_info is not None:
            messages.insert(0, (sibling_info_topic(image_topic), self.sent_ns, self.camera_info))
        messages += [(prefix + n, self.sent_ns + int(self.arrival_s[n] * 1e9), m) for n, m in self.outputs.items()]
        return [
            (topic, f"sensor_msgs/msg/{type(m).__name__}", time_ns, bytes(serialize_message(m)))
            for topic, time_ns, m in sorted(messages, key=lambda entry: entry[1])
        ]


@dataclass(frozen=True)
class ReplayStats:
    """What a replay came to.

    Attributes:
        frames_in, frames_out: images sent and answered.
        latencies_s: of each frame.
        duration_s: of the whole, without the wait for the node.
    """

    frames_in: int
    frames_out: int
    latencies_s: tuple[float, ...] = field(repr=False)
    duration_s: float


class LockStepReplay(Node):
    """Replays bags into a depth node that runs in another process. rclpy must be initialised.

    Args:
        image_topic: where to publish images; None is the topic that they have in the bag.
        required: outputs that each frame is waited for.
        optional: outputs that are taken if they have come `grace_s` after the required ones.
        timeout_s: how long one attempt may take; a large model on a CPU takes a minute.
        attempts: how often a frame is sent before the replay fails.
        ready_s: how long the node may take to load its model and appear.
        namespace: of the node under test; its outputs are relative to it.
    """

    def __init__(
        self,
        *,
        image_topic: str | None = None,
        required: Sequence[str] = REQUIRED,
        optional: Sequence[str] = OPTIONAL,
        timeout_s: float = 60.0,
        attempts: int = 3,
        ready_s: float = 120.0,
        grace_s: float = 0.05,
        namespace: str = "",
        node_name: str = "depth_replay",
    ) -> None:
        super().__init__(node_name, namespace=namespace)
        self._image_topic, self._required, self._optional = image_topic, tuple(required), tuple(optional)
        self._timeout_s, self._attempts, self._ready_s, self._grace_s = timeout_s, attempts, ready_s, grace_s
        self._spinner = SingleThreadedExecutor()
        self._spinner.add_node(self)
        self._qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
        self._current_ns: int | None = None
        self._outputs: dict[str, Any] = {}
        self._arrivals: dict[str, float] = {}
        self._node_says: dict[str, str] = {}
        self._listeners = {n: self._listen(n) for n in (*self._required, *self._optional)}
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)

    def run(
        self,
        bag: Path,
        on_frame: Callable[[ReplayedFrame], None],
        *,
        bag_topic: str | None = None,
        max_frames: int | None = None,
    ) -> ReplayStats:
        """Replay a bag.

        Args:
            bag: rosbag2 folder or ROS 1 .bag file.
            on_frame: called with each frame as it is answered, in the bag's order.
            bag_topic: the bag's image topic; None is its first. CameraInfo comes from the sibling topic.
            max_frames: stop after this many.

        Raises:
            InputError: the bag cannot be read or has no images.
            ReplayError: no node listens, or a frame stays unanswered; says what the node said.
        """
        latencies: list[float] = []
        with BagImages(bag, bag_topic) as images:
            topic = self._image_topic or images.image_topic
            image_publisher: Any = self.create_publisher(images.message_type, topic, self._qos)
            info_publisher = self.create_publisher(CameraInfo, sibling_info_topic(topic), self._qos)
            try:
                self._wait_for_node(image_publisher)
                started = time.monotonic()
                for number, item in enumerate(images):
                    if max_frames is not None and number >= max_frames:
                        break
                    frame = self._exchange(item, image_publisher, info_publisher)
                    latencies.append(frame.latency_s)
                    on_frame(frame)
                duration_s = time.monotonic() - started
            finally:
                self.destroy_publisher(image_publisher)
                self.destroy_publisher(info_publisher)
        return ReplayStats(len(latencies), len(latencies), tuple(latencies), duration_s)

    def close(self) -> None:
        """Leave the network."""
        self._spinner.shutdown()
        self.destroy_node()

    def _listen(self, name: str) -> Any:
        def arrived(message: Any) -> None:
            if stamp_ns(message.header) == self._current_ns and name not in self._outputs:
                self._outputs[name], self._arrivals[name] = message, time.monotonic()

        return self.create_subscription(TOPICS[name], name, arrived, self._qos)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            values = {v.key: v.value for v in status.values}
            if "subscribed outputs" in values:
                self._node_says = values | {"message": status.message}

    def _spin_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        end = time.monotonic() + timeout_s
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self._spinner.spin_once(min(left, 0.1))
        return True

    def _wait_for_node(self, images: Any) -> None:
        """Wait until the node subscribes to the images, and both sides know of the outputs."""
        topic = images.topic_name

        def ready() -> bool:
            offered = all(self.count_publishers(s.topic_name) for s in self._listeners.values())
            return images.get_subscription_count() > 0 and offered

        if not self._spin_until(ready, self._ready_s):
            raise ReplayError(
                f"no depth node listened to {topic} within {self._ready_s:g} s ({self._complaint()}): start "
                f"`depth_node --ros-args -r image:={topic}` in the same ROS domain"
            )

        def heard() -> bool:
            return all(n in self._node_says.get("subscribed outputs", "").split(", ") for n in self._required)

        self._spin_until(heard, 5.0)  # a frame that is sent too early is sent again

    def _exchange(self, item: BagImage, images: Any, infos: Any) -> ReplayedFrame:
        """Send one frame and wait for its answers."""
        self._current_ns, self._outputs, self._arrivals = stamp_ns(item.image.header), {}, {}
        for attempt in range(1, self._attempts + 1):
            started, sent_ns = time.monotonic(), time.time_ns()
            if item.camera_info is not None:
                infos.publish(item.camera_info)
            images.publish(item.image)
            if self._spin_until(lambda: all(n in self._outputs for n in self._required), self._timeout_s):
                self._spin_until(lambda: all(n in self._outputs for n in self._optional), self._grace_s)
                arrivals = {n: t - started for n, t in self._arrivals.items()}
                return ReplayedFrame(
                    stamp_ns=self._current_ns,
                    sent_ns=sent_ns,
                    image=item.image,
                    camera_info=item.camera_info,
                    outputs=self._outputs,
                    arrival_s=arrivals,
                    latency_s=max(arrivals[n] for n in self._required),
                    attempts=attempt,
                )
        missing = [n for n in self._required if n not in self._outputs]
        raise ReplayError(
            f"no {', '.join(missing)} for the image of stamp {self._current_ns} ns, sent {self._attempts} times with "
            f"{self._timeout_s:g} s each; {self._complaint()}"
        )

    def _complaint(self) -> str:
        """What the node says about itself."""
        if not self._node_says:
            return "there are no diagnostics of a depth node"
        return f"the node is {self._node_says['state']} and says {self._node_says['message']!r}"


def main() -> None:
    """Replay a bag and print a line for each frame."""
    parser = argparse.ArgumentParser(prog="python -m depthpro_ros.node.replay", description=__doc__)
    parser.add_argument("bag", type=Path, help="rosbag2 folder or ROS 1 .bag file")
    parser.add_argument("--bag-topic", help="image topic in the bag; the first by default")
    parser.add_argument("--image-topic", help="image topic of the node; as in the bag by default")
    parser.add_argument("--namespace", default="", help="namespace of the node")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds for one attempt at one frame")
    parser.add_argument("--max-frames", type=int)
    options, ros = parser.parse_known_args()

    def show(frame: ReplayedFrame) -> None:
        info = frame.outputs[DEPTH_INFO]
        print(f"{frame.stamp_ns} ns  {frame.latency_s * 1e3:7.1f} ms  fx {info.k[0]:.2f} px", flush=True)

    rclpy.init(args=[sys.argv[0], *ros])
    replay = LockStepReplay(image_topic=options.image_topic, timeout_s=options.timeout, namespace=options.namespace)
    try:
        stats = replay.run(options.bag, show, bag_topic=options.bag_topic, max_frames=options.max_frames)
        print(f"{stats.frames_out} of {stats.frames_in} frames in {stats.duration_s:.1f} s")
    except DepthProError as error:
        sys.exit(f"error: {error}")
    except (KeyboardInterrupt, ExternalShutdownException):
        sys.exit(130)
    finally:
        replay.close()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
