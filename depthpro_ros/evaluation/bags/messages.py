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


def ros_store(is_ros2: bool) -> Any:
    """Definitions of the one ROS or the other."""
    return ros2_store() if is_ros2 else ros1_store()


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
        store = ros_store(is_ros2)
    try:
        return store.deserialize_cdr(raw, msgtype) if is_ros2 else store.deserialize_ros1(raw, msgtype)
    except Exception as error:  # whatever damaged bytes make of rosbags' parser
        reason = str(error) or type(error).__name__
        raise InputError(f"a message of {len(raw)} bytes is no {msgtype}, it is damaged: {reason}") from error


def check_definition(store: Any, msgtype: str, *, is_ros2: bool) -> None:
    """Compare a recording's own definition of a message with ROS's, down to the types within.

    Args:
        store: definitions that the recording carries.
        msgtype: one of `READ_TYPES`.
        is_ros2: which ROS.

    Raises:
        InputError: they differ, so that a message would have other fields than are read from it.
    """
    if _fields(store, msgtype) != _fields(ros_store(is_ros2), msgtype):
        raise InputError(f"its definition of {msgtype} is not that of ROS {2 if is_ros2 else 1}")


def _fields(store: Any, msgtype: str) -> dict[str, Any]:
    """Names and types of a message's fields, and of those of the messages within."""
    from rosbags.interfaces import Nodetype

    found: dict[str, Any] = {}
    waiting = [msgtype]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = store.fielddefs[name][1]
        for _, (kind, what) in found[name]:
            if kind in (Nodetype.ARRAY, Nodetype.SEQUENCE):
                kind, what = what[0]
            if kind == Nodetype.NAME:
                waiting.append(what)
    return found


def rosbags_installed() -> None:
    """Check before the first import.

    Raises:
        InputError: rosbags is not installed.
    """
    try:
        import rosbags  # noqa: F401
    except ImportError as error:
        raise InputError("reading bags needs rosbags: pip install 'depthpro_ros[evaluate]'") from error
