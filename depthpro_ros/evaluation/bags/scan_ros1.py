# SPDX-License-Identifier: Apache-2.0
"""The messages of a ROS 1 bag from its start, without its index (http://wiki.ros.org/Bags/Format/2.0)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.bags.compression import decompress_start
from depthpro_ros.evaluation.bags.scan import RawMessage, Report, read_at_most

ROS1_MAGIC = b"#ROSBAG V2.0\n"
_MESSAGE, _CHUNK, _CONNECTION = 0x02, 0x05, 0x07
Header = dict[str, bytes]


def scan_ros1(path: Path, report: Report) -> Iterator[RawMessage]:
    """Every message that is whole, in the order of the file.

    A damaged chunk is reported and passed over; a chunk that is cut off gives its first messages.
    """
    names: dict[int, tuple[str, str]] = {}
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(len(ROS1_MAGIC))
        while file.tell() < size:
            try:
                header, data, whole = _record(file)
            except (struct.error, InputError):
                report(f"is cut off or damaged before byte {file.tell()} of {size}", "cut_off")
                return
            if not whole:
                report(f"is cut off after {size} bytes, within a record", "cut_off")
            try:
                if _kind(header) == _CHUNK:
                    yield from _chunk(header, data, whole, names)
                elif whole:
                    yield from _content(header, data, names)
            except (InputError, struct.error, UnicodeDecodeError, KeyError) as error:
                report(f"the record before byte {file.tell()} cannot be read: {error}", "damaged")
            if not whole:
                return


def _kind(header: Header) -> int:
    return header["op"][0] if header.get("op") else -1


def _record(file: BinaryIO) -> tuple[Header, bytes, bool]:
    """Header, data, and whether that is all of them."""
    header = _fields(_sized(file))
    (length,) = struct.unpack("<I", file.read(4))
    data = read_at_most(file, length)
    return header, data, len(data) == length


def _sized(file: BinaryIO) -> bytes:
    (length,) = struct.unpack("<I", file.read(4))
    data = read_at_most(file, length)
    if len(data) < length:
        raise InputError("a record's header is cut off")
    return data


def _fields(content: bytes) -> Header:
    fields: Header = {}
    at = 0
    while at < len(content):
        (length,) = struct.unpack_from("<I", content, at)
        name, equals, value = content[at + 4 : at + 4 + length].partition(b"=")
        if not equals:
            raise InputError("a record's header is damaged")
        fields[name.decode("latin-1")] = value
        at += 4 + length
    return fields


def _chunk(header: Header, data: bytes, whole: bool, names: dict[int, tuple[str, str]]) -> Iterator[RawMessage]:
    content = decompress_start(data, header["compression"].decode())
    inside = BytesIO(content)
    while inside.tell() < len(content):
        try:
            inner, inner_data, complete = _record(inside)
        except (struct.error, InputError) as error:
            if whole:
                raise InputError(f"a chunk ends within a record ({error})") from error
            return
        if complete:
            yield from _content(inner, inner_data, names)


def _content(header: Header, data: bytes, names: dict[int, tuple[str, str]]) -> Iterator[RawMessage]:
    if _kind(header) == _CONNECTION:
        (number,) = struct.unpack("<I", header["conn"])
        package, _, kind = _fields(data)["type"].decode().rpartition("/")
        names[number] = ("/" + header["topic"].decode().lstrip("/"), f"{package.removesuffix('/msg')}/msg/{kind}")
    elif _kind(header) == _MESSAGE:
        (number,) = struct.unpack("<I", header["conn"])
        seconds, nanoseconds = struct.unpack("<II", header["time"])
        if number in names:
            yield RawMessage(*names[number], seconds * 10**9 + nanoseconds, data)
