# SPDX-License-Identifier: Apache-2.0
"""The messages of an MCAP file from its start, without its index (https://mcap.dev/spec)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.bags.compression import decompress_start
from depthpro_ros.evaluation.bags.scan import RawMessage, Report, read_at_most

MCAP_MAGIC = b"\x89MCAP0\r\n"
_FOOTER, _SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _DATA_END = 0x02, 0x03, 0x04, 0x05, 0x06, 0x0F
_RECORD = struct.Struct("<BQ")


@dataclass
class _Names:
    """What schema and channel records said so far: a schema's name, a channel's topic and type."""

    schemas: dict[int, str] = field(default_factory=dict)
    channels: dict[int, tuple[str, str]] = field(default_factory=dict)


def scan_mcap(path: Path, report: Report) -> Iterator[RawMessage]:
    """Every message that is whole, in the order of the file.

    A damaged chunk is reported and passed over; a chunk that is cut off gives its first messages.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        names = _names_at_the_end(file, size)
        file.seek(len(MCAP_MAGIC))
        for op, content, whole in _records(file):
            if op == _DATA_END:
                return
            if not whole:
                report(f"is cut off after {size} bytes, within a record", "cut_off")
            try:
                if op == _CHUNK:
                    yield from _chunk(content, whole, names)
                elif whole:
                    yield from _record(op, content, names)
            except (InputError, struct.error, UnicodeDecodeError) as error:
                report(f"the record before byte {file.tell()} cannot be read: {error}", "damaged")
            if not whole:
                return
        report(f"is cut off after {size} bytes: it has no end", "cut_off")


def _names_at_the_end(file: BinaryIO, size: int) -> _Names:
    """What the summary repeats, if it is there: the chunk that said it first may be damaged."""
    names = _Names()
    footer = _RECORD.size + 20 + len(MCAP_MAGIC)
    file.seek(max(size - footer, 0))
    end = file.read()
    if len(end) == footer and end[0] == _FOOTER and end.endswith(MCAP_MAGIC):
        (summary,) = struct.unpack_from("<Q", end, _RECORD.size)
        file.seek(summary if 0 < summary < size else size)
        try:
            for op, content, whole in _records(file):
                if whole and op in (_SCHEMA, _CHANNEL):
                    list(_record(op, content, names))
        except (struct.error, UnicodeDecodeError):
            return _Names()
    return names


def _records(file: BinaryIO) -> Iterator[tuple[int, bytes, bool]]:
    """Kind, content, and whether that is all of it."""
    while len(head := file.read(_RECORD.size)) == _RECORD.size:
        op, length = _RECORD.unpack(head)
        content = read_at_most(file, length)
        yield op, content, len(content) == length


def _chunk(content: bytes, whole: bool, names: _Names) -> Iterator[RawMessage]:
    # two times, the size of the content, its checksum (0: none)
    (checksum,) = struct.unpack_from("<I", content, 24)
    compression, start = _text(content, 28)
    (length,) = struct.unpack_from("<Q", content, start)
    data = content[start + 8 : start + 8 + length]
    unpacked = decompress_start(data, compression)
    if whole and checksum and zlib.crc32(unpacked) != checksum:
        raise InputError("a chunk's checksum does not fit: its messages are left out")
    for op, record, complete in _records(BytesIO(unpacked)):
        if complete:
            yield from _record(op, record, names)
        elif whole:
            raise InputError("a chunk ends within a record")


def _record(op: int, content: bytes, names: _Names) -> Iterator[RawMessage]:
    if op == _SCHEMA:
        (number,) = struct.unpack_from("<H", content)
        names.schemas[number] = _text(content, 2)[0]
    elif op == _CHANNEL:
        number, schema = struct.unpack_from("<HH", content)
        names.channels[number] = (_text(content, 4)[0], names.schemas.get(schema, ""))
    elif op == _MESSAGE:
        number, _, time_ns, _ = struct.unpack_from("<HIQQ", content)
        if number in names.channels:
            yield RawMessage(*names.channels[number], time_ns, content[22:])


def _text(content: bytes, start: int) -> tuple[str, int]:
    """A string, and where it ends."""
    (length,) = struct.unpack_from("<I", content, start)
    end = start + 4 + length
    return content[start + 4 : end].decode(), end
