# SPDX-License-Identifier: Apache-2.0
"""One bag that rosbags can read, read through once when it is opened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from depthpro_ros.bag_messages import stamp_ns
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.bags.clocks import Place
from depthpro_ros.evaluation.bags.compression import ZSTD_MAGIC
from depthpro_ros.evaluation.bags.messages import READ_TYPES, STAMPED_TYPES, check_definition, deserialised, ros2_store


class PackedMessages(InputError):
    """Messages are compressed one by one, which metadata.yaml would have told."""


@dataclass(frozen=True)
class Read:
    """A message, deserialised.

    Attributes:
        topic: its name.
        place: its times.
        content: as rosbags gives it, or why it cannot be read.
        is_ros2: ROS 1 spells some fields otherwise.
    """

    topic: str
    place: Place
    content: Any
    is_ros2: bool

    @property
    def message(self) -> Any:
        """As rosbags gives it.

        Raises:
            InputError: the message is damaged.
        """
        if isinstance(self.content, InputError):
            raise self.content
        return self.content


class Part:
    """A folder with metadata.yaml, a storage file or a ROS 1 bag.

    All messages of `READ_TYPES` are read once, so that damage shows here and not in the middle of the work.

    Args:
        path: what rosbags' AnyReader takes.

    Attributes:
        places: where each topic's messages are.
        types, counts: of each topic, as the bag tells.
        unstamped: how many messages of a topic have a header with stamp 0.

    Raises:
        PackedMessages: its messages are compressed, and there is no metadata.yaml.
        InputError: it cannot be opened, or not be read to its end.
    """

    def __init__(self, path: Path) -> None:
        from rosbags.highlevel import AnyReader

        self.places: dict[str, list[Place]] = defaultdict(list)
        self.unstamped: dict[str, int] = defaultdict(int)
        self._reader: Any = None
        try:
            self._reader = AnyReader([path], default_typestore=ros2_store())
            self._reader.open()
            self.is_ros2 = bool(self._reader.is2)
            self.counts: dict[str, int] = defaultdict(int)
            self.types: dict[str, str] = {}
            for c in self._reader.connections:
                # SQLite holds anything, whatever a table says
                if not (isinstance(c.topic, str) and isinstance(c.msgtype, str)):
                    raise InputError(f"a topic has the name {c.topic!r} and the type {c.msgtype!r}")
                self.types[c.topic] = c.msgtype
                self.counts[c.topic] += c.msgcount
            self._survey()
        except PackedMessages:
            self.close()
            raise
        except Exception as error:  # whatever damaged bytes make of a parser
            self.close()
            raise InputError(f"{path.name}: {str(error) or type(error).__name__}") from error

    def messages(self, topics: Collection[str], start: int | None = None, stop: int | None = None) -> Iterator[Read]:
        """Messages of these topics, by time of recording within each file.

        Args:
            topics: their names.
            start, stop: times of recording, nanoseconds; the stop is left out.
        """
        connections = [c for c in self._reader.connections if c.topic in topics]
        if not connections:
            return
        for connection, time_ns, raw in self._reader.messages(connections, start, stop):
            place = self._place(connection.msgtype, time_ns, raw)
            yield Read(connection.topic, place, self._content(raw, connection.msgtype), self.is_ros2)

    def close(self) -> None:
        """Close the bag."""
        reader, self._reader = self._reader, None
        if reader is not None and reader.stack is not None:
            reader.close()

    def _survey(self) -> None:
        connections = [c for c in self._reader.connections if c.msgtype in READ_TYPES]
        store = self._reader.typestore
        for msgtype in {c.msgtype for c in connections if c.msgtype in store.fielddefs}:
            check_definition(store, msgtype, is_ros2=self.is_ros2)
        for connection, time_ns, raw in self._reader.messages(connections) if connections else ():
            if self.is_ros2 and bytes(raw[:4]) == ZSTD_MAGIC:
                raise PackedMessages("messages are compressed")
            if not isinstance(time_ns, int):
                raise InputError(f"{connection.topic} has a message with the time {time_ns!r}")
            self.places[connection.topic].append(self._place(connection.msgtype, time_ns, raw))
            if connection.msgtype in STAMPED_TYPES and stamp_ns(raw, self.is_ros2) == 0:
                self.unstamped[connection.topic] += 1

    def _place(self, msgtype: str, time_ns: int, raw: bytes) -> Place:
        stamp = stamp_ns(raw, self.is_ros2) if msgtype in STAMPED_TYPES else 0
        return Place(time_ns, stamp or time_ns)

    def _content(self, raw: bytes, msgtype: str) -> Any:
        """The message, or why it cannot be read: one that is damaged does not end the reading of the others."""
        try:
            return deserialised(raw, msgtype, is_ros2=self.is_ros2, store=self._reader.typestore)
        except InputError as error:
            return error
