# SPDX-License-Identifier: Apache-2.0
"""The demo's pictures: photographs that come inside installed Python packages.

The Middlebury motorcycle gives calibrated views with ground truth; the other photographs have neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.motorcycle import MOTORCYCLE, motorcycle

VIEW_WIDTH, VIEW_HEIGHT = 480, 360
VIEWS = 16
FRAMES_PER_PHOTOGRAPH = 2


@dataclass(frozen=True)
class Window:
    """A part of the motorcycle photograph: left, top, width and height in whole pixels, 4 : 3."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class DemoFrame:
    """One frame of the demo.

    Attributes:
        name: of the photograph.
        rgb: uint8 [H, W, 3].
        camera: exact intrinsics; None where nobody knows them.
        truth_m: float32 [H, W], z-depth in metres, NaN where unknown; None without ground truth.
    """

    name: str
    rgb: NDArray[np.uint8]
    camera: Intrinsics | None
    truth_m: NDArray[np.float32] | None


def demo_frames() -> list[DemoFrame]:
    """All frames of the demo, in order.

    Raises:
        InputError: scikit-image is not installed.
    """
    rgb, truth = motorcycle()
    frames = [motorcycle_view(rgb, truth, window) for window in window_path(VIEWS)]
    for name, photograph in photographs():
        frames += [DemoFrame(name, photograph, None, None)] * FRAMES_PER_PHOTOGRAPH
    return frames


def window_path(count: int) -> list[Window]:
    """A smooth path: from the whole scene in to the handlebars, and along to the rear wheel."""
    # (left, top, width) of the view; heights follow, everything stays inside 741 x 500
    stops = np.array([(40, 18, 640), (300, 30, 400), (60, 130, 420)], dtype=np.float64)
    t = np.linspace(0, len(stops) - 1, count)
    # ease in and out of each stop
    leg = np.minimum(t.astype(int), len(stops) - 2)
    part = t - leg
    part = (part * part * (3 - 2 * part))[:, None]
    places = stops[leg] * (1 - part) + stops[leg + 1] * part
    windows = []
    for left, top, width in places:
        unit = round(width / 4)
        windows.append(Window(round(left), round(top), 4 * unit, 3 * unit))
    return windows


def motorcycle_view(rgb: NDArray[np.uint8], truth_m: NDArray[np.float32], window: Window) -> DemoFrame:
    """What a camera with a longer lens, looking at a part of the scene, sees.

    Cutting and resizing change K exactly; depths along the axis stay the same. The photograph is
    interpolated; depths are taken from the nearest pixel, since mixtures of two surfaces exist nowhere.
    """
    w = window
    rows, columns = slice(w.top, w.top + w.height), slice(w.left, w.left + w.width)
    shrinks = w.width > VIEW_WIDTH
    picture = cv2.resize(
        rgb[rows, columns],
        (VIEW_WIDTH, VIEW_HEIGHT),
        interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC,
    )
    camera = MOTORCYCLE.cropped(w.left, w.top, w.width, w.height).resized(VIEW_WIDTH, VIEW_HEIGHT)
    # the pixel whose area holds the new pixel's centre
    v = w.top + ((np.arange(VIEW_HEIGHT) + 0.5) * w.height / VIEW_HEIGHT).astype(int)
    u = w.left + ((np.arange(VIEW_WIDTH) + 0.5) * w.width / VIEW_WIDTH).astype(int)
    return DemoFrame("motorcycle", picture.astype(np.uint8), camera, truth_m[np.ix_(v, u)])


def photographs() -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Names and pixels of photographs whose cameras nobody knows."""
    data = _skimage()
    for name in ("coffee", "rocket", "chelsea", "astronaut"):
        yield name, _rgb(getattr(data, name)())
    try:
        from sklearn.datasets import load_sample_image
    except ImportError:
        return  # scikit-learn is no part of the demo's packages; it adds an outdoor scene where it is there
    yield "china", _rgb(load_sample_image("china.jpg"))


def _rgb(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Without an alpha channel, contiguous."""
    return np.ascontiguousarray(picture[..., :3], dtype=np.uint8)


def _skimage():  # type: ignore[no-untyped-def]
    try:
        from skimage import data
    except ImportError as error:
        raise InputError("the demo's photographs come with scikit-image: pip install scikit-image") from error
    return data
