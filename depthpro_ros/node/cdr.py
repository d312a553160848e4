# SPDX-License-Identifier: Apache-2.0
"""Image and PointCloud2 in CDR, the form in which every ROS middleware sends them, with their data written in place.

rclpy copies a message's data into a C structure, which the middleware then serialises. Here the data lies between the
serialised fields before it and after it from the beginning, so that the middleware copies it and nobody else does.

The layout is that of the OMG's Common Data Representation, version 1: a number lies at a multiple of its size, counted
from the end of the four bytes that name the byte order; a string is its length, its bytes and a zero.
"""

from __future__ import annotations

import array
import math
import struct
import sys

import numpy as np
import torch
from sensor_msgs.msg import Image, PointCloud2
from std_msgs.msg import Header
from torch import Tensor

BYTE_ORDER = b"\0\1\0\0" if sys.byteorder == "little" else b"\0\0\0\0"
"""What precedes everything: plain CDR, little or big endian, no options."""
ROOM = 1024
"""Bytes kept before the data for the fields before it, which are about 60 in an Image and 150 in a PointCloud2."""
ALIGNMENT = 64
"""Of the data in memory, in bytes: a line of the processor's cache."""


class CdrWriter:
    """Fields in CDR, in the byte order of this machine."""

    def __init__(self) -> None:
        self._bytes = bytearray(BYTE_ORDER)

    def number(self, kind: str, value: int) -> None:
        """An integer.

        Args:
            kind: of the module struct: "B" uint8 or bool, "i" int32, "I" uint32.
            value: that fits.
        """
        size = struct.calcsize(kind)
        self._bytes += bytes(-(len(self._bytes) - len(BYTE_ORDER)) % size) + struct.pack(f"={kind}", value)

    def string(self, text: str) -> None:
        """A string."""
        encoded = text.encode()
        self.number("I", len(encoded) + 1)
        self._bytes += encoded + b"\0"

    def header(self, header: Header) -> None:
        """A std_msgs/Header."""
        self.number("i", header.stamp.sec)
        self.number("I", header.stamp.nanosec)
        self.string(header.frame_id)

    def __bytes__(self) -> bytes:
        return bytes(self._bytes)


def before_data(message: Image | PointCloud2, size: int) -> bytes:
    """What is sent before the data of a message that has `size` bytes of it."""
    cdr = CdrWriter()
    cdr.header(message.header)
    cdr.number("I", message.height)
    cdr.number("I", message.width)
    if isinstance(message, PointCloud2):
        cdr.number("I", len(message.fields))
        for field in message.fields:
            cdr.string(field.name)
            cdr.number("I", field.offset)
            cdr.number("B", field.datatype)
            cdr.number("I", field.count)
        cdr.number("B", message.is_bigendian)
        cdr.number("I", message.point_step)
        cdr.number("I", message.row_step)
    else:
        cdr.string(message.encoding)
        cdr.number("B", message.is_bigendian)
        cdr.number("I", message.step)
    cdr.number("I", size)
    return bytes(cdr)


def after_data(message: Image | PointCloud2) -> bytes:
    """What is sent after the data."""
    return bytes([message.is_dense]) if isinstance(message, PointCloud2) else b""


class SerialisedMessage:
    """An Image or PointCloud2 that is serialised again and again in the same memory.

    Args:
        message: its fields, but for `data`, which stays empty.

    Attributes:
        message: the same.
        data: the memory: room, the serialised fields, the data, the fields after it. It stays the same while the number
            of bytes does.
    """

    def __init__(self, message: Image | PointCloud2) -> None:
        self.message = message
        self.data = array.array("B")
        self._begin = self._start = self._end = self._size = 0

    def tensor(self, dtype: type, *shape: int) -> Tensor:
        """The message's data as a tensor of this shape, in host memory."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if size != self._size or not self.data:
            self._allocate(size, ROOM)
        if not size:
            return torch.from_numpy(np.empty(shape, dtype))
        return torch.from_numpy(np.frombuffer(self.data, dtype, math.prod(shape), self._start).reshape(shape))

    def sealed(self) -> SerialisedMessage:
        """This, with the message's fields serialised as they are now: call it before each publication."""
        before, after = before_data(self.message, self._size), after_data(self.message)
        if not self.data or len(before) > self._start:
            kept = memoryview(self.data)[self._start : self._start + self._size].tobytes()
            self._allocate(self._size, 2 * len(before))
            memoryview(self.data)[self._start : self._start + self._size] = kept
        end = self._start + self._size
        self._begin = self._start - len(before)
        with memoryview(self.data) as memory:
            memory[self._begin : self._start] = before
            memory[end : end + len(after)] = after
        self._end = end + len(after)
        return self

    @property
    def address(self) -> int:
        """Where the serialised message begins."""
        return self.data.buffer_info()[0] + self._begin

    @property
    def size(self) -> int:
        """Of the serialised message, in bytes."""
        return self._end - self._begin

    def __bytes__(self) -> bytes:
        """A copy of the serialised message."""
        return memoryview(self.data)[self._begin : self._end].tobytes()

    def _allocate(self, size: int, room: int) -> None:
        self.data = array.array("B", bytes(room + ALIGNMENT + size + 1))
        self._start = room + -(self.data.buffer_info()[0] + room) % ALIGNMENT
        self._size = size
