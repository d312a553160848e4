# SPDX-License-Identifier: Apache-2.0
"""Both converters against pictures that are made here, encoding by encoding."""

from __future__ import annotations

import array
import sys
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image

from depthpro_ros import images
from depthpro_ros.errors import InputError
from depthpro_ros.node.decoding import ImageDecoder

HEIGHT, WIDTH = 16, 24
COLOURS = np.array([[[200, 40, 90], [30, 180, 60]], [[70, 50, 220], [120, 140, 10]]], np.uint8)
RGB = COLOURS.repeat(HEIGHT // 2, 0).repeat(WIDTH // 2, 1)
"""Four quadrants, each of another colour, so that any exchange of channels, rows or columns shows."""
QUADRANT_CENTRES = (slice(3, None, HEIGHT // 2), slice(5, None, WIDTH // 2))
GREY = (RGB.astype(float) @ [0.299, 0.587, 0.114]).round().astype(np.uint8)


def yuv() -> NDArray[np.float64]:
    """Y, U, V of the picture by ITU-R BT.601, studio swing."""
    r, g, b = np.moveaxis(RGB / 255.0, -1, 0)
    y = 16 + 65.481 * r + 128.553 * g + 24.966 * b
    u = 128 - 37.797 * r - 74.203 * g + 112.0 * b
    v = 128 + 112.0 * r - 93.786 * g - 18.214 * b
    return np.stack([y, u, v], -1).round()


def yuv422(luma: int, chroma: int) -> NDArray[np.uint8]:
    """Packed 4:2:2, with luma and chroma at these bytes of each pixel."""
    packed = np.empty((HEIGHT, WIDTH, 2), np.uint8)
    packed[..., luma] = yuv()[..., 0]
    packed[:, ::2, chroma] = yuv()[:, ::2, 1]
    packed[:, 1::2, chroma] = yuv()[:, ::2, 2]
    return packed


def nv12() -> NDArray[np.uint8]:
    """A plane of Y, then interleaved U and V at half the size."""
    y, uv = yuv()[..., 0], yuv()[::2, ::2, 1:].reshape(HEIGHT // 2, WIDTH)
    return np.concatenate([y, uv]).astype(np.uint8)


def bayer(pattern: str) -> NDArray[np.uint8]:
    """The picture through a colour filter of this pattern, named by its first two rows."""
    mosaic = np.empty((HEIGHT, WIDTH), np.uint8)
    for i, colour in enumerate(pattern):
        rows, columns = slice(i // 2, None, 2), slice(i % 2, None, 2)
        mosaic[rows, columns] = RGB[rows, columns, "rgb".index(colour)]
    return mosaic


PIXELS: dict[str, Callable[[], NDArray[np.generic]]] = {
    "rgb8": lambda: RGB,
    "bgr8": lambda: RGB[..., ::-1],
    "8UC3": lambda: RGB[..., ::-1],
    "rgba8": lambda: np.dstack([RGB, np.full(RGB.shape[:2], 7, np.uint8)]),
    "bgra8": lambda: np.dstack([RGB[..., ::-1], np.full(RGB.shape[:2], 7, np.uint8)]),
    "mono8": lambda: GREY,
    "8UC1": lambda: GREY,
    "mono16": lambda: GREY.astype(np.uint16) * 257,
    "yuv422": lambda: yuv422(luma=1, chroma=0),
    "uyvy": lambda: yuv422(luma=1, chroma=0),
    "yuv422_yuy2": lambda: yuv422(luma=0, chroma=1),
    "yuyv": lambda: yuv422(luma=0, chroma=1),
    "nv12": nv12,
}
for _pattern in ("rggb", "bggr", "gbrg", "grbg"):
    PIXELS[f"bayer_{_pattern}8"] = lambda p=_pattern: bayer(p)  # type: ignore[misc]
    PIXELS[f"bayer_{_pattern}16"] = lambda p=_pattern: bayer(p).astype(np.uint16) * 257  # type: ignore[misc]


def message(encoding: str, pixels: NDArray[np.generic], padding: int, big_endian: bool) -> Image:
    """An Image with garbage between its rows."""
    swapped = pixels.astype(pixels.dtype.newbyteorder(">" if big_endian else "<"))
    rows = np.ascontiguousarray(swapped).reshape(len(pixels), -1).view(np.uint8)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=0xAA)
    return Image(
        height=HEIGHT,
        width=WIDTH,
        encoding=encoding,
        is_bigendian=int(big_endian),
        step=padded.shape[1],
        data=array.array("B", padded.tobytes()),
    )


def test_every_known_encoding_is_tested() -> None:
    assert set(PIXELS) == set(images.ENCODINGS)


@pytest.fixture(scope="module", params=["opencv", "cv_bridge"])
def decoder(request: pytest.FixtureRequest) -> ImageDecoder:
    """Each of the two converters."""
    result = ImageDecoder(use_cv_bridge=request.param == "cv_bridge")
    if request.param == "cv_bridge" and result.problem:
        pytest.skip(f"cv_bridge does not work here: {result.problem}")
    return result


@pytest.mark.parametrize("big_endian", [False, True], ids=["little", "big"])
@pytest.mark.parametrize("padding", [0, 24, 5], ids=["tight", "padded", "odd"])
@pytest.mark.parametrize("encoding", PIXELS)
def test_the_picture_comes_back(decoder: ImageDecoder, encoding: str, padding: int, big_endian: bool) -> None:
    rgb = decoder.rgb(message(encoding, PIXELS[encoding](), padding, big_endian))
    assert rgb.dtype == np.uint8 and rgb.shape == RGB.shape and rgb.flags.c_contiguous
    expected = np.repeat(GREY[..., None], 3, -1) if encoding.endswith(("mono8", "mono16", "8UC1")) else RGB
    exact = not encoding.startswith(("yuv", "yuyv", "uyvy", "nv12"))
    error = np.abs(rgb[QUADRANT_CENTRES].astype(int) - expected[QUADRANT_CENTRES])
    assert error.max() <= (0 if exact else 2)


@pytest.mark.parametrize("padding", [0, 24], ids=["tight", "padded"])
@pytest.mark.parametrize("encoding", PIXELS)
def test_both_converters_give_the_same_pixels(decoder: ImageDecoder, encoding: str, padding: int) -> None:
    pixels = PIXELS[encoding]()
    noise = np.random.default_rng(1).integers(0, np.iinfo(pixels.dtype).max, pixels.shape, endpoint=True)
    noisy = message(encoding, noise.astype(pixels.dtype), padding, sys.byteorder == "big")
    np.testing.assert_array_equal(decoder.rgb(noisy), ImageDecoder(use_cv_bridge=False).rgb(noisy))


def test_cv_bridge_is_used_where_it_works() -> None:
    bridge = ImageDecoder()
    if bridge.problem:
        pytest.skip(f"cv_bridge does not work here: {bridge.problem}")
    used = {encoding for encoding in PIXELS if bridge.uses_cv_bridge_for(encoding)}
    assert used >= {"rgb8", "bgr8", "rgba8", "bgra8", "mono8", "mono16", "bayer_rggb8"}


def test_a_broken_cv_bridge_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def imgmsg_to_cv2(self, message: Image, desired_encoding: str) -> NDArray[np.uint8]:
            raise SystemError("_ARRAY_API not found")

    class Wrong:
        def imgmsg_to_cv2(self, message: Image, desired_encoding: str) -> NDArray[np.uint8]:
            return np.zeros((message.height, message.width, 3), np.uint8)

    for bridge in (Broken, Wrong):
        monkeypatch.setattr("depthpro_ros.node.decoding._cv_bridge", lambda b=bridge: (b(), ""))
        decoder = ImageDecoder()
        assert decoder.problem
        np.testing.assert_array_equal(decoder.rgb(message("rgb8", RGB, 0, False)), RGB)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"height": 0, "data": array.array("B")}, "nothing to see"),
        ({"width": 0}, "nothing to see"),
        ({"data": array.array("B", bytes(100))}, "truncated"),
        ({"data": array.array("B")}, "truncated"),
        ({"encoding": "rgb9"}, "'rgb9' is not supported; known are rgb8"),
        ({"encoding": ""}, "not supported"),
        ({"encoding": "32FC1"}, "not supported"),
        ({"step": WIDTH}, "step is 24 bytes"),
    ],
)
def test_bad_images_are_refused(decoder: ImageDecoder, changes: dict[str, object], reason: str) -> None:
    bad = message("rgb8", RGB, 0, False)
    for name, value in changes.items():
        setattr(bad, name, value)
    with pytest.raises(InputError, match=reason):
        decoder.rgb(bad)


@pytest.mark.parametrize("extension", [".png", ".jpg"])
def test_compressed_pictures_come_back(extension: str) -> None:
    file = cv2.imencode(extension, RGB[..., ::-1])[1].tobytes()
    rgb = ImageDecoder().rgb(CompressedImage(format=extension[1:], data=array.array("B", file)))
    error = np.abs(rgb[QUADRANT_CENTRES].astype(int) - RGB[QUADRANT_CENTRES])
    assert error.max() <= (0 if extension == ".png" else 12)


@pytest.mark.parametrize("file", [b"", b"\xff\xd8\xff\xe0 not a picture", bytes(1000)])
def test_corrupt_files_are_refused(file: bytes) -> None:
    with pytest.raises(InputError, match="compressed image"):
        ImageDecoder().rgb(CompressedImage(format="jpeg", data=array.array("B", file)))
