# SPDX-License-Identifier: Apache-2.0
"""The per-pixel steps for depth in host memory, a few rows at a time, in NumPy and OpenCV.

`filters` and `cloud` do the same in torch for depth on a GPU. Here torch would make a dozen passes over main
memory, each shared out to threads that wait for one another: milliseconds on an idle machine, a hundred on one
whose cores are taken. A few rows stay in a core's cache, and one thread has nobody to wait for.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

BLOCK_PIXELS = 32768
Float = NDArray[np.floating[Any]]


def _blocks(shape: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """First and last row, excluded, of each block of an image."""
    step = max(1, BLOCK_PIXELS // max(1, shape[-1]))
    return ((top, min(top + step, shape[0])) for top in range(0, shape[0], step))


def limit_range(depth_m: Float, min_m: float, max_m: float) -> None:
    """See `depthpro_ros.filters.limit_range`."""
    for top, bottom in _blocks(depth_m.shape):
        rows = depth_m[top:bottom]
        np.copyto(rows, np.inf, where=rows > max_m)
        if min_m > 0:
            np.copyto(rows, -np.inf, where=rows < min_m)


def edge_mask(depth_m: Float, ratio: float) -> NDArray[np.bool_]:
    """See `depthpro_ros.filters.edge_mask`."""
    height, width = depth_m.shape
    mask = np.zeros((height, width), np.bool_)
    factor = depth_m.dtype.type(ratio)
    with np.errstate(invalid="ignore", over="ignore"):
        for top, bottom in _blocks(depth_m.shape):
            limit = depth_m[top:bottom] * factor
            if width > 2:
                across = cv2.absdiff(depth_m[top:bottom, 2:], depth_m[top:bottom, :-2])
                np.greater(across, limit[:, 1:-1], out=mask[top:bottom, 1:-1])
            # rows that have a neighbour above and below
            first, last = max(top, 1), min(bottom, height - 1)
            if first < last:
                down = cv2.absdiff(depth_m[first + 1 : last + 1], depth_m[first - 1 : last - 1])
                mask[first:last] |= down > limit[first - top : last - top]
    return mask


def pack(
    depth_m: Float,
    rgb: NDArray[np.uint8] | None,
    x: Float,
    y: Float,
    out: NDArray[np.float32],
    untrusted: NDArray[np.bool_] | None,
    far_m: float | None = None,
) -> None:
    """See `depthpro_ros.cloud.Projector.pack`.

    Args:
        depth_m: float32 [h, w], strided already, as `rgb` and `untrusted`.
        x, y: float32 [1, w] and [h, 1], rays at depth 1.
        out: float32 [h, w, 4], contiguous.
    """
    for top, bottom in _blocks(depth_m.shape):
        rows = slice(top, bottom)
        with np.errstate(invalid="ignore"):
            depth = depth_m[rows] if far_m is None else np.minimum(depth_m[rows], np.float32(far_m))
            z = depth * np.float32(0)  # 0 where the depth is finite and NaN elsewhere
            z += depth
        if untrusted is not None:
            np.copyto(z, np.nan, where=untrusted[rows])
        colour = np.zeros_like(z) if rgb is None else _words(rgb[rows]).view(np.float32)
        cv2.merge([z * x, z * y[rows], z, colour], dst=out[rows])


def _words(rgb: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """uint8 [h, w, 3] to uint32 [h, w], 0x00RRGGBB."""
    if sys.byteorder == "big":
        red, green, blue = (rgb[..., channel].astype(np.uint32) for channel in range(3))
        return (red << 16 | green << 8 | blue).astype(np.uint32)
    words = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2BGRA).view(np.uint32)[..., 0]
    words &= 0x00FFFFFF
    return np.ascontiguousarray(words)
