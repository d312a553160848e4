# SPDX-License-Identifier: Apache-2.0
"""The message types that are read from recordings, and their definitions for bags that do not carry them."""

from __future__ import annotations

from functools import cache
from typing import Any

from depthpro_ros.bag_messages import COMPRESSED, IMAGE, INFO
from depthpro_ros.errors import InputError

CLOUD = "sensor_msgs/msg/PointCloud2"
TF_TYPES = ("tf2_msgs/msg/TFMessage", "tf/msg/tfMessage")
UNITS = "std_msgs/msg/Float32"
"""RealSense's recorder says metres per depth value with it."""

TRANSFORM = "geometry_msgs/msg/Transform"
"""RealSense's recorder says with it where a stream's camera is."""

STAMPED_TYPES = (IMAGE, COMPRESSED, INFO, CLOUD)
"""Types that begin with a header."""
READ_TYPES = (*STAMPED_TYPES, *TF_TYPES, UNITS, TRANSFORM)


@cache
def ros2_store() -> Any:
    """Definitions of ROS 2 Humble, which are those of Foxy to Jazzy for the types read here."""
    from rosbags.typesys import Stores, get_typestore

    return get_typestore(Stores.ROS2_HUMBLE)


@cache
def ros1_store() -> Any:
    """Definitions of ROS 1 Noetic, with tf's."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.ROS1_NOETIC)
    for name in TF_TYPES:
        store.register(get_types_from_msg("geometry_msgs/TransformStamped[] transforms", name))
    return store


def deserialised(raw: bytes, msgtype: str, *, is_ros2: bool, store: Any = None) -> Any:
    """A message of a recording.

    Args:
        raw: serialised by the ROS that recorded it.
        msgtype: its type, in ROS 2's spelling.
        is_ros2: which ROS.
        store: definitions that the recording carries; ours for types that it does not define.

    Raises:
        InputError: the bytes are no message of this type.
    """
    if store is None or msgtype not in store.fielddefs:
        store = ros2_store() if is_ros2 else ros1_store()
    try:
        return store.deserialize_cdr(raw, msgtype) if is_ros2 else store.deserialize_ros1(raw, msgtype)
    except Exception as error:  # whatever damaged bytes make of rosbags' parser
        reason = str(error) or type(error).__name__
        raise InputError(f"a message of {len(raw)} bytes is no {msgtype}, it is damaged: {reason}") from error


def rosbags_installed() -> None:
    """Check before the first import.

    Raises:
        InputError: rosbags is not installed.
    """
    try:
        import rosbags  # noqa: F401
    except ImportError as error:
        raise InputError("reading bags needs rosbags: pip install 'depthpro_ros[evaluate]'") from error
