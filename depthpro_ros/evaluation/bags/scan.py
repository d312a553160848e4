# SPDX-License-Identifier: Apache-2.0
"""What scanners of storage files give and say."""

from __future__ import annotations

from dataclasses import dataclass
from io import SEEK_CUR, SEEK_END
from typing import BinaryIO, Literal, Protocol


@dataclass(frozen=True)
class RawMessage:
    """A message as it lies in a bag.

    Attributes:
        topic, msgtype: names, the type's as ROS 2 writes it (pkg/msg/Type).
        time_ns: when it was recorded.
        data: serialised.
    """

    topic: str
    msgtype: str
    time_ns: int
    data: bytes


class Report(Protocol):
    """Takes an account of damage."""

    def __call__(self, text: str, kind: Literal["cut_off", "damaged"]) -> None: ...


def read_at_most(file: BinaryIO, length: int) -> bytes:
    """Up to `length` bytes; a length that damage made huge costs no memory."""
    here = file.seek(0, SEEK_CUR)
    left = file.seek(0, SEEK_END) - here
    file.seek(here)
    return file.read(min(length, left))
