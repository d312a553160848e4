# SPDX-License-Identifier: Apache-2.0
"""The demo's frames as a rosbag2 in MCAP, and the recorded answers read back. No ROS needed.

Metadata version 8 is what every ROS 2 from Humble to Lyrical reads.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.camera import Intrinsics
from depthpro_ros.demo.photographs import DemoFrame
from depthpro_ros.errors import InputError

IMAGE, CAMERA_INFO, TRUTH = "/camera/image_raw", "/camera/camera_info", "/camera/depth_truth/image"
FRAME_ID = "camera_optical_frame"
FIRST_STAMP_NS = 1_735_689_600 * 10**9
PERIOD_NS = 10**8
METADATA_VERSION = 8

RawMessage = tuple[str, str, int, bytes]
"""Topic, type ("sensor_msgs/msg/Image"), time in nanoseconds, serialised message (CDR)."""


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
    store, _ = _rosbags()
    types = store.types
    with bag_writer(path) as write:
        for index, frame in enumerate(frames):
            stamp = stamp_of(index)
            header = types["std_msgs/msg/Header"](
                types["builtin_interfaces/msg/Time"](stamp // 10**9, stamp % 10**9), FRAME_ID
            )
            messages = {
                CAMERA_INFO: _camera_info(types, header, frame),
                IMAGE: _image(types, header, frame.rgb, "rgb8"),
            }
            if frame.truth_m is not None:
                messages[TRUTH] = _image(types, header, frame.truth_m, "32FC1")
            for topic, message in messages.items():
                write((topic, message.__msgtype__, stamp, bytes(store.serialize_cdr(message, message.__msgtype__))))


@contextmanager
def bag_writer(path: Path) -> Iterator[Any]:
    """A function that writes `RawMessage`s to a new bag; a bag that is there already is replaced."""
    store, rosbags = _rosbags()
    if path.exists():
        # a run that was interrupted leaves no metadata
        if not path.is_dir() or any(f.name != "metadata.yaml" and f.suffix != ".mcap" for f in path.iterdir()):
            raise InputError(f"{path} is there and is no bag: it is not replaced, choose another folder")
        shutil.rmtree(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = rosbags.Writer(path, version=METADATA_VERSION, storage_plugin=rosbags.StoragePlugin.MCAP)
    connections: dict[str, Any] = {}
    with writer:

        def write(message: RawMessage) -> None:
            topic, msgtype, time_ns, data = message
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, msgtype, typestore=store)
            writer.write(connections[topic], time_ns, data)

        yield write


def read_messages(path: Path, topics: Sequence[str] | None = None) -> Iterator[RawMessage]:
    """Every message of a bag, in the order of time."""
    _, rosbags = _rosbags()
    with rosbags.Reader(path) as reader:
        chosen = [c for c in reader.connections if topics is None or c.topic in topics]
        for connection, time_ns, data in reader.messages(connections=chosen):
            yield connection.topic, connection.msgtype, time_ns, bytes(data)


def read_answers(path: Path) -> Iterator[Answer]:
    """Pair the images of a recorded bag with the node's answers, by stamp."""
    store, _ = _rosbags()
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


def _image(types: dict[str, Any], header: Any, pixels: NDArray[Any], encoding: str) -> Any:
    flat = np.ascontiguousarray(pixels)
    return types["sensor_msgs/msg/Image"](
        header=header,
        height=flat.shape[0],
        width=flat.shape[1],
        encoding=encoding,
        is_bigendian=0,
        step=flat.strides[0],
        data=flat.reshape(-1).view(np.uint8),
    )


def _camera_info(types: dict[str, Any], header: Any, frame: DemoFrame) -> Any:
    """K exact, or all zeros where the camera is not known (the message's own definition of that)."""
    height, width = frame.rgb.shape[:2]
    k, p = np.zeros((3, 3)), np.zeros((3, 4))
    camera: Intrinsics | None = frame.camera
    if camera is not None:
        k = camera.matrix
        p[:, :3] = k
    return types["sensor_msgs/msg/CameraInfo"](
        header=header,
        height=height,
        width=width,
        distortion_model="plumb_bob",
        d=np.zeros(5),
        k=k.reshape(-1),
        r=np.eye(3).reshape(-1),
        p=p.reshape(-1),
        binning_x=0,
        binning_y=0,
        roi=types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False),
    )


@dataclass(frozen=True)
class _Rosbags:
    Writer: Any
    Reader: Any
    StoragePlugin: Any


def _rosbags() -> tuple[Any, _Rosbags]:
    """The type store, and the classes of the rosbags package."""
    try:
        from rosbags.rosbag2 import Reader, StoragePlugin, Writer
        from rosbags.typesys import Stores, get_typestore
    except ImportError as error:
        raise InputError("the demo reads and writes bags with rosbags: pip install rosbags") from error
    return get_typestore(Stores.ROS2_HUMBLE), _Rosbags(Writer, Reader, StoragePlugin)
