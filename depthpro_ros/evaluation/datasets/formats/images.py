# SPDX-License-Identifier: Apache-2.0
"""Photographs, and the depth maps and masks that data sets store as PNG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depthpro_ros.encoded_images import decode_image
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.formats.files import read_bytes

BoolMap = NDArray[np.bool_]
FloatMap = NDArray[np.float32]

NAN = np.float32(np.nan)


def read_pixels(path: Path, flags: int) -> NDArray[Any]:
    """An image as OpenCV gives it with these flags (IMREAD_*), see `decode_image`.

    Raises:
        InputError: missing or no image.
    """
    return decode_image(read_bytes(path), flags, what=str(path))


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """A photograph, uint8 [H, W, 3], as its rows are stored: ground truth knows no EXIF orientation.

    Raises:
        InputError: missing or no image.
    """
    bgr = read_pixels(path, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return np.ascontiguousarray(bgr[..., ::-1], np.uint8)


def decode_rgb(encoded: bytes, source: str) -> NDArray[np.uint8]:
    """As `read_rgb`, of a JPEG or PNG in memory; `source` is what an error calls it."""
    bgr = decode_image(encoded, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION, what=f"the image of {source}")
    return np.ascontiguousarray(bgr[..., ::-1], np.uint8)


def read_u16(path: Path) -> NDArray[np.uint16]:
    """A PNG of one 16-bit channel, uint16 [H, W].

    Raises:
        InputError: missing, no image, or of another depth.
    """
    image = read_pixels(path, cv2.IMREAD_UNCHANGED)
    if image.dtype != np.uint16 or image.ndim != 2:
        raise InputError(f"{path} is {image.dtype} {list(image.shape)}, expected one channel of 16 bits")
    return image


def read_depth_png(path: Path, units_per_metre: float) -> FloatMap:
    """Depth in metres, float32 [H, W], NaN where the 16-bit PNG is 0.

    KITTI stores 256 units per metre, TUM RGB-D 5000, most others 1000.
    """
    return units_to_metres(read_u16(path), units_per_metre)


def units_to_metres(units: NDArray[np.uint16], units_per_metre: float) -> FloatMap:
    """Depth in metres, float32, NaN where `units` is 0."""
    return np.where(units > 0, units / np.float64(units_per_metre), np.nan).astype(np.float32)


def read_grey(path: Path) -> NDArray[np.uint8]:
    """Mask or labels of 8 bits, uint8 [H, W]; of an image with several channels the first.

    Raises:
        InputError: missing, no image, or of another depth.
    """
    image = read_pixels(path, cv2.IMREAD_UNCHANGED)
    if image.dtype != np.uint8:
        raise InputError(f"{path} is {image.dtype}, expected 8 bits")
    return np.ascontiguousarray(image if image.ndim == 2 else image[..., 0])


def read_alpha(path: Path) -> FloatMap:
    """Opacity in [0, 1], float32 [H, W], from 8 bits."""
    return read_grey(path).astype(np.float32) / np.float32(255)
