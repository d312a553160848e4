# SPDX-License-Identifier: Apache-2.0
"""The range sensor beside a camera: its messages, which of them belongs to an image, and what it says."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import LaserScan, PointCloud2, PointField, Range
from std_msgs.msg import Header

from depthpro_ros.errors import InputError
from depthpro_ros.node.mounting import mounting
from depthpro_ros.node.pairing import JUMP_BACK_NS, stamp_ns
from depthpro_ros.node.parameters import Settings
from depthpro_ros.node.subscriptions import MatchedSubscription
from depthpro_ros.scale import (
    Extrinsics,
    NoScale,
    RangeCones,
    RangePoints,
    cloud_points,
    range_point,
    scan_points,
)

TYPES = {"laser_scan": LaserScan, "range": Range, "points": PointCloud2}
"""The message of each ranges_type."""
KEPT = 32
AT_MOST = 5000
"""Points of a cloud that are looked at."""


class RangeMessages:
    """The last messages of a range sensor, found by stamp. Written by the executor, read by the worker.

    Attributes:
        arrived: how many there were.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._messages: deque[Any] = deque(maxlen=KEPT)
        self.arrived = 0

    def put(self, message: Any) -> None:
        """Keep a message."""
        with self._lock:
            newest = stamp_ns(self._messages[-1].header) if self._messages else 0
            if stamp_ns(message.header) < newest - JUMP_BACK_NS:
                self._messages.clear()
            self._messages.append(message)
            self.arrived += 1

    def nearest(self, image: Header, max_age_s: float) -> Any:
        """The message whose stamp is nearest to an image's.

        Raises:
            NoScale: there is none, or it is farther than `max_age_s`, seconds.
        """
        with self._lock:
            messages = list(self._messages)
        if not messages:
            raise NoScale("no ranges have arrived yet")
        wanted = stamp_ns(image)
        nearest = min(messages, key=lambda message: abs(stamp_ns(message.header) - wanted))
        apart_s = (stamp_ns(nearest.header) - wanted) / 1e9
        if abs(apart_s) > max_age_s:
            raise NoScale(
                f"the nearest ranges are {abs(apart_s):.3f} s {'after' if apart_s > 0 else 'before'} the image, "
                f"ranges_max_age_s is {max_age_s:g}"
            )
        return nearest


class RangeSensor:
    """The range sensor of one camera, while the node is active.

    Args:
        node: that subscribes.
        topic: fully resolved.
        settings: type of the messages, and where the sensor is.

    Raises:
        InputError: nobody knows where it is.
    """

    def __init__(self, node: Node, topic: str, settings: Settings) -> None:
        self._messages = RangeMessages()
        self._mounting = mounting(node, settings)
        self._subscription = MatchedSubscription(node, TYPES[settings.ranges_type], topic, self._messages.put, depth=10)

    @property
    def topic(self) -> str:
        """Where the ranges come from."""
        return self._subscription.topic

    @property
    def arrived(self) -> int:
        """How many messages have come."""
        return self._messages.arrived

    def at(self, image: Header, max_age_s: float) -> RangePoints | NoScale:
        """What was measured at the time of an image, in its frame, or why nothing was."""
        try:
            message = self._messages.nearest(image, max_age_s)
            return range_points(message, self._mounting.extrinsics(image.frame_id, message.header))
        except NoScale as reason:
            return reason
        except InputError as error:  # bad ranges do not spoil the image
            return NoScale(f"bad message on {self.topic}: {error}")

    def destroy(self) -> None:
        """End the subscriptions."""
        self._subscription.destroy()
        self._mounting.destroy()


def range_points(message: LaserScan | Range | PointCloud2, extrinsics: Extrinsics) -> RangePoints:
    """What a message says, in the camera's optical frame.

    Args:
        message: from a range sensor.
        extrinsics: from its frame to the camera's.

    Raises:
        InputError: it contradicts itself.
    """
    stamp_s = stamp_ns(message.header) / 1e9
    if isinstance(message, LaserScan):
        points = scan_points(
            message.ranges, message.angle_min, message.angle_increment, message.range_min, message.range_max
        )
        return RangePoints(extrinsics.apply(points), stamp_s)
    if isinstance(message, Range):
        point = range_point(message.range, message.min_range, message.max_range)
        return RangeCones(extrinsics.apply(point), stamp_s, message.field_of_view / 2)
    offsets, float64 = _coordinates(message)
    points = cloud_points(
        message.data,
        width=message.width,
        height=message.height,
        point_step=message.point_step,
        row_step=message.row_step,
        offsets=offsets,
        float64=float64,
        is_bigendian=message.is_bigendian,
        at_most=AT_MOST,
    )
    return RangePoints(extrinsics.apply(points), stamp_s)


def _coordinates(message: PointCloud2) -> tuple[tuple[int, int, int], bool]:
    """Offsets of x, y and z in a point, and whether they have 64 bits."""
    fields = {field.name: field for field in message.fields}
    types = {fields[name].datatype for name in "xyz" if name in fields}
    if not all(name in fields for name in "xyz") or types not in ({PointField.FLOAT32}, {PointField.FLOAT64}):
        found = ", ".join(f"{f.name} of type {f.datatype}" for f in message.fields) or "none"
        raise InputError(f"the cloud's fields are {found}: expected x, y and z, all FLOAT32 or all FLOAT64")
    x, y, z = (fields[name].offset for name in "xyz")
    return (x, y, z), types == {PointField.FLOAT64}
