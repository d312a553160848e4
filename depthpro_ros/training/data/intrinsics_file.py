# SPDX-License-Identifier: Apache-2.0
"""Focal lengths from the files that people keep beside their images."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from depthpro_ros.errors import InputError
from depthpro_ros.json_text import parse_json

NAMES = ("intrinsics.json", "camera.json", "intrinsics.txt")
EXAMPLE = '{"fx": 518.0, "fy": 519.0, "cx": 325.5, "cy": 253.5, "width": 640, "height": 480}'
_ASPECT_TOLERANCE = 0.01
_MOST_PX = 1e9


def read_fx(path: Path, width: int, height: int) -> float:
    """Horizontal focal length for images `width` pixels wide, from a JSON or a text file.

    JSON holds fx and, optionally, fy, cx, cy, and the width and height that they are for; a calibration at
    another size of the same shape is scaled. Text holds a 3x3 or 4x4 matrix (or its 9 or 16 numbers), or
    the four numbers fx fy cx cy, for the images as they are.

    Raises:
        InputError: not readable, no focal length above 0, or a size of another shape than the images'.
    """
    try:
        text = path.read_text()
        if path.suffix != ".json":
            return _positive(_fx_of_matrix(path, text), path)
        camera = parse_json(text)
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}); expected {EXAMPLE}") from error
    if not isinstance(camera, dict) or "fx" not in camera:
        raise InputError(f"{path} has no fx; expected {EXAMPLE}")
    fx = _positive(camera["fx"], path)
    if "width" not in camera:
        return fx
    scale = width / _positive(camera["width"], path)
    if "height" in camera and abs(scale * _positive(camera["height"], path) / height - 1) > _ASPECT_TOLERANCE:
        raise InputError(
            f"{path} is for {camera['width']}x{camera['height']} images, the image is {width}x{height}, which is "
            "another shape: give the intrinsics of these images"
        )
    return fx * scale


def _fx_of_matrix(path: Path, text: str) -> float:
    try:
        numbers = np.array([float(word) for word in text.replace(",", " ").split()])
    except ValueError as error:
        raise InputError(f"{path} holds something else than numbers: {error}") from error
    if numbers.size in (9, 16):
        matrix = numbers.reshape(3, 3) if numbers.size == 9 else numbers.reshape(4, 4)
        if matrix[1, 0] != 0 or matrix[2, 0] != 0 or matrix[2, 2] != 1:
            raise InputError(f"{path} is no matrix [[fx 0 cx] [0 fy cy] [0 0 1]]: {numbers.tolist()}")
    elif numbers.size != 4:
        raise InputError(f"{path} has {numbers.size} numbers, expected 9, 16 (a matrix) or 4 (fx fy cx cy)")
    return float(numbers[0])


def _positive(value: object, path: Path) -> float:
    number = not isinstance(value, bool) and isinstance(value, int | float)
    if not number or not 0 < value <= _MOST_PX:  # type: ignore[operator]
        raise InputError(f"{path} has {value!r} where a finite number above 0 was expected")
    return float(value)  # type: ignore[arg-type]
