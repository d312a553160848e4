# SPDX-License-Identifier: Apache-2.0
"""Images that say they are larger than they should be are refused before they are decoded."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image

from depthpro_ros.encoded_images import MAX_JPEG_SCANS, check_megapixels, decode_image
from depthpro_ros.errors import InputError

RGB = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
SIDE = 65_000


def chunk(kind: bytes, content: bytes = b"", claimed: int | None = None) -> bytes:
    length = len(content) if claimed is None else claimed
    return struct.pack(">I", length) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *others: bytes, end: bytes = chunk(b"IEND")) -> bytes:
    """A grey PNG, black where it says how large it is."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes((1 + min(width, 64)) * min(height, 64))))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(others) + data + end


def pillow(kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(RGB).save(out, kind, **options)
    return out.getvalue()


def patched(content: bytes, at: int, layout: str, *values: int) -> bytes:
    changed = bytearray(content)
    struct.pack_into(layout, changed, at, *values)
    return bytes(changed)


def jpeg_of(width: int, height: int) -> bytes:
    content = pillow("JPEG")
    return patched(content, content.index(b"\xff\xc0") + 5, ">HH", height, width)


def tiff_of(tag: int, value: int, kind: int = 4) -> bytes:
    """A TIFF whose tag says something else."""
    content = pillow("TIFF")
    (at,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, at)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        if struct.unpack_from("<H", content, entry)[0] == tag:
            return patched(content, entry, "<HHII", tag, kind, 1, value)
    raise AssertionError(f"the TIFF has no tag {tag}")


BOMBS: dict[str, Callable[[], bytes]] = {
    "png": lambda: png(SIDE, SIDE),
    "jpeg": lambda: jpeg_of(SIDE, SIDE),
    "webp": lambda: patched(pillow("WEBP", lossless=True), 21, "<I", 16383 - 1 | (16383 - 1) << 14),
    "bmp": lambda: patched(pillow("BMP"), 18, "<ii", SIDE, SIDE),
    "ppm": lambda: b"P6\n65000 65000\n255\n" + bytes(64),
    "tiff": lambda: tiff_of(256, SIDE * 1000),
    "strip": lambda: tiff_of(278, 1 << 24),
}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_by_their_size_without_taking_memory(name: str) -> None:
    bomb = BOMBS[name]()
    with pytest.raises(InputError, match="megapixels|too large"):
        decode_image(bomb, cv2.IMREAD_COLOR)
    tracemalloc.start()
    try:
        with pytest.raises(InputError):
            decode_image(bomb, cv2.IMREAD_COLOR)
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


def test_the_limit_is_what_it_is_set_to() -> None:
    assert decode_image(png(50, 40), cv2.IMREAD_GRAYSCALE, max_megapixels=0.002).shape == (40, 50)
    with pytest.raises(InputError, match="50x40 pixels, at most 0.0019 megapixels"):
        decode_image(png(50, 40), cv2.IMREAD_GRAYSCALE, max_megapixels=0.0019)


def test_sizes_beyond_64_bits_do_not_overflow() -> None:
    with pytest.raises(InputError, match="at most 64 megapixels"):
        check_megapixels(2**32 - 1, 2**32 - 1, 64.0)


@pytest.mark.parametrize("claimed", [2**31 - 1, 2**32 - 1, 100_000])
def test_a_png_whose_chunk_claims_more_than_there_is_is_refused(claimed: int) -> None:
    # OpenCV 5.0 takes as much memory as the chunk claims
    with pytest.raises(InputError, match="is cut off"):
        decode_image(png(16, 12, end=chunk(b"tEXt", b"abc", claimed)), cv2.IMREAD_COLOR)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (png(16, 12, end=b""), "PNG without an end"),
        (png(16, 12, chunk(b"acTL", bytes(8))), "animated"),
        (pillow("JPEG")[:-2], "JPEG without an end"),
        (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 2 +X 2\n" + bytes(16), "no header of JPEG or PNG"),
        (pillow("GIF"), "no header of JPEG or PNG"),
        (b"", "is empty"),
    ],
)
def test_what_is_refused_is_told_why(content: bytes, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        decode_image(content, cv2.IMREAD_COLOR)


def test_a_jpeg_of_thousands_of_scans_is_refused() -> None:
    whole = pillow("JPEG", progressive=True)
    start = whole.index(b"\xff\xda")
    assert decode_image(whole, cv2.IMREAD_COLOR).shape == (12, 16, 3)
    with pytest.raises(InputError, match=f"at most {MAX_JPEG_SCANS} are decoded"):
        decode_image(whole[:start] + whole[start:-2] * MAX_JPEG_SCANS + whole[-2:], cv2.IMREAD_COLOR)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "PPM"])
def test_every_format_that_is_accepted_is_decoded(kind: str) -> None:
    bgr = decode_image(pillow(kind, **({"lossless": True} if kind == "WEBP" else {})), cv2.IMREAD_COLOR)
    assert bgr.shape == RGB.shape
    if kind != "JPEG":
        np.testing.assert_array_equal(bgr[..., ::-1], RGB)


def test_only_the_formats_asked_for_are_accepted() -> None:
    with pytest.raises(InputError, match="no header of PNG"):
        decode_image(pillow("JPEG"), cv2.IMREAD_COLOR, formats=("PNG",))
