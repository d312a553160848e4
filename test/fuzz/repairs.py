# SPDX-License-Identifier: Apache-2.0
"""Checksums that are put right after damage, so that the parser looks behind them."""

from __future__ import annotations

import struct
import zlib

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_MCAP_MAGIC, _MCAP_CHUNK = b"\x89MCAP0\r\n", 0x06


def png(content: bytes) -> bytes:
    """The checksum of each chunk of a PNG file."""
    start = content.find(_PNG_MAGIC)
    if start < 0:
        return content
    fixed = bytearray(content)
    at = start + len(_PNG_MAGIC)
    while at + 12 <= len(fixed):
        (length,) = struct.unpack_from(">I", fixed, at)
        end = at + 8 + length
        if end + 4 > len(fixed):
            break
        struct.pack_into(">I", fixed, end, zlib.crc32(fixed[at + 4 : end]))
        at = end + 4
    return bytes(fixed)


def mcap(content: bytes) -> bytes:
    """The checksums of an MCAP file's chunks: 0, which says that there is none."""
    if not content.startswith(_MCAP_MAGIC):
        return content
    fixed = bytearray(content)
    at = len(_MCAP_MAGIC)
    while at + 9 <= len(fixed):
        op, length = struct.unpack_from("<BQ", fixed, at)
        if op == _MCAP_CHUNK and at + 9 + 28 <= len(fixed):
            struct.pack_into("<I", fixed, at + 9 + 24, 0)
        at += 9 + length
    return bytes(fixed)
