# SPDX-License-Identifier: Apache-2.0
"""Where a range sensor is, as seen from the camera: from a parameter, or from tf."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any, Protocol

from rclpy.node import Node
from rclpy.time import Time
from std_msgs.msg import Header

from depthpro_ros.errors import InputError
from depthpro_ros.node.parameters import Settings
from depthpro_ros.scale import Extrinsics, NoScale


class Mounting(Protocol):
    """Knows transforms from a sensor's frame to the camera's optical frame."""

    def extrinsics(self, camera_frame: str, sensor: Header) -> Extrinsics:
        """The transform at the time of a sensor's message.

        Raises:
            NoScale: it is not known.
        """
        ...

    def destroy(self) -> None:
        """End subscriptions."""
        ...


class FixedMounting:
    """The transform of the parameter ranges_extrinsics.

    Args:
        numbers: x, y, z, qx, qy, qz, qw.
    """

    def __init__(self, numbers: tuple[float, ...]) -> None:
        self._extrinsics = Extrinsics.from_list(numbers)

    def extrinsics(self, camera_frame: str, sensor: Header) -> Extrinsics:
        """The same for every message."""
        return self._extrinsics

    def destroy(self) -> None:
        """Nothing to end."""


class TfMounting:
    """The transform that tf knows.

    Args:
        node: whose executor hears /tf and /tf_static.
    """

    def __init__(self, node: Node) -> None:
        self._tf: Any = importlib.import_module("tf2_ros")
        self._buffer = self._tf.Buffer()
        self._listener = self._tf.TransformListener(self._buffer, node)

    def extrinsics(self, camera_frame: str, sensor: Header) -> Extrinsics:
        """The transform at the stamp of a message, or the newest where tf has none of that time."""
        if sensor.frame_id == camera_frame:
            return Extrinsics()
        stamp = Time.from_msg(sensor.stamp)
        try:
            if not self._buffer.can_transform(camera_frame, sensor.frame_id, stamp):
                stamp = Time()  # the newest
            transform = self._buffer.lookup_transform(camera_frame, sensor.frame_id, stamp).transform
        except self._tf.TransformException as error:
            raise NoScale(
                f"tf knows no transform from the ranges' frame {sensor.frame_id!r} to the image's {camera_frame!r} "
                f"({error}): publish it, or set ranges_extrinsics"
            ) from error
        t, q = transform.translation, transform.rotation
        return Extrinsics((t.x, t.y, t.z), (q.x, q.y, q.z, q.w))

    def destroy(self) -> None:
        """Stop listening."""
        self._listener.unregister()


def tf_is_installed() -> bool:
    """Whether transforms can be looked up."""
    return importlib.util.find_spec("tf2_ros") is not None


def check_mounting(settings: Settings) -> None:
    """Raise InputError if there is no way to know where the range sensor is."""
    if not settings.ranges_extrinsics and not tf_is_installed():
        raise InputError(
            "ranges_extrinsics is empty and tf2_ros is not installed, so nobody knows where the ranges' sensor is: "
            "install tf2_ros, or give [x, y, z, qx, qy, qz, qw] of the sensor's frame in the camera's optical frame"
        )


def mounting(node: Node, settings: Settings) -> Mounting:
    """What the settings ask for.

    Raises:
        InputError: see `check_mounting`.
    """
    check_mounting(settings)
    return FixedMounting(settings.ranges_extrinsics) if settings.ranges_extrinsics else TfMounting(node)
