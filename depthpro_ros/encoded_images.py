# SPDX-License-Identifier: Apache-2.0
"""Image files in memory (JPEG, PNG and others) to pixels; what is larger than allowed is refused before it is decoded.

A few kilobytes can say that they are gigabytes of pixels. So the size is read from the header first, by Pillow, which
decodes nothing on opening; OpenCV then decodes.
"""

from __future__ import annotations

import io
import struct
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError

MAX_IMAGE_MEGAPIXELS = 64.0
"""Width times height over a million, of the largest image that is decoded unless the user says otherwise."""
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "PPM")
"""By Pillow's names. Not all that OpenCV can read: for some others it writes temporary files."""
MAX_JPEG_SCANS = 500
"""Passes over a progressive JPEG; cameras and editors make about ten. A small file can ask for thousands, each as slow
as a whole picture."""
_START_OF_SCAN, _END_OF_IMAGE = 0xFFDA, b"\xff\xd9"
_PNG_CHUNK = struct.Struct(">I4s")
_PNG_SIGNATURE_BYTES, _PNG_CHECKSUM_BYTES = 8, 4
_PNG_ANIMATION = (b"acTL", b"fcTL", b"fdAT")
_TIFF_TILE_WIDTH, _TIFF_TILE_HEIGHT, _TIFF_STRIP_ROWS = 322, 323, 278
_WHOLE_IMAGE = 0xFFFFFFFF
"""Rows in a strip of a TIFF that has one only."""


def check_megapixels(width: int, height: int, max_megapixels: float, what: str = "image") -> None:
    """Refuse what is too large.

    Raises:
        InputError: more than `max_megapixels` million pixels.
    """
    if width * height > max_megapixels * 1e6:
        raise InputError(
            f"{what} says it is {width}x{height} pixels, at most {max_megapixels:g} megapixels are accepted: give "
            "smaller images, or raise the limit (the node's is max_image_megapixels)"
        )


def decode_image(
    data: Any,
    flags: int,
    *,
    max_megapixels: float = MAX_IMAGE_MEGAPIXELS,
    formats: tuple[str, ...] = FORMATS,
    what: str = "image",
) -> NDArray[Any]:
    """Decode an image file.

    Args:
        data: its bytes (anything with the buffer protocol).
        flags: OpenCV's IMREAD_*.
        max_megapixels: larger ones are refused.
        formats: of `FORMATS`; any other is refused.
        what: what an error calls it.

    Returns:
        As cv2.imdecode: [H, W] or [H, W, C], colours as BGR.

    Raises:
        InputError: of another format, too large, damaged or cut off.
    """
    buffer = np.frombuffer(data, dtype=np.uint8)
    if not buffer.size:
        raise InputError(f"{what} is empty")
    _check_header(buffer, max_megapixels, formats, what)
    try:
        pixels = cv2.imdecode(buffer, flags)
    except (cv2.error, MemoryError) as error:
        raise InputError(f"{what} of {buffer.size} bytes cannot be decoded: {error}") from error
    if pixels is None:
        raise InputError(f"{what} of {buffer.size} bytes cannot be decoded: it is damaged or cut off")
    return pixels


def _check_header(buffer: NDArray[np.uint8], max_megapixels: float, formats: tuple[str, ...], what: str) -> None:
    try:
        from PIL import Image
    except ImportError as error:
        raise InputError("reading the size of compressed images needs Pillow: pip install pillow") from error
    try:
        image = Image.open(io.BytesIO(buffer.data), formats=formats)
    except Image.DecompressionBombError as error:
        raise InputError(f"{what} is too large: {error}") from error
    except Image.UnidentifiedImageError as error:
        raise InputError(
            f"{what} of {buffer.size} bytes (starting {bytes(buffer[:8]).hex(' ')}) has no header of "
            f"{' or '.join(formats)}: it is damaged, or of another format"
        ) from error
    except Exception as error:  # whatever a damaged header makes of Pillow's parsers
        raise InputError(f"{what} of {buffer.size} bytes has a damaged header: {error}") from error
    check_megapixels(image.width, image.height, max_megapixels, what)
    if image.format == "TIFF":
        _check_tiff(image, max_megapixels, what)
    elif image.format == "PNG":
        _check_png(buffer, what)
    elif image.format in ("JPEG", "MPO"):
        _check_jpeg(buffer, what)


def _check_tiff(image: Any, max_megapixels: float, what: str) -> None:
    """Memory for one tile or strip is taken as the file says, however large the image."""
    tags = image.tag_v2
    rows = tags.get(_TIFF_STRIP_ROWS, _WHOLE_IMAGE)
    width = tags.get(_TIFF_TILE_WIDTH, image.width)
    height = tags.get(_TIFF_TILE_HEIGHT, image.height if rows == _WHOLE_IMAGE else rows)
    try:
        check_megapixels(int(width), int(height), max_megapixels, f"a tile or strip of {what}")
    except (TypeError, OverflowError) as error:
        raise InputError(f"{what} is a TIFF with strips of {rows!r} rows or tiles of {width!r}x{height!r}") from error


def _check_png(buffer: NDArray[np.uint8], what: str) -> None:
    """Some versions of OpenCV take memory for a chunk as its length says, up to gigabytes, before they look for it."""
    content = buffer.data
    at = _PNG_SIGNATURE_BYTES
    while at + _PNG_CHUNK.size <= len(content):
        length, kind = _PNG_CHUNK.unpack_from(content, at)
        at += _PNG_CHUNK.size + length + _PNG_CHECKSUM_BYTES
        if at > len(content):
            raise InputError(f"{what} is a PNG whose chunk {kind!r} of {length} bytes is cut off")
        if kind in _PNG_ANIMATION:
            raise InputError(f"{what} is an animated PNG: give single pictures")
        if kind == b"IEND":
            return
    raise InputError(f"{what} is a PNG without an end: it is cut off")


def _check_jpeg(buffer: NDArray[np.uint8], what: str) -> None:
    # within compressed pixels 0xff is followed by 0, so that these bytes are markers (or lie in a small preview)
    pairs = (buffer[start : start + (buffer.size - start) // 2 * 2].view(">u2") for start in (0, 1))
    scans = sum(np.count_nonzero(pair == _START_OF_SCAN) for pair in pairs)
    if scans > MAX_JPEG_SCANS:
        raise InputError(f"{what} is a JPEG of {scans} scans, at most {MAX_JPEG_SCANS} are decoded")
    content = buffer.tobytes()
    end = content.rfind(_END_OF_IMAGE)
    if end < 0 or content.find(_START_OF_SCAN.to_bytes(2, "big"), end) >= 0:
        # some versions of OpenCV make the missing part grey
        raise InputError(f"{what} is a JPEG without an end: it is cut off")
