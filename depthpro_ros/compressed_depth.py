# SPDX-License-Identifier: Apache-2.0
"""Depth as compressed_depth_image_transport packs it: PNG, or RVL (Wilson 2017, Fast Lossless Depth Compression)."""

from __future__ import annotations

import struct
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError

HEADER = struct.Struct("<iff")
"""A format number that is not used, and A and B of the quantisation of 32FC1."""


def unpack_depth(kind: str, data: Any) -> tuple[str, NDArray[Any]]:
    """A CompressedImage of a topic .../compressedDepth.

    Args:
        kind: its format, such as "16UC1; compressedDepth png".
        data: its bytes.

    Returns:
        The encoding and its values: "16UC1" with uint16 [H, W] as stored, or "32FC1" with float32 [H, W] in metres,
        z = A / (v - B), NaN where v is 0.

    Raises:
        InputError: another format, or data that are damaged.
    """
    encoding, _, packing = (part.strip() for part in kind.partition(";"))
    name = packing.removeprefix("compressedDepth").strip() or "png"
    if encoding not in ("16UC1", "32FC1") or not packing.startswith("compressedDepth") or name not in ("png", "rvl"):
        raise InputError(
            f"depth image has format {kind!r}, expected '16UC1; compressedDepth png', or with 32FC1 or rvl in its place"
        )
    content = bytes(data)
    if len(content) <= HEADER.size:
        raise InputError(f"compressed depth image of {len(content)} bytes is cut off")
    _, a, b = HEADER.unpack_from(content)
    values = _png(content[HEADER.size :]) if name == "png" else _rvl(content[HEADER.size :])
    if encoding == "16UC1":
        return encoding, values
    with np.errstate(divide="ignore"):
        metres = np.float32(a) / (values.astype(np.float32) - np.float32(b))
    return encoding, np.where(values > 0, metres, np.float32(np.nan)).astype(np.float32)


def _png(content: bytes) -> NDArray[np.uint16]:
    try:
        values = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise InputError(f"compressed depth image cannot be decoded: {error}") from error
    if values is None or values.dtype != np.uint16 or values.ndim != 2:
        raise InputError(f"compressed depth image of {len(content)} bytes is no PNG of 16 bits and one channel")
    return values.astype(np.uint16, copy=False)


def _rvl(content: bytes) -> NDArray[np.uint16]:
    """Runs of zeros and of differences; numbers of 3 bits a nibble, the lowest first, bit 3 says that more follow."""
    if len(content) < 12:
        raise InputError("RVL depth image is cut off")
    width, height = struct.unpack_from("<ii", content)
    if width < 1 or height < 1 or width * height > 1 << 28:
        raise InputError(f"RVL depth image claims {width}x{height} pixels: it is damaged")
    words = np.frombuffer(content, "<u4", len(content[8:]) // 4, 8)
    # a word is filled from its highest nibble down
    nibbles = (words[:, None] >> np.arange(28, -1, -4, dtype=np.uint32)).astype(np.int64).reshape(-1) & 15
    last = np.flatnonzero(nibbles < 8)
    if not len(last):
        raise InputError("RVL depth image is damaged: it has no end of a number")
    first = np.concatenate([[0], last[:-1] + 1])
    shift = 3 * (np.arange(last[-1] + 1) - np.repeat(first, last - first + 1))
    numbers = np.add.reduceat((nibbles[: last[-1] + 1] & 7) << np.minimum(shift, 60), first)
    steps = (numbers >> 1) ^ -(numbers & 1)
    values = np.zeros(width * height, np.uint16)
    at, pixel, previous = 0, 0, 0
    while pixel < values.size:
        if at + 1 >= len(numbers):
            raise InputError("RVL depth image is cut off")
        pixel += int(numbers[at])
        count = int(numbers[at + 1])
        at += 2
        if pixel + count > values.size or at + count > len(numbers):
            raise InputError("RVL depth image is damaged: its runs do not fit its size")
        run = previous + np.cumsum(steps[at : at + count])
        values[pixel : pixel + count] = run
        previous = int(run[-1]) if count else previous
        pixel, at = pixel + count, at + count
    return values.reshape(height, width)
