# SPDX-License-Identifier: Apache-2.0
"""Camera pixels in any common encoding to RGB, with OpenCV and without ROS.

Encodings are those of sensor_msgs/image_encodings; results equal cv_bridge's pixel for pixel where
cv_bridge knows the encoding.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depthpro_ros.encoded_images import MAX_IMAGE_MEGAPIXELS, check_megapixels, decode_image
from depthpro_ros.errors import InputError

RgbImage = NDArray[np.uint8]


@dataclass(frozen=True)
class Encoding:
    """How one encoding lies in memory and becomes RGB.

    Attributes:
        channels: values per pixel.
        dtype: type of a value.
        to_rgb: [H, W, channels] (or [H, W]) uint8 to RGB uint8 [H, W, 3].
        rows: rows of memory per image row (1.5 for planar 4:2:0).
    """

    channels: int
    dtype: type
    to_rgb: Callable[[NDArray[Any]], NDArray[Any]]
    rows: float = 1.0


def _convert(code: int) -> Callable[[NDArray[Any]], NDArray[Any]]:
    return lambda pixels: cv2.cvtColor(pixels, code)


# ROS names a Bayer pattern by its first two rows' first pixels; OpenCV by the second row and column's.
_BAYER = {
    "bayer_rggb": cv2.COLOR_BayerBG2RGB,
    "bayer_bggr": cv2.COLOR_BayerRG2RGB,
    "bayer_gbrg": cv2.COLOR_BayerGR2RGB,
    "bayer_grbg": cv2.COLOR_BayerGB2RGB,
}

ENCODINGS: dict[str, Encoding] = {
    "rgb8": Encoding(3, np.uint8, np.array),
    "bgr8": Encoding(3, np.uint8, _convert(cv2.COLOR_BGR2RGB)),
    "rgba8": Encoding(4, np.uint8, _convert(cv2.COLOR_RGBA2RGB)),
    "bgra8": Encoding(4, np.uint8, _convert(cv2.COLOR_BGRA2RGB)),
    "mono8": Encoding(1, np.uint8, _convert(cv2.COLOR_GRAY2RGB)),
    "mono16": Encoding(1, np.uint16, _convert(cv2.COLOR_GRAY2RGB)),
    "yuv422": Encoding(2, np.uint8, _convert(cv2.COLOR_YUV2RGB_UYVY)),
    "uyvy": Encoding(2, np.uint8, _convert(cv2.COLOR_YUV2RGB_UYVY)),
    "yuv422_yuy2": Encoding(2, np.uint8, _convert(cv2.COLOR_YUV2RGB_YUY2)),
    "yuyv": Encoding(2, np.uint8, _convert(cv2.COLOR_YUV2RGB_YUY2)),
    "nv12": Encoding(1, np.uint8, _convert(cv2.COLOR_YUV2RGB_NV12), rows=1.5),
}
for _name, _code in _BAYER.items():
    ENCODINGS[f"{_name}8"] = Encoding(1, np.uint8, _convert(_code))
    ENCODINGS[f"{_name}16"] = Encoding(1, np.uint16, _convert(_code))
ENCODINGS["8UC3"] = ENCODINGS["bgr8"]
ENCODINGS["8UC1"] = ENCODINGS["mono8"]


def check(
    encoding: str,
    size_bytes: int,
    *,
    height: int,
    width: int,
    step: int,
    max_megapixels: float = MAX_IMAGE_MEGAPIXELS,
) -> Encoding:
    """Check that an image of `size_bytes` bytes is what its header says, and look up its encoding.

    Raises:
        InputError: an unknown encoding, an image that is empty or larger than allowed, a step too short, or too few
            bytes.
    """
    known = ENCODINGS.get(encoding)
    if known is None:
        raise InputError(f"image encoding {encoding!r} is not supported; known are {', '.join(ENCODINGS)}")
    if height < 1 or width < 1:
        raise InputError(f"image is {width}x{height} pixels: nothing to see")
    check_megapixels(width, height, max_megapixels)
    row_bytes = width * known.channels * np.dtype(known.dtype).itemsize
    if step < row_bytes:
        raise InputError(f"step is {step} bytes, a row of {width} {encoding} pixels needs {row_bytes}")
    if encoding == "nv12" and (height % 2 or width % 2):
        raise InputError(f"nv12 images have even sides, this one is {width}x{height}")
    if known.channels == 2 and width % 2:
        raise InputError(f"{encoding} images have an even width, this one is {width} wide")
    if encoding.startswith("bayer") and (height < 2 or width < 2):
        raise InputError(f"a Bayer image needs at least 2x2 pixels, this one is {width}x{height}")
    rows = int(height * known.rows)
    if size_bytes < (rows - 1) * step + row_bytes:
        raise InputError(
            f"image data has {size_bytes} bytes, {rows} rows with a step of {step} need {rows * step}: "
            "the message is truncated"
        )
    return known


def decode(
    encoding: str,
    data: Any,
    *,
    height: int,
    width: int,
    step: int,
    big_endian: bool = False,
    max_megapixels: float = MAX_IMAGE_MEGAPIXELS,
) -> RgbImage:
    """Decode the pixels of a sensor_msgs/Image.

    Args:
        encoding: a key of `ENCODINGS`.
        data: the bytes (anything with the buffer protocol).
        height, width: image size, pixels.
        step: bytes from one row to the next; may be more than a row needs.
        big_endian: byte order of 16-bit values.
        max_megapixels: larger images are refused.

    Returns:
        RGB uint8 [height, width, 3], contiguous, in memory of its own.

    Raises:
        InputError: an unknown encoding, an image that is empty or larger than allowed, a step too short, or too few
            bytes.
    """
    buffer = np.frombuffer(data, dtype=np.uint8)
    known = check(encoding, len(buffer), height=height, width=width, step=step, max_megapixels=max_megapixels)
    size = np.dtype(known.dtype).itemsize
    rows, row_bytes = int(height * known.rows), width * known.channels * size
    bytes_2d = np.lib.stride_tricks.as_strided(buffer, (rows, row_bytes), (step, 1), writeable=False)
    pixels = bytes_2d if size == 1 else _to_native(bytes_2d, big_endian)
    if known.channels > 1:
        pixels = pixels.reshape(rows, width, known.channels)
    rgb = known.to_rgb(np.ascontiguousarray(pixels) if pixels.strides[-1] != pixels.itemsize else pixels)
    if rgb.dtype == np.uint16:
        # 65535 is white: the scale that cv_bridge uses, rounded to nearest
        rgb = cv2.convertScaleAbs(rgb, alpha=255.0 / 65535.0)
    return np.ascontiguousarray(rgb, dtype=np.uint8)


def _to_native(bytes_2d: NDArray[np.uint8], big_endian: bool) -> NDArray[np.uint16]:
    """Rows of bytes to rows of 16-bit values in this machine's byte order."""
    values = np.ascontiguousarray(bytes_2d).view(np.uint16)
    return values if big_endian == (sys.byteorder == "big") else values.byteswap()


def decode_compressed(data: Any, *, max_megapixels: float = MAX_IMAGE_MEGAPIXELS) -> RgbImage:
    """Decode a JPEG, PNG or other file in memory (sensor_msgs/CompressedImage) to RGB uint8 [H, W, 3].

    Raises:
        InputError: the bytes are no image that can be read, or one that is larger than allowed.
    """
    # IGNORE_ORIENTATION: CameraInfo describes the sensor's own orientation
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    bgr = decode_image(data, flags, max_megapixels=max_megapixels, what="compressed image")
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]
