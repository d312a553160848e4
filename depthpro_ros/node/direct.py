# SPDX-License-Identifier: Apache-2.0
"""Publishing serialised messages through rcl's C interface.

rclpy's own publish() copies a message twice on its way to the middleware, a serialised one as well, and holds Python's
lock all the while, with which the network's thread can start nothing on a GPU. `rcl_publish_serialized_message` reads
our memory, and ctypes calls it without the lock.
"""

from __future__ import annotations

import ctypes
import functools
import os
from typing import Any

from rclpy.publisher import Publisher

from depthpro_ros.node.cdr import SerialisedMessage


class _ByteArray(ctypes.Structure):
    """rcutils_uint8_array_t, which is rcl_serialized_message_t; the allocator's five words are not used here."""

    _fields_ = (
        ("buffer", ctypes.c_void_p),
        ("buffer_length", ctypes.c_size_t),
        ("buffer_capacity", ctypes.c_size_t),
        ("allocator", ctypes.c_void_p * 5),
    )


@functools.cache
def _functions() -> tuple[Any, Any] | None:
    """rcl_publish_serialized_message and rcutils_reset_error of the libraries that rclpy uses; None where not found."""
    try:
        # only what is loaded already: another copy of rcl would know nothing of our publishers
        rcl, rcutils = (ctypes.CDLL(f"lib{name}.so", mode=os.RTLD_NOLOAD | os.RTLD_NOW) for name in ("rcl", "rcutils"))
        publish, reset_error = rcl.rcl_publish_serialized_message, rcutils.rcutils_reset_error
    except (AttributeError, OSError):
        return None
    publish.argtypes = (ctypes.c_void_p, ctypes.POINTER(_ByteArray), ctypes.c_void_p)
    publish.restype = ctypes.c_int
    reset_error.argtypes, reset_error.restype = (), None
    return publish, reset_error


def can_publish_directly() -> bool:
    """Whether rcl's C interface is found, as on Linux since Humble."""
    return _functions() is not None


def publish(publisher: Publisher, message: Any) -> None:
    """Publish a message of any kind; it may be changed again when this returns.

    Args:
        publisher: of rclpy; a lifecycle publisher that is not active publishes nothing.
        message: a ROS message, or a `SerialisedMessage` that has been sealed.

    Raises:
        RCLError: as rclpy's own publish().
    """
    if not isinstance(message, SerialisedMessage):
        publisher.publish(message)
    elif getattr(publisher, "is_activated", True) and not _published(publisher, message):
        # rclpy says what is wrong better than a number does
        publisher.publish(bytes(message))


def _published(publisher: Publisher, message: SerialisedMessage) -> bool:
    functions = _functions()
    if functions is None:
        return False
    publish_serialised, reset_error = functions
    described = _ByteArray(message.address, message.size, message.size)
    handle = publisher.handle
    with handle:  # keeps it from being destroyed meanwhile
        status = publish_serialised(handle.pointer, ctypes.byref(described), None)
    if status:
        reset_error()
    return status == 0
