# SPDX-License-Identifier: Apache-2.0
"""Serialised images, read where they were received."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from std_msgs.msg import Header

from depthpro_ros.errors import InputError
from depthpro_ros.node.cdr import BYTE_ORDER


@dataclass(frozen=True)
class ReceivedImage:
    """A sensor_msgs/Image whose data lies where it was received.

    Attributes:
        header, height, width, encoding, is_bigendian, step: as in the ROS message.
        data: uint8 [size].
    """

    header: Header
    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: NDArray[np.uint8]


class CdrReader:
    """Reads fields in CDR one after another, in the byte order that they were written in.

    Args:
        memory: uint8 [size], the serialised message.
    """

    def __init__(self, memory: NDArray[np.uint8]) -> None:
        self._memory = memory
        self._order = "<" if memory[1] & 1 else ">"
        self._at = len(BYTE_ORDER)

    def number(self, kind: str) -> int:
        """An integer; `kind` as in `CdrWriter.number`."""
        size = struct.calcsize(kind)
        self._at += -(self._at - len(BYTE_ORDER)) % size
        (value,) = struct.unpack(self._order + kind, self.bytes(size).data)
        return int(value)

    def string(self) -> str:
        """A string."""
        return self.bytes(self.number("I")).tobytes()[:-1].decode(errors="replace")

    def header(self) -> Header:
        """A std_msgs/Header."""
        result = Header()
        result.stamp.sec, result.stamp.nanosec = self.number("i"), self.number("I")
        result.frame_id = self.string()
        return result

    def bytes(self, size: int) -> NDArray[np.uint8]:
        """So many bytes, where they are.

        Raises:
            InputError: there are not so many.
        """
        result = self._memory[self._at : self._at + size]
        if len(result) != size:
            raise InputError(f"a serialised message ends after {len(self._memory)} bytes, within one of its fields")
        self._at += size
        return result


def read_image(memory: NDArray[np.uint8]) -> ReceivedImage:
    """A serialised sensor_msgs/Image; its data stays in `memory`, uint8 [size].

    Raises:
        InputError: the message ends too early.
    """
    cdr = CdrReader(memory)
    return ReceivedImage(
        header=cdr.header(),
        height=cdr.number("I"),
        width=cdr.number("I"),
        encoding=cdr.string(),
        is_bigendian=cdr.number("B"),
        step=cdr.number("I"),
        data=cdr.bytes(cdr.number("I")),
    )
