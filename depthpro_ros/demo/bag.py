# SPDX-License-Identifier: Apache-2.0
"""The demo's frames as a rosbag2 in MCAP, and the recorded answers read back. No ROS needed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.bag_writer import (
    BagWriter,
    RawMessage,
    camera_info_message,
    header,
    image_message,
    message_types,
)
from depthpro_ros.camera import CameraModel
from depthpro_ros.demo.photographs import DemoFrame

IMAGE, CAMERA_INFO, TRUTH = "/camera/image_raw", "/camera/camera_info", "/camera/depth_truth/image"
FRAME_ID = "camera_optical_frame"
FIRST_STAMP_NS = 1_735_689_600 * 10**9
PERIOD_NS = 10**8


@dataclass(frozen=True)
class Answer:
    """What the node said about one frame, read from the recorded bag.

    Attributes:
        stamp_ns: of the image.
        image: uint8 [H, W, 3], as it was sent.
        latency_ms: from the publication of the image to the arrival of its depth; None without depth.
        depth_m: float32 [H, W]; None if the frame got no answer.
        cloud: float32 [h, w, 4]; None if there was none.
        used: focal length of depth/camera_info, pixels.
        estimated: focal length of estimated/camera_info, pixels; None where there was none.
    """

    stamp_ns: int
    image: NDArray[np.uint8]
    latency_ms: float | None
    depth_m: NDArray[np.float32] | None
    cloud: NDArray[np.float32] | None
    used: float | None
    estimated: float | None


def stamp_of(index: int) -> int:
    """Stamp of the n-th frame, nanoseconds."""
    return FIRST_STAMP_NS + index * PERIOD_NS


def write_input(path: Path, frames: Sequence[DemoFrame]) -> None:
    """Write images, calibrations and ground truth, 0.1 s apart; a bag that is there already is replaced."""
    with BagWriter(path, replace=True) as bag:
        for index, frame in enumerate(frames):
            stamp = stamp_of(index)
            head = header(stamp, FRAME_ID)
            bag.write(CAMERA_INFO, camera_info_message(head, _camera(frame)), stamp)
            bag.write(IMAGE, image_message(head, frame.rgb, "rgb8"), stamp)
            if frame.truth_m is not None:
                bag.write(TRUTH, image_message(head, frame.truth_m, "32FC1"), stamp)


@contextmanager
def bag_writer(path: Path) -> Iterator[Callable[[RawMessage], None]]:
    """A function that writes `RawMessage`s to a new bag; a bag that is there already is replaced."""
    with BagWriter(path, replace=True) as bag:
        yield bag.write_raw


def read_messages(path: Path, topics: Sequence[str] | None = None) -> Iterator[RawMessage]:
    """Every message of a bag, in the order of time."""
    message_types()
    from rosbags.rosbag2 import Reader

    with Reader(path) as reader:
        chosen = [c for c in reader.connections if topics is None or c.topic in topics]
        for connection, time_ns, data in reader.messages(connections=chosen):
            yield connection.topic, connection.msgtype, time_ns, bytes(data)


def read_answers(path: Path) -> Iterator[Answer]:
    """Pair the images of a recorded bag with the node's answers, by stamp."""
    store = message_types()
    waiting: dict[int, dict[str, tuple[int, Any]]] = defaultdict(dict)
    names = (IMAGE, "/depth/image", "/depth/camera_info", "/depth/points", "/estimated/camera_info")
    for topic, msgtype, time_ns, data in read_messages(path, names):
        message = store.deserialize_cdr(data, msgtype)
        stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        if topic == IMAGE:
            # lock-step: everything about the frames before has been recorded
            yield from (_answer(s, waiting.pop(s)) for s in sorted(waiting) if s < stamp and IMAGE in waiting[s])
        waiting[stamp][topic] = (time_ns, message)
    yield from (_answer(s, waiting[s]) for s in sorted(waiting) if IMAGE in waiting[s])


def _answer(stamp_ns: int, found: dict[str, tuple[int, Any]]) -> Answer:
    sent_ns, image = found[IMAGE]
    depth = found.get("/depth/image")
    cloud, used, estimated = (
        found[name][1] if name in found else None
        for name in ("/depth/points", "/depth/camera_info", "/estimated/camera_info")
    )
    return Answer(
        stamp_ns=stamp_ns,
        image=image.data.reshape(image.height, image.width, 3),
        latency_ms=None if depth is None else (depth[0] - sent_ns) / 1e6,
        depth_m=None if depth is None else depth[1].data.view("<f4").reshape(depth[1].height, depth[1].width),
        cloud=None if cloud is None else cloud.data.view("<f4").reshape(cloud.height, cloud.width, 4),
        used=None if used is None else float(used.k[0]),
        estimated=None if estimated is None else float(estimated.k[0]),
    )


def _camera(frame: DemoFrame) -> CameraModel:
    """K exact, or all zeros where the camera is not known (the message's own definition of that)."""
    if frame.camera is not None:
        return CameraModel.from_intrinsics(frame.camera)
    height, width = frame.rgb.shape[:2]
    return CameraModel(width, height, k=(0.0,) * 9, d=(0.0,) * 5, distortion_model="plumb_bob")
