# SPDX-License-Identifier: Apache-2.0
"""Writes small bags with rosbags' own writers, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

ROS2, ROS1 = get_typestore(Stores.ROS2_HUMBLE), get_typestore(Stores.ROS1_NOETIC)
ROS1.register(get_types_from_msg("geometry_msgs/TransformStamped[] transforms", "tf/msg/tfMessage"))
RECORDING_DELAY_NS = 5_000_000

POINT = np.dtype(
    {"names": ["x", "y", "z", "intensity"], "formats": ["<f4"] * 4, "offsets": [0, 4, 8, 16], "itemsize": 32}
)
"""A point as Velodyne's driver lays it out."""


class BagWriter:
    """Messages of either ROS.

    Args:
        path: of the bag; a ROS 1 bag gets the suffix.
        storage: "mcap", "sqlite" or "ros1".
        compression: "", or "file", "message", "storage" for ROS 2, "bz2", "lz4" for ROS 1.
    """

    def __init__(self, path: Path, storage: str = "mcap", compression: str = "") -> None:
        self.path = path.with_suffix(".bag") if storage == "ros1" else path
        self.is_ros1 = storage == "ros1"
        self.store = ROS1 if self.is_ros1 else ROS2
        self._connections: dict[str, Any] = {}
        self._writer: Any
        if self.is_ros1:
            self._writer = Writer1(self.path)
            if compression:
                self._writer.set_compression(Writer1.CompressionFormat[compression.upper()])
        else:
            plugin = StoragePlugin.SQLITE3 if storage == "sqlite" else StoragePlugin.MCAP
            self._writer = Writer(self.path, version=8, storage_plugin=plugin)
            if compression:
                self._writer.set_compression(CompressionMode[compression.upper()], CompressionFormat.ZSTD)

    def __enter__(self) -> BagWriter:
        self._writer.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def type(self, name: str) -> Any:
        return self.store.types[name]

    def header(self, stamp_ns: int, frame_id: str = "camera") -> Any:
        stamp = self.type("builtin_interfaces/msg/Time")(stamp_ns // 10**9, stamp_ns % 10**9)
        return self.type("std_msgs/msg/Header")(*((0,) if self.is_ros1 else ()), stamp, frame_id)

    def write(self, topic: str, message: Any, time_ns: int) -> None:
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(topic, message.__msgtype__, typestore=self.store)
        to_bytes = self.store.serialize_ros1 if self.is_ros1 else self.store.serialize_cdr
        self._writer.write(self._connections[topic], time_ns, bytes(to_bytes(message, message.__msgtype__)))

    def image(
        self,
        topic: str,
        stamp_ns: int,
        pixels: np.ndarray,
        encoding: str,
        *,
        padding: int = 0,
        big: bool = False,
        frame_id: str = "camera",
        time_ns: int | None = None,
    ) -> None:
        rows = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder(">")) if big else pixels)
        rows = rows.reshape(len(pixels), -1).view(np.uint8)
        rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=255)
        message = self.type("sensor_msgs/msg/Image")(
            self.header(stamp_ns, frame_id), *pixels.shape[:2], encoding, int(big), rows.shape[1], rows.reshape(-1)
        )
        # recorded later than stamped, as on a robot
        self.write(topic, message, stamp_ns + RECORDING_DELAY_NS if time_ns is None else time_ns)

    def compressed(self, topic: str, stamp_ns: int, data: bytes, kind: str, frame_id: str = "camera") -> None:
        message = self.type("sensor_msgs/msg/CompressedImage")(
            self.header(stamp_ns, frame_id), kind, np.frombuffer(data, np.uint8)
        )
        self.write(topic, message, stamp_ns + RECORDING_DELAY_NS)

    def info(
        self,
        topic: str,
        stamp_ns: int,
        fx: float,
        *,
        width: int = 6,
        height: int = 4,
        centre: tuple[float, float] = (2.5, 1.5),
        rectified_fx: float | None = None,
        frame_id: str = "camera",
    ) -> None:
        rectified = 2 * fx if rectified_fx is None else rectified_fx
        cx, cy = centre
        k = np.array([fx, 0, cx, 0, fx, cy, 0, 0, 1.0])
        p = np.array([rectified, 0, cx, 0, 0, rectified, cy, 0, 0, 0, 1, 0])
        roi = self.type("sensor_msgs/msg/RegionOfInterest")(0, 0, 0, 0, False)
        message = self.type("sensor_msgs/msg/CameraInfo")(
            self.header(stamp_ns, frame_id),
            height, width, "plumb_bob", np.zeros(5), k, np.eye(3).reshape(-1), p, 0, 0, roi,
        )  # fmt: skip
        self.write(topic, message, stamp_ns)

    def cloud(self, topic: str, stamp_ns: int, points: np.ndarray, frame_id: str = "lidar") -> None:
        """Points [N, 3], metres."""
        packed = np.zeros(len(points), POINT)
        packed["x"], packed["y"], packed["z"] = points.T
        field = self.type("sensor_msgs/msg/PointField")
        fields = [field(n, POINT.fields[n][1], 7, 1) for n in POINT.names]
        size = POINT.itemsize
        message = self.type("sensor_msgs/msg/PointCloud2")(
            self.header(stamp_ns, frame_id),
            1, len(points), fields, False, size, size * len(points), packed.view(np.uint8), False,
        )  # fmt: skip
        self.write(topic, message, stamp_ns + RECORDING_DELAY_NS)

    def transform(
        self,
        stamp_ns: int,
        parent: str,
        child: str,
        translation: tuple[float, float, float],
        rotation_xyzw: tuple[float, float, float, float] = (0, 0, 0, 1),
        *,
        static: bool = False,
    ) -> None:
        vector = self.type("geometry_msgs/msg/Vector3")(*map(float, translation))
        quaternion = self.type("geometry_msgs/msg/Quaternion")(*map(float, rotation_xyzw))
        moved = self.type("geometry_msgs/msg/Transform")(vector, quaternion)
        stamped = self.type("geometry_msgs/msg/TransformStamped")(self.header(stamp_ns, parent), child, moved)
        message = self.type("tf/msg/tfMessage" if self.is_ros1 else "tf2_msgs/msg/TFMessage")([stamped])
        self.write("/tf_static" if static else "/tf", message, stamp_ns)

    def extrinsics(
        self,
        topic: str,
        translation: tuple[float, float, float],
        rotation_xyzw: tuple[float, float, float, float],
        time_ns: int,
    ) -> None:
        """As RealSense's recorder writes them: from a reference to a stream's camera."""
        vector = self.type("geometry_msgs/msg/Vector3")(*map(float, translation))
        quaternion = self.type("geometry_msgs/msg/Quaternion")(*map(float, rotation_xyzw))
        self.write(topic, self.type("geometry_msgs/msg/Transform")(vector, quaternion), time_ns)
