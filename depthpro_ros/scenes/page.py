# SPDX-License-Identifier: Apache-2.0
"""A page of rendered scenes, each above its depth."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.scenes.render import SceneBatch, render_scenes

_UNKNOWN = (128, 128, 128)


def contact_sheet(batch: SceneBatch, columns: int) -> NDArray[np.uint8]:
    """Lay scenes out as BGR uint8, each above its inverse depth: near is red, sky dark, glass and mirrors grey."""
    cells = []
    arrays = (batch.rgb.cpu().numpy(), batch.depth_m.cpu().numpy(), batch.valid.cpu().numpy(), batch.kind)
    for rgb, depth, valid, kind in zip(*arrays, strict=True):
        inverse = 1 / depth
        scaled = np.clip(255 * inverse / max(np.percentile(inverse, 98), 1e-6), 0, 255).astype(np.uint8)
        colour = cv2.applyColorMap(scaled, cv2.COLORMAP_TURBO)
        colour[~valid] = _UNKNOWN
        cv2.putText(colour, kind, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
        cells.append(np.concatenate([cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), colour]))
    while len(cells) % columns:
        cells.append(np.zeros_like(cells[0]))
    rows = [np.concatenate(cells[i : i + columns], axis=1) for i in range(0, len(cells), columns)]
    return np.concatenate(rows)


def write_page(path: Path, *, first_seed: int, count: int, width: int = 320, columns: int = 4) -> None:
    """Render `count` scenes from `first_seed` on and write the page.

    Raises:
        InputError: a count, width, number of columns or seed out of range, or a path that no image can be written to.
    """
    for name, value in (("count", count), ("width", width), ("columns", columns)):
        if value < 1:
            raise InputError(f"{name} is {value}, expected at least 1")
    batch = render_scenes(range(first_seed, first_seed + count), height=max(1, width * 3 // 4), width=width)
    try:
        written = cv2.imwrite(str(path), contact_sheet(batch, columns))
    except cv2.error:
        written = False
    if not written:
        raise InputError(f"could not write {path}: expected a writable path that ends in .png or .jpg")
