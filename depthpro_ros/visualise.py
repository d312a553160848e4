# SPDX-License-Identifier: Apache-2.0
"""Pictures of depth maps, and of pictures beside each other, for people to look at. NumPy and OpenCV only.

All pictures are RGB uint8 [H, W, 3].
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

RgbImage = NDArray[np.uint8]
Colour = tuple[int, int, int]

UNTRUSTED_RGB: Colour = (90, 90, 90)
"""Colour of NaN: no trusted depth."""
TOO_FAR_RGB: Colour = (215, 215, 215)
"""Colour of +Inf (REP 117): farther than the range."""
TOO_NEAR_RGB: Colour = (0, 0, 0)
"""Colour of -Inf (REP 117): nearer than the range."""

PAPER_RGB: Colour = (24, 26, 30)
INK_RGB: Colour = (235, 235, 235)

# RGB [256, 3], far (blue) to near (red); OpenCV's maps are BGR
_TURBO: RgbImage = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_TURBO)[:, 0, ::-1].astype(
    np.uint8
)
# mantissas of tick labels, the roundest first
_ROUND = (1.0, 2.0, 5.0, 3.0, 4.0, 6.0, 8.0, 1.5, 2.5, 7.0, 3.5, 4.5)
_LESS_ROUND = tuple(tenths / 10 for tenths in range(11, 100))
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_LEGEND_PX = 76
_BAR_PX = 16
_TICK_GAP_PX = 26
_FEWEST_TICKS = 4


def robust_limits(*depths_m: NDArray[np.floating]) -> tuple[float, float]:
    """Near and far limit for the colours of these maps together: their 2nd and 98th percentile.

    Args:
        depths_m: [...] metres; only finite values above 0 count.

    Returns:
        (near_m, far_m) with 0 < near < far; (1, 10) where no depth counts.
    """
    usable = [d[np.isfinite(d) & (d > 0)] for d in depths_m]
    values = np.concatenate([u.reshape(-1) for u in usable]) if usable else np.empty(0)
    if not values.size:
        return 1.0, 10.0
    near, far = (float(v) for v in np.percentile(values, (2, 98)))
    # a flat wall still wants a legend with two ends
    return (near, far) if far > 1.05 * near else (near / 1.1, near * 1.1)


def colour_depth(depth_m: NDArray[np.floating], near_m: float | None = None, far_m: float | None = None) -> RgbImage:
    """Colour a depth map, red near and blue far, evenly in inverse depth.

    Args:
        depth_m: [H, W] metres. Beyond the limits the end colours are used.
        near_m, far_m: limits; `robust_limits` of this map where not given.

    Returns:
        RGB [H, W, 3]; NaN, +Inf and -Inf (also 0 and negative) have the neutral colours of this module.

    Raises:
        ValueError: not 0 < near_m < far_m.
    """
    auto_near, auto_far = robust_limits(depth_m) if near_m is None or far_m is None else (0.0, 0.0)
    near, far = auto_near if near_m is None else near_m, auto_far if far_m is None else far_m
    _check_limits(near, far)
    picture: RgbImage = _TURBO.take(np.round(255 * nearness(depth_m, near, far)).astype(np.uint8), axis=0)
    picture[np.isnan(depth_m)] = UNTRUSTED_RGB
    picture[np.isposinf(depth_m)] = TOO_FAR_RGB
    picture[depth_m <= 0] = TOO_NEAR_RGB
    return picture


def nearness(depth_m: NDArray[np.floating], near_m: float, far_m: float) -> NDArray[np.float64]:
    """Where depths lie on the colour scale, linear in inverse depth: 1 at near_m, 0 at far_m (and for NaN)."""
    usable = np.isfinite(depth_m) & (depth_m > 0)
    inverse = 1.0 / np.where(usable, depth_m, far_m)
    return np.clip((inverse - 1 / far_m) / (1 / near_m - 1 / far_m), 0.0, 1.0)


def legend_ticks(near_m: float, far_m: float, height_px: int, gap_px: int = _TICK_GAP_PX) -> list[tuple[float, int]]:
    """Round depths for a legend bar, and their rows.

    Args:
        near_m, far_m: depths at the first and the last row.
        height_px: rows of the bar.
        gap_px: smallest distance between two ticks.

    Returns:
        (depth in metres, row) from near to far; the rounder of two close numbers is kept, and numbers of two
        digits are used only where there would be too few ticks without.
    """
    _check_limits(near_m, far_m)
    chosen: list[tuple[float, int]] = []
    for mantissas in _ROUND, _LESS_ROUND:
        if len(chosen) >= _FEWEST_TICKS:
            break
        for depth in _multiples(mantissas, near_m, far_m):
            row = round((height_px - 1) * (1 - float(nearness(np.array(depth), near_m, far_m))))
            if all(abs(row - other) >= gap_px for _, other in chosen):
                chosen.append((depth, row))
    return sorted(chosen)


def with_legend(picture: RgbImage, near_m: float, far_m: float, *, unit: str = "m", title: str = "") -> RgbImage:
    """Put a bar with ticks to the right of a picture made by `colour_depth` with these limits.

    Args:
        unit: behind each number; empty for depth up to scale, whose limits are no metres.
        title: above the bar, for at most nine letters.

    Returns:
        RGB [H, W + 76, 3].
    """
    height = picture.shape[0]
    margin = min(24 if title else 12, height // 8)
    panel = blank(height, _LEGEND_PX)
    if title:
        _write(panel, title, 6, min(15, height - 1))
    rows = height - 2 * margin
    inverse = np.linspace(1 / near_m, 1 / far_m, max(rows, 2))[:rows]
    bar = colour_depth((1 / inverse)[:, None], near_m, far_m)
    left = 8
    panel[margin : margin + rows, left : left + _BAR_PX] = bar
    for depth, row in legend_ticks(near_m, far_m, rows):
        y = margin + row
        panel[y, left + _BAR_PX : left + _BAR_PX + 5] = INK_RGB
        _write(panel, f"{depth:g} {unit}".strip(), left + _BAR_PX + 8, y + 4)
    return np.hstack([picture, panel])


def blank(height: int, width: int) -> RgbImage:
    """A picture of nothing but paper."""
    return np.full((height, width, 3), PAPER_RGB, dtype=np.uint8)


def captioned(picture: RgbImage, text: str) -> RgbImage:
    """The picture under a line of text; text too long is cut. Returns RGB [H + 22, W, 3]."""
    strip = blank(22, picture.shape[1])
    fits = max(1, (picture.shape[1] - 8) // 8)
    _write(strip, text if len(text) <= fits else text[: fits - 1] + "~", 6, 15)
    return np.vstack([strip, picture])


def side_by_side(pictures: Sequence[RgbImage], gap_px: int = 4) -> RgbImage:
    """Pictures in a row, the lower ones filled up at the bottom."""
    height = max(p.shape[0] for p in pictures)
    parts: list[RgbImage] = []
    for picture in pictures:
        filler = blank(height - picture.shape[0], picture.shape[1])
        parts += [np.vstack([picture, filler]), blank(height, gap_px)]
    return np.hstack(parts[:-1])


def contact_sheet(pictures: Sequence[RgbImage], columns: int, cell: tuple[int, int], gap_px: int = 8) -> RgbImage:
    """Pictures on a grid, each shrunk or grown to fit its cell without changing its proportions.

    Args:
        pictures: at least one, of any sizes.
        columns: cells in a row.
        cell: (width, height) of a cell, pixels.

    Raises:
        ValueError: no pictures.
    """
    if not pictures:
        raise ValueError("a contact sheet needs at least one picture")
    width, height = cell
    rows = -(-len(pictures) // columns)
    sheet = blank(rows * (height + gap_px) + gap_px, columns * (width + gap_px) + gap_px)
    for index, picture in enumerate(pictures):
        scale = min(width / picture.shape[1], height / picture.shape[0])
        size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        top = gap_px + (index // columns) * (height + gap_px)
        left = gap_px + (index % columns) * (width + gap_px)
        sheet[top : top + size[1], left : left + size[0]] = small
    return sheet


def png_bytes(picture: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """Encode RGB [H, W, 3] uint8, or one channel [H, W] of 8 or 16 bits, as PNG."""
    done, data = cv2.imencode(".png", picture[..., ::-1] if picture.ndim == 3 else picture)
    if not done:
        raise ValueError(f"OpenCV cannot write {picture.dtype} {list(picture.shape)} as PNG")
    return data.tobytes()


def _multiples(mantissas: Sequence[float], near: float, far: float) -> list[float]:
    """Mantissas times every power of ten, between the limits, in the order of the mantissas."""
    exponents = range(math.floor(math.log10(near)) - 1, math.ceil(math.log10(far)) + 1)
    found = [float(f"{mantissa * 10.0**exponent:.3g}") for mantissa in mantissas for exponent in exponents]
    return [depth for depth in dict.fromkeys(found) if near <= depth <= far]


def _check_limits(near_m: float, far_m: float) -> None:
    if not 0 < near_m < far_m < math.inf:
        raise ValueError(f"colour limits {near_m} and {far_m} m must satisfy 0 < near < far")


def _write(picture: RgbImage, text: str, x: int, y: int) -> None:
    cv2.putText(picture, text, (x, y), _FONT, 0.42, INK_RGB, 1, cv2.LINE_AA)
