# SPDX-License-Identifier: Apache-2.0
"""Two functions of rcl's C interface, for serialised messages.

rclpy copies a message once on its way to the middleware and twice on its way back, and a serialised one once each way;
and it holds Python's lock all the while, without which the network's thread can start nothing on a GPU. The C functions
read and write memory of ours, and ctypes calls them without the lock.
"""

from __future__ import annotations

import ctypes
import functools
import os
import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RCL_RET_SUBSCRIPTION_TAKE_FAILED = 401
"""There is no message; <rcl/types.h>."""


class _Allocator(ctypes.Structure):
    """rcutils_allocator_t: four functions and their state."""

    _fields_ = (("words", ctypes.c_void_p * 5),)


class _ByteArray(ctypes.Structure):
    """rcutils_uint8_array_t, which is rcl_serialized_message_t."""

    _fields_ = (
        ("buffer", ctypes.c_void_p),
        ("buffer_length", ctypes.c_size_t),
        ("buffer_capacity", ctypes.c_size_t),
        ("allocator", _Allocator),
    )


@dataclass(frozen=True)
class _Functions:
    """Of the libraries that rclpy has loaded, and free() of the C library."""

    publish: Any
    take: Any
    reset_error: Any
    default_allocator: Any
    free: Any


@functools.cache
def _functions() -> _Functions | None:
    try:
        # only what is loaded already: another copy of rcl would know nothing of our publishers
        rcl, rcutils = (ctypes.CDLL(f"lib{name}.so", mode=os.RTLD_NOLOAD | os.RTLD_NOW) for name in ("rcl", "rcutils"))
        found = _Functions(
            rcl.rcl_publish_serialized_message,
            rcl.rcl_take_serialized_message,
            rcutils.rcutils_reset_error,
            rcutils.rcutils_get_default_allocator,
            ctypes.CDLL(None).free,
        )
    except (AttributeError, OSError, TypeError):
        return None
    message = ctypes.POINTER(_ByteArray)
    found.publish.argtypes, found.publish.restype = (ctypes.c_void_p, message, ctypes.c_void_p), ctypes.c_int
    found.take.argtypes, found.take.restype = (ctypes.c_void_p, message, ctypes.c_void_p, ctypes.c_void_p), ctypes.c_int
    found.reset_error.argtypes, found.reset_error.restype = (), None
    found.default_allocator.argtypes, found.default_allocator.restype = (), _Allocator
    found.free.argtypes, found.free.restype = (ctypes.c_void_p,), None
    return found


def available() -> bool:
    """Whether the functions are found, as on Linux since Humble."""
    return _functions() is not None


def publish_serialised(handle: Any, address: int, size: int) -> bool:
    """Publish a serialised message; false if that is not possible, and rclpy's own publish() says why.

    Args:
        handle: of an rclpy publisher.
        address: of the message in memory, which may be changed again afterwards.
        size: of the message in bytes.
    """
    functions = _functions()
    if functions is None:
        return False
    message = _ByteArray(address, size, size)
    with handle:  # keeps it from being destroyed meanwhile
        status = functions.publish(handle.pointer, ctypes.byref(message), None)
    if status:
        functions.reset_error()
    return bool(status == 0)


def take_serialised(handle: Any) -> NDArray[np.uint8] | None:
    """Take a serialised message, uint8 [size]; None if there is none.

    Args:
        handle: of an rclpy subscription.

    Raises:
        RuntimeError: rcl refuses, or there is no rcl.
    """
    functions = _functions()
    if functions is None:
        raise RuntimeError("rcl's C interface is not found: ask `available` first")
    message = _ByteArray(None, 0, 0, functions.default_allocator())
    with handle:
        status = functions.take(handle.pointer, ctypes.byref(message), None, None)
    if status:
        functions.reset_error()
        functions.free(message.buffer)
        if status == RCL_RET_SUBSCRIPTION_TAKE_FAILED:
            return None
        raise RuntimeError(f"rcl_take_serialized_message returned {status}")
    memory = (ctypes.c_ubyte * message.buffer_length).from_address(message.buffer)
    # the array below refers to `memory`, so that both go together
    weakref.finalize(memory, functions.free, message.buffer).atexit = False
    return np.frombuffer(memory, np.uint8)
