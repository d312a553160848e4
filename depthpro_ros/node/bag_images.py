# SPDX-License-Identifier: Apache-2.0
"""The images of a bag, each with its calibration, as ROS messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from depthpro_ros.bag_messages import sibling_info_topic
from depthpro_ros.camera import CameraModel
from depthpro_ros.errors import InputError
from depthpro_ros.node.messages import camera_info
from depthpro_ros.node.pairing import stamp_ns

IMAGE_TYPES = {"sensor_msgs/msg/Image": Image, "sensor_msgs/msg/CompressedImage": CompressedImage}


@dataclass(frozen=True)
class BagImage:
    """An image of a bag.

    Attributes:
        image: the message.
        camera_info: the one with the image's stamp, else the last before it, else None.
    """

    image: Image | CompressedImage
    camera_info: CameraInfo | None


class BagImages:
    """Reads one camera's images from a rosbag2 (MCAP or SQLite) or a ROS 1 bag, without rosbag2 installed.

    Args:
        path: rosbag2 folder, or a .bag file.
        image_topic: which images; the first topic with images where it is None.

    Raises:
        InputError: rosbags is not installed, or there is no such bag or topic.
    """

    def __init__(self, path: Path, image_topic: str | None = None) -> None:
        try:
            from rosbags.highlevel import AnyReader, AnyReaderError
            from rosbags.typesys import Stores, get_typestore
        except ImportError as error:
            raise InputError("reading bags needs rosbags: pip install rosbags") from error
        try:
            self._reader = AnyReader([Path(path)], default_typestore=get_typestore(Stores.ROS2_HUMBLE))
            self._reader.open()
        except (AnyReaderError, OSError) as error:
            raise InputError(f"{path} cannot be read as a bag: {error}") from error
        images = {c.topic: c.msgtype for c in self._reader.connections if c.msgtype in IMAGE_TYPES}
        if not images or (image_topic is not None and image_topic not in images):
            self._reader.close()
            raise InputError(f"{path} has no images on {image_topic or 'any topic'}; it has them on {sorted(images)}")
        self.image_topic: str = image_topic or next(iter(images))
        self.message_type: type = IMAGE_TYPES[images[self.image_topic]]
        self._infos = {stamp_ns(m.header): m for m in self._messages(sibling_info_topic(self.image_topic), CameraInfo)}

    def __len__(self) -> int:
        return self._reader.topics[self.image_topic].msgcount

    def __iter__(self) -> Iterator[BagImage]:
        stamps = sorted(self._infos)
        for image in self._messages(self.image_topic, self.message_type):
            stamp = stamp_ns(image.header)
            before = [s for s in stamps if s <= stamp]
            yield BagImage(image, self._infos[before[-1]] if before else None)

    def close(self) -> None:
        """Close the bag."""
        self._reader.close()

    def __enter__(self) -> BagImages:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _messages(self, topic: str, type_: type) -> Iterator[Any]:
        connections = [c for c in self._reader.connections if c.topic == topic]
        if not connections:
            return
        for connection, _, raw in self._reader.messages(connections):
            if self._reader.is2:
                yield deserialize_message(bytes(raw), type_)
            else:
                yield _from_ros1(self._reader.deserialize(raw, connection.msgtype), type_)


def _from_ros1(old: Any, type_: type) -> Any:
    """A ROS 1 message, whose header has a number more and whose matrices have capitals, as a ROS 2 one."""
    new = type_()
    new.header.stamp.sec, new.header.stamp.nanosec = old.header.stamp.sec, old.header.stamp.nanosec
    new.header.frame_id = old.header.frame_id
    if type_ is CameraInfo:
        roi = (old.roi.x_offset, old.roi.y_offset, old.roi.width, old.roi.height)
        camera = CameraModel(
            old.width,
            old.height,
            k=tuple(old.K.tolist()),
            d=tuple(old.D.tolist()),
            distortion_model=old.distortion_model,
            r=tuple(old.R.tolist()),
            p=tuple(old.P.tolist()),
            binning_x=old.binning_x,
            binning_y=old.binning_y,
            roi=roi,
        )
        return camera_info(camera, new.header)
    for name in ("height", "width", "encoding", "is_bigendian", "step", "format"):
        if hasattr(new, name):
            setattr(new, name, getattr(old, name))
    new.data.frombytes(old.data.tobytes())
    return new
