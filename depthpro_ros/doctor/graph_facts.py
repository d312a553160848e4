# SPDX-License-Identifier: Apache-2.0
"""What was seen of a running graph, as plain values: `graph` judges them, `node.graph_checks` collects them."""

from __future__ import annotations

from dataclasses import dataclass

from depthpro_ros.camera import CameraModel


@dataclass(frozen=True)
class Endpoint:
    """A publisher or a subscriber.

    Attributes:
        node: its full name.
        type: of its messages, such as sensor_msgs/msg/Image.
        best_effort: whether that is its reliability.
    """

    node: str
    type: str
    best_effort: bool


@dataclass(frozen=True)
class Mismatch:
    """A publisher and a subscriber of one topic that do not connect.

    Attributes:
        topic: its name.
        publisher, subscriber: full names of the nodes.
        reason: which policy, in the middleware's words.
    """

    topic: str
    publisher: str
    subscriber: str
    reason: str


@dataclass(frozen=True)
class Seen:
    """One image that arrived.

    Attributes:
        stamp_ns: of its header, nanoseconds.
        system_ns: the system's time when it arrived, nanoseconds.
        clock_ns: the time on /clock then; None where nobody publishes it.
        monotonic_s: for rates.
    """

    stamp_ns: int
    system_ns: int
    clock_ns: int | None
    monotonic_s: float


@dataclass(frozen=True)
class ImageFacts:
    """The form of the last image.

    Attributes:
        encoding: of the message; for compressed ones its format.
        compressed: whether it is a CompressedImage.
        width, height: pixels; of compressed ones as decoded, 0 where that failed.
        step: bytes of a row; 0 of compressed ones.
        size_bytes: of its data.
        frame_id: of its header.
        refusal: why the node would refuse it; empty if it would not.
    """

    encoding: str
    compressed: bool
    width: int
    height: int
    step: int
    size_bytes: int
    frame_id: str
    refusal: str


@dataclass(frozen=True)
class InfoFacts:
    """The CameraInfo of an image topic.

    Attributes:
        topic: where it is looked for.
        publishers: how many it has.
        camera: what the last message said; None if none came.
        stamps_ns: of those that came.
    """

    topic: str
    publishers: int
    camera: CameraModel | None
    stamps_ns: frozenset[int]


@dataclass(frozen=True)
class DepthNodeFacts:
    """What a depth node's /diagnostics says of the topic's camera.

    Attributes:
        name: of the status.
        level: 0 ok, 1 warning, 2 error, 3 stale.
        message: its text.
        state: lifecycle state.
        fps_out: frames published per second, as text.
        subscribed: its outputs that somebody listens to, as text.
    """

    name: str
    level: int
    message: str
    state: str
    fps_out: str
    subscribed: str


@dataclass(frozen=True)
class TopicFacts:
    """All that was seen.

    Attributes:
        topic: the image topic, fully resolved.
        seconds: how long it was listened to.
        publishers: of the topic.
        others: image topics that have publishers.
        mismatches: on the topic, on its CameraInfo, and on the depth node's outputs.
        outputs: how many topics of the depth node were looked at for mismatches.
        clock: whether anybody publishes /clock.
        images: that arrived, in their order.
        last: form of the last; None if none came.
        info: the CameraInfo beside it.
        depth_nodes: those that serve this topic.
        middleware: in use.
    """

    topic: str
    seconds: float
    publishers: tuple[Endpoint, ...]
    others: tuple[str, ...]
    mismatches: tuple[Mismatch, ...]
    outputs: int
    clock: bool
    images: tuple[Seen, ...]
    last: ImageFacts | None
    info: InfoFacts
    depth_nodes: tuple[DepthNodeFacts, ...]
    middleware: str
