# SPDX-License-Identifier: Apache-2.0
"""Writes rosbag2 folders in MCAP, with rosbags and without ROS.

Metadata version 8 is what every ROS 2 from Humble to Lyrical reads.
"""

from __future__ import annotations

import shutil
import sys
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.camera import CameraModel
from depthpro_ros.errors import InputError

METADATA_VERSION: Literal[8] = 8
BIG_ENDIAN = sys.byteorder == "big"
POINT_FIELDS = ("x", "y", "z", "rgb")
FLOAT32 = 7
"""PointField's number for the type of each."""

RawMessage = tuple[str, str, int, bytes]
"""Topic, type ("sensor_msgs/msg/Image"), time in nanoseconds, serialised message (CDR)."""


class BagWriter:
    """A new bag, in a `with` statement; left by an exception, it still holds all that was written before.

    Args:
        path: the folder.
        replace: remove a bag that is there already, also an unfinished one.

    Raises:
        InputError: rosbags is not installed, or there is something that is not to be replaced, or is no bag.
    """

    def __init__(self, path: Path, *, replace: bool = False) -> None:
        self.path = path
        self._replace = replace
        self._writer: Any = None
        self._connections: dict[str, Any] = {}

    def write(self, topic: str, message: Any, time_ns: int) -> None:
        """Write a message, such as `image_message` makes them."""
        kind = message.__msgtype__
        self._write(topic, kind, time_ns, message_types().serialize_cdr(message, kind))

    def write_raw(self, message: RawMessage) -> None:
        """Write what is serialised already."""
        self._write(*message)

    def _write(self, topic: str, kind: str, time_ns: int, data: bytes | memoryview) -> None:
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(topic, kind, typestore=message_types())
        self._writer.write(self._connections[topic], time_ns, data)

    def __enter__(self) -> BagWriter:
        message_types()  # a missing rosbags is told before anything is removed
        from rosbags.rosbag2 import StoragePlugin, Writer

        if self.path.exists():
            if not self._replace:
                raise InputError(
                    f"{self.path} is there already and is not replaced: choose another folder or remove it"
                )
            if not is_bag(self.path):
                raise InputError(f"{self.path} is there and is no bag: it is not replaced, choose another folder")
            shutil.rmtree(self.path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = Writer(self.path, version=METADATA_VERSION, storage_plugin=StoragePlugin.MCAP)
        self._writer.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()


def is_bag(path: Path) -> bool:
    """Whether a folder holds nothing but what is in a rosbag2 of MCAP files, finished or not."""
    # a run that was interrupted leaves no metadata
    return path.is_dir() and all(f.name.startswith("metadata.yaml") or f.suffix == ".mcap" for f in path.iterdir())


@cache
def message_types() -> Any:
    """Definitions of ROS 2 Humble, which are those of Foxy to Lyrical for the types written here.

    Raises:
        InputError: rosbags is not installed.
    """
    try:
        from rosbags.typesys import Stores, get_typestore
    except ImportError as error:
        raise InputError("writing bags needs rosbags: pip install 'depthpro_ros[evaluate]'") from error
    return get_typestore(Stores.ROS2_HUMBLE)


def header(stamp_ns: int, frame_id: str) -> Any:
    """std_msgs/Header."""
    return _new("std_msgs/msg/Header", time_message(stamp_ns), frame_id)


def time_message(stamp_ns: int) -> Any:
    """builtin_interfaces/Time."""
    return _new("builtin_interfaces/msg/Time", *divmod(stamp_ns, 10**9))


def image_message(head: Any, pixels: NDArray[Any], encoding: str) -> Any:
    """sensor_msgs/Image.

    Args:
        head: see `header`.
        pixels: [H, W] or [H, W, C], of the type that the encoding says.
        encoding: such as rgb8 or 32FC1.
    """
    flat = np.ascontiguousarray(pixels)
    height, width = flat.shape[:2]
    data = flat.reshape(-1).view(np.uint8)
    return _new("sensor_msgs/msg/Image", head, height, width, encoding, int(BIG_ENDIAN), flat.strides[0], data)


def camera_info_message(head: Any, camera: CameraModel) -> Any:
    """sensor_msgs/CameraInfo."""
    x, y, width, height = camera.roi
    region = _new("sensor_msgs/msg/RegionOfInterest", x, y, height, width, False)
    d, k, r, p = (np.array(values, np.float64) for values in (camera.d, camera.k, camera.r, camera.p))
    return _new(
        "sensor_msgs/msg/CameraInfo",
        *(head, camera.height, camera.width, camera.distortion_model, d, k, r, p),
        *(camera.binning_x, camera.binning_y, region),
    )


def cloud_message(head: Any, cloud: NDArray[np.float32]) -> Any:
    """sensor_msgs/PointCloud2 of an organised cloud, float32 [h, w, 4], as `depthpro_ros.cloud` packs it."""
    height, width, _ = cloud.shape
    fields = [_new("sensor_msgs/msg/PointField", name, 4 * i, FLOAT32, 1) for i, name in enumerate(POINT_FIELDS)]
    step = 4 * len(POINT_FIELDS)
    data = np.ascontiguousarray(cloud, np.float32).reshape(-1).view(np.uint8)
    return _new("sensor_msgs/msg/PointCloud2", head, height, width, fields, BIG_ENDIAN, step, step * width, data, False)


def float_message(value: float) -> Any:
    """std_msgs/Float64."""
    return _new("std_msgs/msg/Float64", value)


def _new(kind: str, *values: Any) -> Any:
    return message_types().types[kind](*values)
