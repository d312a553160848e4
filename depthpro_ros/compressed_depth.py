# SPDX-License-Identifier: Apache-2.0
"""Depth as compressed_depth_image_transport packs it: PNG, or RVL (Wilson 2017, Fast Lossless Depth Compression)."""

from __future__ import annotations

import struct
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depthpro_ros.encoded_images import MAX_IMAGE_MEGAPIXELS, check_megapixels, decode_image
from depthpro_ros.errors import InputError

HEADER = struct.Struct("<iff")
"""A format number that is not used, and A and B of the quantisation of 32FC1."""
LARGEST = 65535
"""Quantised, and the nearest."""
QUANTISATION_M = 100.0 * 101.0
"""A where the depths do not ask for another: compressed_depth_image_transport's, q (q + 1) for its q of 100."""
FARTHEST_ERROR = 0.005
"""Greatest relative error of the farthest depth, where the nearest leaves that precision."""


def quantisation_m(depth_m: NDArray[Any]) -> float:
    """A of the quantisation v = A / z: inverse depth is off by half of 1 / A at most, depth z by z^2 / (2 A).

    It is constant as long as no depth is nearer than 0.154 m or farther than 101 m.

    Args:
        depth_m: float32 [...], metres; only finite values above 0 count.

    Returns:
        Metres, a number that float32 holds.
    """
    usable = depth_m[np.isfinite(depth_m) & (depth_m > 0)]
    if not usable.size:
        return QUANTISATION_M
    near, far = float(usable.min()), float(usable.max())
    return float(np.float32(min(LARGEST * near, max(QUANTISATION_M, far / (2 * FARTHEST_ERROR)))))


def pack_depth(depth: NDArray[Any], level: int = 1) -> tuple[str, NDArray[np.uint8]]:
    """A depth image as the format and data of a CompressedImage of a topic .../compressedDepth, by PNG.

    Metres are quantised: v = A / z, with A from `quantisation_m` and B = 0, written beside them. What is not finite or
    not above 0, and what is farther than 2 A, becomes 0, which is no depth.

    Args:
        depth: float32 [H, W], metres, which is 32FC1; or uint16 [H, W], millimetres, which is 16UC1.
        level: of compression, 0 to 9.

    Raises:
        InputError: the image has no pixels.
    """
    if not depth.size:
        raise InputError(f"a depth image of {list(depth.shape)} pixels cannot be packed: give one that is not empty")
    a = 0.0
    if depth.dtype == np.uint16:
        encoding, values = "16UC1", depth
    else:
        encoding, a = "32FC1", quantisation_m(depth)
        with np.errstate(divide="ignore", invalid="ignore"):
            quantised = np.rint(a / depth.astype(np.float64))
        # of what is infinite 0 is left by itself
        values = np.where(depth > 0, quantised, 0).astype(np.uint16)
    _, png = cv2.imencode(".png", values, [cv2.IMWRITE_PNG_COMPRESSION, level])
    data = np.concatenate([np.frombuffer(HEADER.pack(0, a, 0.0), np.uint8), png.reshape(-1)])
    return f"{encoding}; compressedDepth png", data


def unpack_depth(kind: str, data: Any, *, max_megapixels: float = MAX_IMAGE_MEGAPIXELS) -> tuple[str, NDArray[Any]]:
    """A CompressedImage of a topic .../compressedDepth.

    Args:
        kind: its format, such as "16UC1; compressedDepth png".
        data: its bytes.
        max_megapixels: larger images are refused before they are decoded.

    Returns:
        The encoding and its values: "16UC1" with uint16 [H, W] as stored, or "32FC1" with float32 [H, W] in metres,
        z = A / (v - B), NaN where v is 0.

    Raises:
        InputError: another format, data that are damaged, or an image larger than allowed.
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
    unpack = _png if name == "png" else _rvl
    values = unpack(content[HEADER.size :], max_megapixels)
    if encoding == "16UC1":
        return encoding, values
    with np.errstate(divide="ignore"):
        metres = np.float32(a) / (values.astype(np.float32) - np.float32(b))
    return encoding, np.where(values > 0, metres, np.float32(np.nan)).astype(np.float32)


def _png(content: bytes, max_megapixels: float) -> NDArray[np.uint16]:
    values = decode_image(
        content, cv2.IMREAD_UNCHANGED, max_megapixels=max_megapixels, formats=("PNG",), what="compressed depth image"
    )
    if values.dtype != np.uint16 or values.ndim != 2:
        raise InputError(f"compressed depth image of {len(content)} bytes is no PNG of 16 bits and one channel")
    return values.astype(np.uint16, copy=False)


def _rvl(content: bytes, max_megapixels: float) -> NDArray[np.uint16]:
    """Runs of zeros and of differences; numbers of 3 bits a nibble, the lowest first, bit 3 says that more follow."""
    if len(content) < 12:
        raise InputError("RVL depth image is cut off")
    width, height = struct.unpack_from("<ii", content)
    if width < 1 or height < 1:
        raise InputError(f"RVL depth image claims {width}x{height} pixels: it is damaged")
    check_megapixels(width, height, max_megapixels, "RVL depth image")
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
        empty, count = int(numbers[at]), int(numbers[at + 1])
        pixel += empty
        at += 2
        # a number of too many nibbles has overflown
        if min(empty, count) < 0 or pixel + count > values.size or at + count > len(numbers):
            raise InputError("RVL depth image is damaged: its runs do not fit its size")
        run = previous + np.cumsum(steps[at : at + count])
        values[pixel : pixel + count] = run
        previous = int(run[-1]) if count else previous
        pixel, at = pixel + count, at + count
    return values.reshape(height, width)
