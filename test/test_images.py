# SPDX-License-Identifier: Apache-2.0
"""Pixel encodings against their definitions."""

from __future__ import annotations

import sys

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depthpro_ros.errors import InputError
from depthpro_ros.images import ENCODINGS, decode, decode_compressed

COLOUR = (200, 100, 50)


def plain(encoding: str, height: int = 4, width: int = 6) -> np.ndarray:
    """Bytes [rows, row_bytes] of an image that is `COLOUR` all over, from each encoding's definition."""
    r, g, b = COLOUR
    pixel = {"rgb8": (r, g, b), "bgr8": (b, g, r), "rgba8": (r, g, b, 9), "bgra8": (b, g, r, 9), "8UC3": (b, g, r)}
    if encoding in pixel:
        return np.tile(np.array(pixel[encoding], np.uint8), (height, width))
    if encoding in ("mono8", "8UC1"):
        return np.full((height, width), 77, np.uint8)
    if encoding == "mono16":
        return np.full((height, width), 77 * 257, np.uint16).view(np.uint8)
    # BT.601, video range
    y = round(16 + (65.738 * r + 129.057 * g + 25.064 * b) / 256)
    u = round(128 + (-37.945 * r - 74.494 * g + 112.439 * b) / 256)
    v = round(128 + (112.439 * r - 94.154 * g - 18.285 * b) / 256)
    if encoding in ("yuv422", "uyvy"):
        return np.tile(np.array([u, y, v, y], np.uint8), (height, width // 2))
    if encoding in ("yuv422_yuy2", "yuyv"):
        return np.tile(np.array([y, u, y, v], np.uint8), (height, width // 2))
    if encoding == "nv12":
        uv = np.tile(np.array([u, v], np.uint8), (height // 2, width // 2))
        return np.vstack([np.full((height, width), y, np.uint8), uv])
    name, bits = encoding.removeprefix("bayer_")[:4], encoding[-2:]
    channel = {"r": r, "g": g, "b": b}
    tile = np.array([[channel[name[0]], channel[name[1]]], [channel[name[2]], channel[name[3]]]])
    mosaic = np.tile(tile, (height // 2, width // 2))
    return (mosaic * 257).astype(np.uint16).view(np.uint8) if bits == "16" else mosaic.astype(np.uint8)


@pytest.mark.parametrize("padding", [0, 10])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_gives_the_colour_it_was_made_from(encoding: str, swapped: bool, padding: int) -> None:
    rows = plain(encoding)
    big_endian = (sys.byteorder == "big") != swapped
    if swapped and ENCODINGS[encoding].dtype is np.uint16:
        rows = rows.view(np.uint16).byteswap().view(np.uint8)
    data = np.pad(rows, ((0, 0), (0, padding)), constant_values=255)
    rgb = decode(encoding, data.tobytes(), height=4, width=6, step=data.shape[1], big_endian=big_endian)
    expected = (77, 77, 77) if encoding in ("mono8", "mono16", "8UC1") else COLOUR
    assert rgb.shape == (4, 6, 3) and rgb.dtype == np.uint8 and rgb.flags.c_contiguous
    # demosaicing leaves OpenCV's border to its own rules; YUV rounds
    inner = rgb[1:-1, 1:-1] if encoding.startswith("bayer") else rgb
    rounded = encoding in ("yuv422", "yuv422_yuy2", "nv12", "uyvy", "yuyv")
    assert np.abs(inner.astype(int) - expected).max() <= (2 if rounded else 0)


def test_pixels_stay_where_they_are() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    assert np.array_equal(decode("rgb8", rgb.tobytes(), height=5, width=7, step=21), rgb)
    assert np.array_equal(decode("bgr8", rgb[..., ::-1].tobytes(), height=5, width=7, step=21), rgb)


def test_the_result_has_its_own_memory() -> None:
    data = np.zeros(5 * 7 * 3, np.uint8)
    rgb = decode("rgb8", data, height=5, width=7, step=21)
    data[:] = 255
    assert not rgb.any()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"encoding": "32FC1"}, "'32FC1' is not supported"),
        ({"height": 0}, "7x0 pixels"),
        ({"width": 0}, "0x5 pixels"),
        ({"step": 20}, "step is 20 bytes, a row of 7 rgb8 pixels needs 21"),
        ({"data": b"\0" * 104}, "104 bytes.*need 105.*truncated"),
        ({"data": b""}, "truncated"),
        ({"encoding": "nv12", "step": 7}, "even"),
        ({"encoding": "yuv422", "step": 14}, "even width"),
        ({"encoding": "bayer_rggb8", "height": 1}, "2x2"),
    ],
)
def test_bad_images_are_refused_with_the_reason(values: dict, message: str) -> None:
    given_values = {"encoding": "rgb8", "data": b"\0" * 105, "height": 5, "width": 7, "step": 21} | values
    with pytest.raises(InputError, match=message):
        decode(given_values.pop("encoding"), given_values.pop("data"), **given_values)


@settings(max_examples=300, deadline=None)
@given(
    encoding=st.sampled_from([*ENCODINGS, "", "what"]),
    data=st.binary(max_size=400),
    height=st.integers(0, 12),
    width=st.integers(0, 12),
    step=st.integers(0, 60),
    big_endian=st.booleans(),
)
def test_any_bytes_give_an_image_or_an_input_error(encoding, data, height, width, step, big_endian) -> None:
    try:
        rgb = decode(encoding, data, height=height, width=width, step=step, big_endian=big_endian)
    except InputError:
        return
    assert rgb.shape == (height, width, 3)


@pytest.mark.parametrize(
    ("height", "width", "step", "problem"),
    [
        (2**32 - 1, 2**32 - 1, 2**32 - 1, "at most 64 megapixels"),
        (2**16, 2**16, 0, "at most 64 megapixels"),
        (1, 2**25, 2**25, "step is"),
        (2, 2, 2**32 - 1, "truncated"),
        (2**25, 1, 2**32 - 1, "truncated"),
    ],
)
def test_sizes_whose_products_overflow_32_bits_are_refused(height: int, width: int, step: int, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        decode("rgb8", bytes(64), height=height, width=width, step=step)


def test_the_limit_on_an_images_size_is_what_it_is_set_to() -> None:
    size = {"height": 40, "width": 50, "step": 50}
    assert decode("mono8", bytes(2000), **size, max_megapixels=0.002).shape == (40, 50, 3)
    with pytest.raises(InputError, match="50x40 pixels, at most 0.0019 megapixels"):
        decode("mono8", bytes(2000), **size, max_megapixels=0.0019)


@pytest.mark.parametrize("extension", [".jpg", ".png"])
def test_compressed_images_keep_their_colours(extension: str) -> None:
    rgb = np.full((32, 48, 3), COLOUR, np.uint8)
    rgb[:, 24:] = (10, 20, 240)
    _, data = cv2.imencode(extension, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 100])
    decoded = decode_compressed(data.tobytes())
    assert np.abs(decoded.astype(int) - rgb)[:, [0, 40]].max() <= 3


@pytest.mark.parametrize("data", [b"", b"not an image", b"\xff\xd8\xff\xe0" + b"\0" * 50, b"\x89PNG\r\n\x1a\n"])
def test_corrupt_compressed_images_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="compressed image"):
        decode_compressed(data)
