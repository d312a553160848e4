# SPDX-License-Identifier: Apache-2.0
"""The images of a bag and their calibration, as ROS 2 messages that are ready to be published."""

from __future__ import annotations

import dataclasses
import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from depthpro_ros.bag_messages import COMPRESSED, IMAGE, INFO, frame_id, sibling_info_topic
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.bags.messages import ros2_store
from depthpro_ros.evaluation.bags.part import Read
from depthpro_ros.evaluation.bags.recording import Recording
from depthpro_ros.evaluation.run.frames import ALL, Selection

IMAGE_TYPES: dict[str, type] = {IMAGE: Image, COMPRESSED: CompressedImage}
_STAMP = struct.Struct("<iI")
_TAIL_NS = 500_000_000


@dataclass(frozen=True)
class BagMessage:
    """A message of a bag.

    Attributes:
        type: `Image`, `CompressedImage` or `CameraInfo`.
        data: CDR in little-endian order, which publishers take as it is.
        stamp_ns, frame_id: of its header; the stamp is the time of recording where there was none.
        time_ns: when it was recorded.
    """

    type: type
    data: bytes
    stamp_ns: int
    frame_id: str
    time_ns: int

    @property
    def is_image(self) -> bool:
        """Whether it is an image rather than a calibration."""
        return self.type is not CameraInfo

    @cached_property
    def message(self) -> Any:
        """As rclpy has it."""
        return deserialize_message(self.data, self.type)


@dataclass(frozen=True)
class BagImage:
    """An image of a bag.

    Attributes:
        image: the message.
        camera_info: the one with the image's stamp, else the last before it, else the first; None if there is none.
    """

    image: BagMessage
    camera_info: BagMessage | None


class BagImages:
    """Reads one camera's images from a bag of either ROS, whole or damaged; no rosbag2 is needed.

    Args:
        path: of the bag, as `Recording` takes it.
        image_topic: which images; the first topic with images where it is None.
        camera_info_topic: their calibration; the sibling of the image topic where it is None.
        selection: which of the images, by stamp.

    Attributes:
        image_topic: the same, as found.
        message_type: `Image` or `CompressedImage`.
        stamps_ns: int64 [N], of the chosen images, in order of time.

    Raises:
        InputError: rosbags is not installed, or there is no such bag or topic.
    """

    def __init__(
        self,
        path: Path,
        image_topic: str | None = None,
        *,
        camera_info_topic: str | None = None,
        selection: Selection = ALL,
    ) -> None:
        self._recording = Recording(Path(path))
        types, counts = self._recording.types, self._recording.counts
        topics = [topic for topic, name in types.items() if name in IMAGE_TYPES and counts[topic]]
        if not topics or (image_topic is not None and image_topic not in topics):
            account = self._recording.account()
            self._recording.close()
            raise InputError(
                f"{path} has no images on {image_topic or 'any topic'}; it has them on {topics}"
                + (f"\n{account}" if account else "")
            )
        self.image_topic: str = image_topic or topics[0]
        self.message_type: type = IMAGE_TYPES[types[self.image_topic]]
        self._info_topic = camera_info_topic or sibling_info_topic(self.image_topic)
        self._has_info = types.get(self._info_topic) == INFO
        ordered = sorted(self._recording.places(self.image_topic), key=lambda place: place.stamp_ns)
        chosen = [ordered[n] for n in selection.of([place.stamp_ns for place in ordered])]
        self._chosen = frozenset(chosen)
        self.stamps_ns: NDArray[np.int64] = np.array([place.stamp_ns for place in chosen], np.int64)
        # some converters write one time of recording for all
        self._by_stamp = len({place.time_ns for place in chosen}) == 1 < len(chosen)

    def __len__(self) -> int:
        return len(self.stamps_ns)

    def __iter__(self) -> Iterator[BagImage]:
        """Images in the order of recording, each with its calibration, wherever in the bag that is."""
        infos = _Infos(self._messages([self._info_topic]) if self._has_info else ())
        for image in self._messages([self.image_topic]):
            yield BagImage(image, infos.of(image.stamp_ns))

    def timeline(self) -> Iterator[BagMessage]:
        """Images and calibrations as they were recorded, from the first chosen image to the last.

        The last calibration that was recorded before comes first, and one that was recorded just after the last image
        but belongs to it comes too. Where all have one time of recording, stamps take its place.
        """
        topics = [self.image_topic, self._info_topic] if self._has_info else [self.image_topic]
        before: BagMessage | None = None
        last: BagMessage | None = None
        left = len(self)
        for message in self._messages(topics):
            if message.is_image:
                if last is None and before is not None:
                    yield dataclasses.replace(before, time_ns=message.time_ns)
                yield message
                last, left = message, left - 1
                if not left and not self._has_info:
                    return
            elif last is None:
                before = message
            elif left:
                yield message
            elif message.time_ns - last.time_ns > _TAIL_NS:
                return
            elif message.stamp_ns <= last.stamp_ns:
                yield message

    def close(self) -> None:
        """Close the bag."""
        self._recording.close()

    def __enter__(self) -> BagImages:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _messages(self, topics: list[str]) -> Iterator[BagMessage]:
        """Calibrations, and the chosen images."""
        for read in self._recording.messages(topics):
            if read.topic == self._info_topic:
                yield self._ready(read, CameraInfo)
            elif read.place in self._chosen:
                yield self._ready(read, self.message_type)

    def _ready(self, read: Read, type_: type) -> BagMessage:
        place, frame = read.place, frame_id(read.message)
        data = _cdr(read, type_, frame)
        return BagMessage(type_, data, place.stamp_ns, frame, place.stamp_ns if self._by_stamp else place.time_ns)


def _cdr(read: Read, type_: type, frame_id: str) -> bytes:
    types, stamp_ns = ros2_store().types, read.place.stamp_ns
    header = types["std_msgs/msg/Header"](types["builtin_interfaces/msg/Time"](*divmod(stamp_ns, 10**9)), frame_id)
    if type_ is CameraInfo and not read.is_ros2:
        message = _info_of_ros1(read.message, header)
    else:
        message = dataclasses.replace(read.message, header=header)
    return bytes(ros2_store().serialize_cdr(message, read.message.__msgtype__))


def _info_of_ros1(old: Any, header: Any) -> Any:
    """ROS 1 has capital letters for the matrices."""
    type_ = ros2_store().types[INFO]
    values = {f.name: getattr(old, f.name, None) for f in dataclasses.fields(type_) if f.init}
    return type_(**{**values, "header": header, "d": old.D, "k": old.K, "r": old.R, "p": old.P})


class _Infos:
    """Calibrations by stamp; of those that are alike but for the stamp, one is kept in memory."""

    def __init__(self, messages: Iterable[BagMessage]) -> None:
        kept: dict[bytes, BagMessage] = {}
        found = {}
        for message in messages:
            found[message.stamp_ns] = kept.setdefault(message.data[:4] + message.data[12:], message)
        self._stamps_ns = sorted(found)
        self._kept = [found[stamp] for stamp in self._stamps_ns]

    def of(self, stamp_ns: int) -> BagMessage | None:
        """The one with this stamp, else the last before it, else the first."""
        if not self._kept:
            return None
        place = max(bisect_right(self._stamps_ns, stamp_ns) - 1, 0)
        kept, stamp = self._kept[place], self._stamps_ns[place]
        if kept.stamp_ns == stamp:
            return kept
        # CDR: 4 bytes about the encoding, then the stamp
        data = kept.data[:4] + _STAMP.pack(*divmod(stamp, 10**9)) + kept.data[12:]
        return BagMessage(kept.type, data, stamp, kept.frame_id, kept.time_ns)
