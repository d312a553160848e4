# SPDX-License-Identifier: Apache-2.0
"""An RGB-D recording (rosbag2 or ROS 1) as a data set, without ROS."""

from __future__ import annotations

import logging
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from depthpro_ros.bag_messages import (
    COMPRESSED,
    IMAGE,
    INFO,
    Calibrations,
    camera_model,
    depth_metres,
    is_rectified,
    rgb_pixels,
    sibling_info_topic,
    stamp_ns,
)
from depthpro_ros.errors import CameraError, InputError
from depthpro_ros.evaluation.bags.messages import deserialised
from depthpro_ros.frames import RgbdFrame
from depthpro_ros.stamps import nearest_pairs

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Topics:
    """Which topics are used."""

    image: str
    depth: str
    camera_info: str


@dataclass(frozen=True)
class _Place:
    """Where a message is: the time that it was recorded at, and the stamp in its header."""

    time_ns: int
    stamp_ns: int


class BagSet:
    """Images of a bag with the depth image of the nearest stamp.

    The bag is scanned once for stamps; a frame's messages are then read when it is asked for. An object may be
    sent to other processes: each opens the bag for itself.

    Args:
        path: rosbag2 folder (MCAP or SQLite), a bare .mcap or .db3, or a ROS 1 .bag.
        image_topic: sensor_msgs/Image or CompressedImage; found where it is None and there is one only.
        depth_topic: sensor_msgs/Image, 32FC1 (metres) or 16UC1 (millimetres), registered to the image; likewise.
        camera_info_topic: of the image; its sibling where it is None.
        tolerance_s: stamps of an image and its depth differ at most by this.
        depth_scale: stored depth values per metre; 1 for 32FC1 and 1000 for 16UC1 where it is None.
        fx_px: focal length, pixels, instead of the one in CameraInfo.
        max_depth_m: finite depth beyond it counts as unknown.
        name: for reports; the file's name where it is None.

    Raises:
        InputError: rosbags is not installed, no such bag or topic, no pairs, or no calibration.
    """

    def __init__(
        self,
        path: Path,
        *,
        image_topic: str | None = None,
        depth_topic: str | None = None,
        camera_info_topic: str | None = None,
        tolerance_s: float = 0.02,
        depth_scale: float | None = None,
        fx_px: float | None = None,
        max_depth_m: float | None = None,
        name: str | None = None,
    ) -> None:
        self.name = name or path.stem
        self._path, self._fx_px, self._depth_scale = path, fx_px, depth_scale
        self._max_depth_m = math.inf if max_depth_m is None else max_depth_m
        self._reader: Any = None
        self._owner = -1
        reader = self._open()
        self.topics = _choose_topics(reader, path, image_topic, depth_topic, camera_info_topic)
        places = [_places(reader, topic) for topic in (self.topics.image, self.topics.depth)]
        image, depth = places
        pairs = nearest_pairs([p.stamp_ns for p in image], [p.stamp_ns for p in depth], int(tolerance_s * 1e9))
        if not pairs:
            raise InputError(
                f"{path}: none of {len(image)} images of {self.topics.image} has one of {len(depth)} depth images of "
                f"{self.topics.depth} within {tolerance_s} s: give the topics of one camera, or a larger tolerance"
            )
        if len(pairs) < len(image):
            logger.info("%s: %d of %d images have depth within %g s", path, len(pairs), len(image), tolerance_s)
        self._pairs = [(image[i], depth[j]) for i, j in pairs]
        self._cameras = Calibrations([]) if fx_px else _cameras(reader, self.topics.camera_info)
        if not fx_px and not self._cameras:
            raise InputError(
                f"{path} has no calibrated CameraInfo on {self.topics.camera_info}: name its topic, or give fx_px"
            )

    def __len__(self) -> int:
        return len(self._pairs)

    def frame(self, index: int) -> RgbdFrame:
        """Read a pair.

        Raises:
            InputError: an encoding that is not known, a message cut off, or sizes that differ.
        """
        image, depth = self._pairs[index]
        rgb = rgb_pixels(self._message(self.topics.image, image))
        depth_m = depth_metres(self._message(self.topics.depth, depth), self._depth_scale)
        height, width = rgb.shape[:2]
        if depth_m.shape != (height, width):
            raise InputError(
                f"{self.topics.image} is {width}x{height} pixels, {self.topics.depth} is "
                f"{depth_m.shape[1]}x{depth_m.shape[0]}: use the depth that is registered to the image"
            )
        depth_m[np.isfinite(depth_m) & (depth_m > self._max_depth_m)] = np.nan
        return RgbdFrame(rgb, depth_m, self._fx_px or self._focal(image.stamp_ns, width, height))

    def close(self) -> None:
        """Close the bag; asking for a frame opens it again."""
        if self._reader is not None and self._owner == os.getpid():
            self._reader.close()
        self._reader = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_reader": None}

    def _focal(self, stamp_ns: int, width: int, height: int) -> float:
        """By the last CameraInfo not after the image, else the first."""
        camera = self._cameras.at(stamp_ns)
        try:
            return camera.intrinsics(width, height, rectified=is_rectified(self.topics.image)).fx
        except CameraError as error:
            raise InputError(f"{self._path}, {self.topics.camera_info}: {error}") from error

    def _message(self, topic: str, place: _Place) -> Any:
        reader = self._open()
        connections = [c for c in reader.connections if c.topic == topic]
        for connection, _, raw in reader.messages(connections, start=place.time_ns, stop=place.time_ns + 1):
            if stamp_ns(raw, reader.is2) == place.stamp_ns:
                return _message(reader, raw, connection.msgtype)
        raise InputError(f"{self._path} has no longer a message of {topic} at {place.time_ns} ns: it has changed")

    def _open(self) -> Any:
        """The bag, opened by this process: a file's position must not be shared with a parent."""
        if self._reader is None or self._owner != os.getpid():
            self._reader, self._owner = _open_bag(self._path), os.getpid()
        return self._reader


def _open_bag(path: Path) -> Any:
    try:
        from rosbags.highlevel import AnyReader
        from rosbags.typesys import Stores, get_typestore
    except ImportError as error:
        raise InputError("reading bags needs rosbags: pip install rosbags") from error
    try:
        reader = AnyReader([path], default_typestore=get_typestore(Stores.ROS2_HUMBLE))
        reader.open()
    except Exception as error:  # besides its own, whatever damaged bytes make of its parsers
        raise InputError(f"{path} cannot be read as a bag: {error}") from error
    return reader


def _message(reader: Any, raw: bytes, msgtype: str) -> Any:
    return deserialised(raw, msgtype, is_ros2=bool(reader.is2), store=reader.typestore)


def _choose_topics(reader: Any, path: Path, image: str | None, depth: str | None, info: str | None) -> Topics:
    types = {c.topic: c.msgtype for c in reader.connections if c.msgtype in (IMAGE, COMPRESSED)}
    for wanted in (image, depth):
        if wanted is not None and wanted not in types:
            raise InputError(f"{path} has no images on {wanted}; it has them on {sorted(types)}")
    if depth is not None and types[depth] == COMPRESSED:
        raise InputError(f"{depth} is compressed, which is not read for depth: record the Image topic")
    depths = [topic for topic, kind in types.items() if kind == IMAGE and _is_depth(reader, topic)]
    colours = [topic for topic in types if topic not in depths and not topic.endswith("/compressedDepth")]
    chosen = []
    for role, wanted, found in (("image", image, colours), ("depth", depth, depths)):
        if wanted is None and len(found) != 1:
            raise InputError(f"{path} has {len(found)} topics to be the {role}: {sorted(found)}; name {role}_topic")
        chosen.append(wanted or found[0])
    return Topics(chosen[0], chosen[1], info or sibling_info_topic(chosen[0]))


def _is_depth(reader: Any, topic: str) -> bool:
    for connection, _, raw in reader.messages([c for c in reader.connections if c.topic == topic]):
        encoding = _message(reader, raw, connection.msgtype).encoding
        return encoding in ("32FC1", "16UC1") or (encoding == "mono16" and "depth" in topic.lower())
    return False


def _places(reader: Any, topic: str) -> list[_Place]:
    connections = [c for c in reader.connections if c.topic == topic]
    return [_Place(time_ns, stamp_ns(raw, reader.is2)) for _, time_ns, raw in reader.messages(connections)]


def _cameras(reader: Any, topic: str) -> Calibrations:
    connections = [c for c in reader.connections if c.topic == topic and c.msgtype == INFO]
    found = [
        (stamp_ns(raw, reader.is2), camera_model(_message(reader, raw, connection.msgtype), reader.is2))
        for connection, _, raw in (reader.messages(connections) if connections else ())
    ]
    if any(camera.distorted for _, camera in found):
        logger.warning("%s has lens distortion, which is not undone; rectified images are better", topic)
    return Calibrations(found)
