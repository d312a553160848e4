# SPDX-License-Identifier: Apache-2.0
"""Images: ROS messages, photographs, packed depth."""

from __future__ import annotations

import array
import io
import struct
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image as Pillow
from sensor_msgs.msg import CompressedImage, Image

from depthpro_ros.compressed_depth import HEADER, unpack_depth
from depthpro_ros.images import ENCODINGS
from depthpro_ros.node.decoding import ImageDecoder
from depthpro_ros.photo import read_photo
from test.fuzz import repairs
from test.fuzz.target import Target, file_of

RGB = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
DEPTH = np.random.default_rng(1).integers(0, 5000, (9, 14), np.uint16)
MEGAPIXELS = 1.0
"""Accepted here, for speed and for a tight bound on memory: a few bytes may rightly say that 64 of them are black."""
_FIELDS = struct.Struct("<IIIBB")
_NAMES = (*ENCODINGS, "32FC1", "", "rgb8\0")
_KINDS = ("16UC1; compressedDepth png", "32FC1; compressedDepth png", "16UC1; compressedDepth rvl", "32FC1;", "")
_DECODER = ImageDecoder(use_cv_bridge=False)
_FILM = 0xA405


def encoded(extension: str, pixels: np.ndarray) -> bytes:
    """An image file that OpenCV writes."""
    return cv2.imencode(extension, pixels)[1].tobytes()


def photo_bytes(kind: str, **options: object) -> bytes:
    """An image file that Pillow writes, with EXIF data."""
    exif = Pillow.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[_FILM] = 28
    out = io.BytesIO()
    if kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        options["exif"] = exif
    Pillow.fromarray(RGB).save(out, kind, **options)
    return out.getvalue()


def files() -> list[bytes]:
    """A picture in every format that is read."""
    made = [encoded(extension, RGB) for extension in (".jpg", ".png", ".webp", ".bmp", ".ppm")]
    made += [photo_bytes("JPEG", progressive=True), photo_bytes("TIFF", compression="tiff_deflate")]
    made += [photo_bytes(kind) for kind in ("WEBP", "TIFF", "PNG")]
    return [*made, encoded(".tiff", DEPTH), encoded(".png", DEPTH)]


def image_message(content: bytes) -> None:
    """Height, width, step, byte order and the number of an encoding, then the data."""
    if len(content) < _FIELDS.size:
        return
    height, width, step, big_endian, name = _FIELDS.unpack_from(content)
    message = Image(height=height, width=width, step=step, is_bigendian=big_endian, encoding=_NAMES[name % len(_NAMES)])
    message.data = array.array("B", content[_FIELDS.size :])
    rgb = _DECODER.rgb(message)
    assert rgb.shape == (height, width, 3) and rgb.dtype == np.uint8


def _image_messages() -> Sequence[bytes]:
    made = []
    for number, name in enumerate(ENCODINGS):
        known = ENCODINGS[name]
        step = 8 * known.channels * np.dtype(known.dtype).itemsize + 3
        data = np.arange(int(6 * known.rows) * step, dtype=np.uint8)
        made.append(_FIELDS.pack(6, 8, step, number & 1, number) + data.tobytes())
    return made


def compressed_image(content: bytes) -> None:
    """The data of a sensor_msgs/CompressedImage."""
    rgb = _DECODER.rgb(CompressedImage(format="jpeg", data=array.array("B", content)), MEGAPIXELS)
    assert rgb.ndim == 3 and rgb.shape[2] == 3 and rgb.dtype == np.uint8


def compressed_depth(content: bytes) -> None:
    """The number of a format, then the data of a CompressedImage of a topic .../compressedDepth."""
    if content:
        encoding, values = unpack_depth(_KINDS[content[0] % len(_KINDS)], content[1:], max_megapixels=MEGAPIXELS)
        assert values.ndim == 2 and values.dtype == (np.uint16 if encoding == "16UC1" else np.float32)


def _compressed_depths() -> Sequence[bytes]:
    head = HEADER.pack(0, 100.0, 1.5)
    # runs: no zeros, then 3 values; 3 bits in each nibble, the highest first
    rvl = struct.pack("<iiII", 2, 2, 0x04222000, 0x0)
    png = encoded(".png", DEPTH)
    return [b"\0" + head + png, b"\1" + head + png, b"\2" + head + rvl]


def photo(content: bytes) -> None:
    """A photograph's file."""
    found = read_photo(file_of("photo", content), max_megapixels=MEGAPIXELS)
    assert found.rgb.ndim == 3 and found.rgb.shape[2] == 3
    assert found.exif_focal_px is None or found.exif_focal_px > 0


TARGETS = (
    Target("image_message", image_message, _image_messages),
    Target("compressed_image", compressed_image, files, repair=repairs.png),
    Target("compressed_depth", compressed_depth, _compressed_depths, repair=repairs.png),
    Target("photo", photo, lambda: [*files(), photo_bytes("GIF"), photo_bytes("TGA")], repair=repairs.png),
)
