# SPDX-License-Identifier: Apache-2.0
"""Messages of a storage file that is damaged, cut off, or lacks what says how it is compressed.

The file is read from its start, without its index, and each message that is whole goes into a new bag, which can then
be read like any other.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.bags.compression import ZSTD_MAGIC, unpack_file, zstd_decompress
from depthpro_ros.evaluation.bags.messages import READ_TYPES, ros_store
from depthpro_ros.evaluation.bags.problems import Problem
from depthpro_ros.evaluation.bags.scan import RawMessage, Report
from depthpro_ros.evaluation.bags.scan_mcap import MCAP_MAGIC, scan_mcap
from depthpro_ros.evaluation.bags.scan_ros1 import ROS1_MAGIC, scan_ros1
from depthpro_ros.evaluation.bags.scan_sqlite import SQLITE_MAGIC, scan_sqlite

SCANNERS: tuple[tuple[bytes, Literal[1, 2], Callable[[Path, Report], Iterator[RawMessage]]], ...] = (
    (MCAP_MAGIC, 2, scan_mcap),
    (SQLITE_MAGIC, 2, scan_sqlite),
    (ROS1_MAGIC, 1, scan_ros1),
)


@dataclass(frozen=True)
class Salvage:
    """A copy of what could be read.

    Attributes:
        path: a bag; None if there was no message of a type that is read.
        messages: how many it has.
        problems: what stood in the way.
    """

    path: Path | None
    messages: int
    problems: tuple[Problem, ...]


def salvage(file: Path, folder: Path) -> Salvage:
    """Copy the messages of `READ_TYPES` to a new bag.

    Args:
        file: .mcap, .db3 or .bag, perhaps within .zstd; told apart by their content.
        folder: for the new bag, which may need as much space as the old one, unpacked.
    """
    problems: list[Problem] = []

    def report(text: str, kind: Literal["cut_off", "damaged"]) -> None:
        problems.append(Problem(kind, f"{file.name}: {text}"))

    source = file
    head = _head(source)
    if head.startswith(ZSTD_MAGIC):
        source = Path(tempfile.mkdtemp(dir=folder)) / file.stem
        unpack_file(file, source, report)
        head = _head(source)
    for magic, version, scan in SCANNERS:
        if head.startswith(magic):
            messages = (_unpacked(m) for m in scan(source, report) if m.msgtype in READ_TYPES)
            out = Path(tempfile.mkdtemp(dir=folder)) / f"bag{'.bag' if version == 1 else ''}"
            count = _write(messages, out, version)
            return Salvage(out if count else None, count, tuple(problems))
    what = "is empty" if not head else f"starts with {head[:8].hex(' ')}, which is no MCAP, SQLite or ROS 1 bag"
    report(what, "damaged")
    return Salvage(None, 0, tuple(problems))


def _head(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(16)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error}") from error


def _unpacked(message: RawMessage) -> RawMessage:
    """Without the compression of single messages, which only metadata.yaml tells; CDR starts with another word."""
    if not message.data.startswith(ZSTD_MAGIC):
        return message
    return RawMessage(message.topic, message.msgtype, message.time_ns, zstd_decompress(message.data))


def _write(messages: Iterator[RawMessage], out: Path, version: Literal[1, 2]) -> int:
    from rosbags.rosbag1 import Writer as Writer1
    from rosbags.rosbag2 import StoragePlugin
    from rosbags.rosbag2 import Writer as Writer2

    store = ros_store(version == 2)
    writer: Any = Writer1(out) if version == 1 else Writer2(out, version=8, storage_plugin=StoragePlugin.MCAP)
    connections: dict[tuple[str, str], Any] = {}
    count = 0
    with writer:
        for message in messages:
            key = (message.topic, message.msgtype)
            if key not in connections:
                connections[key] = writer.add_connection(*key, typestore=store)
            writer.write(connections[key], message.time_ns, message.data)
            count += 1
    return count
