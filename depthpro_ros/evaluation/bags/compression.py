# SPDX-License-Identifier: Apache-2.0
"""Decompression that gives what there is where the data are cut off."""

from __future__ import annotations

import bz2
import shutil
from functools import cache
from pathlib import Path
from typing import Any

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.bags.scan import Report

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
MAX_CHUNK_BYTES = 1 << 30
"""Of a chunk or a message, unpacked; recorders write chunks of megabytes."""
KEPT_FREE_BYTES = 1 << 30
"""Of the disk that a file is unpacked to."""
_BLOCK_BYTES = 1 << 20


@cache
def _zstd() -> Any:
    try:
        from compression import zstd  # Python 3.14
    except ImportError:
        from backports import zstd  # comes with rosbags
    return zstd


def zstd_decompress(data: bytes) -> bytes:
    """A whole frame of at most `MAX_CHUNK_BYTES`; what is not one stays as it is."""
    unpacker = _zstd().ZstdDecompressor()
    try:
        unpacked = bytes(unpacker.decompress(data, MAX_CHUNK_BYTES))
    except _zstd().ZstdError:
        return data
    return unpacked if unpacker.eof else data


def decompress_start(data: bytes, compression: str) -> bytes:
    """As much of a chunk as is there.

    Args:
        data: the chunk, perhaps without its end.
        compression: "", "none", "zstd", "lz4" or "bz2".

    Raises:
        InputError: another compression, data that are damaged, or more than `MAX_CHUNK_BYTES` of them.
    """
    if compression in ("", "none"):
        return data
    unpacker = _unpacker(compression)
    try:
        unpacked = bytes(unpacker.decompress(data, MAX_CHUNK_BYTES))
    except (OSError, ValueError, RuntimeError, EOFError, _zstd().ZstdError) as error:
        raise InputError(f"{compression} data of {len(data)} bytes are damaged: {error}") from error
    if not unpacker.eof and not unpacker.needs_input:
        raise InputError(f"{compression} data of {len(data)} bytes unpack to more than {MAX_CHUNK_BYTES}: refused")
    return unpacked


def _unpacker(compression: str) -> Any:
    if compression == "zstd":
        return _zstd().ZstdDecompressor()
    if compression == "lz4":
        from lz4.frame import LZ4FrameDecompressor

        return LZ4FrameDecompressor()
    if compression == "bz2":
        return bz2.BZ2Decompressor()
    raise InputError(f"compression {compression!r} is not known; known are zstd, lz4 and bz2")


def unpack_file(packed: Path, out: Path, report: Report) -> None:
    """Unpack a zstd file as far as it goes."""
    with packed.open("rb") as source, out.open("wb") as target:
        unpacker = _zstd().ZstdDecompressor()
        while block := source.read(_BLOCK_BYTES):
            try:
                while block or not (unpacker.needs_input or unpacker.eof):
                    if shutil.disk_usage(out.parent).free < KEPT_FREE_BYTES:
                        report(f"the disk has no room for what its first {source.tell()} bytes unpack to", "cut_off")
                        return
                    target.write(unpacker.decompress(block, 16 * _BLOCK_BYTES))
                    block = b""
            except _zstd().ZstdError as error:
                report(f"its zstd data are damaged before byte {source.tell()}: {error}", "damaged")
                return
            if unpacker.eof:
                return
        report(f"its zstd data end after {source.tell()} bytes, before their own end", "cut_off")
