# SPDX-License-Identifier: Apache-2.0
"""Decompression that gives what there is where the data are cut off."""

from __future__ import annotations

import bz2
from pathlib import Path
from typing import Any, BinaryIO

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.bags.scan import Report

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_BLOCK_BYTES = 1 << 20


def _zstd() -> Any:
    try:
        from compression import zstd  # Python 3.14
    except ImportError:
        from backports import zstd  # comes with rosbags
    return zstd


def zstd_decompress(data: bytes) -> bytes:
    """A whole frame; what is not one stays as it is."""
    try:
        return bytes(_zstd().decompress(data))
    except _zstd().ZstdError:
        return data


def decompress_start(data: bytes, compression: str) -> bytes:
    """As much of a chunk as is there.

    Args:
        data: the chunk, perhaps without its end.
        compression: "", "none", "zstd", "lz4" or "bz2".

    Raises:
        InputError: another compression, or data that are damaged.
    """
    if compression in ("", "none"):
        return data
    try:
        if compression == "zstd":
            return bytes(_zstd().ZstdDecompressor().decompress(data))
        if compression == "lz4":
            from lz4.frame import LZ4FrameDecompressor

            return bytes(LZ4FrameDecompressor().decompress(data))
        if compression == "bz2":
            return bz2.BZ2Decompressor().decompress(data)
    except (OSError, ValueError, RuntimeError, EOFError, _zstd().ZstdError) as error:
        raise InputError(f"{compression} data of {len(data)} bytes are damaged: {error}") from error
    raise InputError(f"compression {compression!r} is not known; known are zstd, lz4 and bz2")


def unpack_file(packed: Path, out: Path, report: Report) -> None:
    """Unpack a zstd file as far as it goes."""
    with packed.open("rb") as source, out.open("wb") as target:
        unpacker = _zstd().ZstdDecompressor()
        while block := source.read(_BLOCK_BYTES):
            try:
                _unpack(unpacker, block, target)
            except _zstd().ZstdError as error:
                report(f"its zstd data are damaged before byte {source.tell()}: {error}", "damaged")
                return
            if unpacker.eof:
                return
        report(f"its zstd data end after {source.tell()} bytes, before their own end", "cut_off")


def _unpack(unpacker: Any, block: bytes, target: BinaryIO) -> None:
    target.write(unpacker.decompress(block))
