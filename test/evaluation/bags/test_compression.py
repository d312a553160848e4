# SPDX-License-Identifier: Apache-2.0
"""Compressed parts of recordings that unpack to more than any recorder writes."""

from __future__ import annotations

import bz2
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("rosbags")
import lz4.frame
from backports import zstd

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.bags import compression
from depthpro_ros.evaluation.bags.compression import decompress_start, unpack_file, zstd_decompress

PACK: dict[str, Callable[[bytes], bytes]] = {"zstd": zstd.compress, "lz4": lz4.frame.compress, "bz2": bz2.compress}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "MAX_CHUNK_BYTES", 1000)


@pytest.mark.parametrize("kind", PACK)
def test_what_unpacks_to_the_limit_is_read_and_to_more_is_refused(kind: str) -> None:
    assert decompress_start(PACK[kind](bytes(1000)), kind) == bytes(1000)
    with pytest.raises(InputError, match="unpack to more than 1000"):
        decompress_start(PACK[kind](bytes(200_000)), kind)


def test_a_message_that_unpacks_to_more_stays_packed() -> None:
    small, large = zstd.compress(b"abc"), zstd.compress(bytes(200_000))
    assert zstd_decompress(small) == b"abc"
    assert zstd_decompress(large) == large
    assert zstd_decompress(b"plain") == b"plain"


def test_a_file_is_unpacked_no_further_than_the_disk_has_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed, out, said = tmp_path / "a.zstd", tmp_path / "a", list[str]()
    packed.write_bytes(zstd.compress(bytes(100_000_000)))
    unpack_file(packed, out, lambda text, kind: said.append(text))
    assert out.stat().st_size == 100_000_000 and not said
    monkeypatch.setattr(compression, "KEPT_FREE_BYTES", 1 << 62)
    unpack_file(packed, out, lambda text, kind: said.append(text))
    assert out.stat().st_size == 0 and "no room" in said[0]
