# SPDX-License-Identifier: Apache-2.0
"""What a replay gives: each image, what the node said to it, and what it all came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rclpy.serialization import deserialize_message

from depthpro_ros.bag_messages import sibling_info_topic
from depthpro_ros.node.bag_images import BagMessage
from depthpro_ros.node.outputs import TOPICS


@dataclass(frozen=True)
class Answer:
    """A message of the node.

    Attributes:
        name: of the output, as `TOPICS` lists them.
        data: CDR; empty where it was not to be kept.
        stamp_ns, frame_id: of its header.
        received_ns: when it came to this machine, by its clock.
    """

    name: str
    data: bytes = field(repr=False)
    stamp_ns: int
    frame_id: str
    received_ns: int


@dataclass(frozen=True)
class ReplayedFrame:
    """One image of the bag and everything that the node said to it.

    Attributes:
        stamp_ns, frame_id: of the image.
        sent_ns: when the image was sent, by this machine's clock.
        answers: by name of the output; empty if the image was dropped.
        latency_s: from `sent_ns` to the arrival of the last required output; NaN if it was dropped.
        image, camera_info: what was sent. In real time they are forgotten at once and None.
        attempts: how often it had to be sent; 1 is the rule.
        late_s: how long after its time it was sent, in a replay in real time.
    """

    stamp_ns: int
    frame_id: str
    sent_ns: int
    answers: dict[str, Answer]
    latency_s: float
    image: BagMessage | None = None
    camera_info: BagMessage | None = None
    attempts: int = 1
    late_s: float = 0.0

    @property
    def answered(self) -> bool:
        """Whether all required outputs came."""
        return bool(self.answers)

    @cached_property
    def outputs(self) -> dict[str, Any]:
        """The answers that were kept, as rclpy's messages."""
        return {n: deserialize_message(a.data, TOPICS[n]) for n, a in self.answers.items() if a.data}

    @property
    def arrival_s(self) -> dict[str, float]:
        """When each answer came, counted from when the image was sent."""
        return {n: (a.received_ns - self.sent_ns) / 1e9 for n, a in self.answers.items()}

    def recording(self, image_topic: str, namespace: str = "") -> list[tuple[str, str, int, bytes]]:
        """What a recorder would have written: topic, type, time in nanoseconds, serialised message.

        Args:
            image_topic: where the image was sent.
            namespace: of the node, before the names of the outputs.
        """
        prefix = f"/{namespace.strip('/')}/" if namespace.strip("/") else "/"
        sent = [(sibling_info_topic(image_topic), self.camera_info), (image_topic, self.image)]
        messages = [(topic, m.type, self.sent_ns, m.data) for topic, m in sent if m is not None]
        messages += [(prefix + n, TOPICS[n], a.received_ns, a.data) for n, a in self.answers.items() if a.data]
        return [
            (topic, f"sensor_msgs/msg/{type_.__name__}", time_ns, data)
            for topic, type_, time_ns, data in sorted(messages, key=lambda entry: entry[2])
        ]


@dataclass(frozen=True)
class ReplayStats:
    """What a replay came to.

    Attributes:
        frames_in, frames_out: images sent and answered.
        latencies_s: of each answered frame.
        duration_s: of the whole, without the wait for the node.
    """

    frames_in: int
    frames_out: int
    latencies_s: tuple[float, ...] = field(repr=False)
    duration_s: float
