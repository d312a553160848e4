# SPDX-License-Identifier: Apache-2.0
"""Hypersim as it is distributed (Roberts et al. 2021): rendered rooms with exact distances."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.formats.hdf5 import open_hdf5, read_field
from depthpro_ros.frames import RgbdFrame
from depthpro_ros.images import decode_compressed

HFOV_RAD = math.pi / 3
"""Of every camera: fx is 886.8 pixels of 1024. Some scenes' own parameters differ slightly, which is left alone."""
EXPECTED = (
    "ai_VVV_NNN/images/scene_cam_XX_final_preview/frame.IIII.tonemap.jpg and "
    "ai_VVV_NNN/images/scene_cam_XX_geometry_hdf5/frame.IIII.depth_meters.hdf5"
)
_PHOTO = re.compile(r"scene_(?P<camera>cam_\d+)_final_preview/frame\.(?P<frame>\d+)\.tonemap\.jpg$")


class HypersimSet:
    """Tone-mapped previews with depth along the optical axis.

    The files named `depth_meters` hold distances from the camera's centre, d; depth is d f / sqrt(u^2 + v^2 + f^2),
    with u and v from the principal point, the middle of the image.

    Args:
        root: folder with the scenes' folders.
        max_depth_m: finite depth beyond it counts as unknown.
        name: for reports.

    Raises:
        InputError: no such folder, or nothing of this form in it.
    """

    def __init__(self, root: Path, *, max_depth_m: float | None = None, name: str = "hypersim") -> None:
        if not root.is_dir():
            raise InputError(f"{root} is no folder; expected one with {EXPECTED}")
        self.name = name
        self._max_depth_m = math.inf if max_depth_m is None else max_depth_m
        pairs = ((photo, _depth_beside(photo)) for photo in sorted(root.glob("**/images/*/frame.*.tonemap.jpg")))
        self._pairs = [(photo, depth) for photo, depth in pairs if depth is not None and depth.exists()]
        if not self._pairs:
            raise InputError(f"{root} has no frames of Hypersim; expected {EXPECTED}")

    def __len__(self) -> int:
        return len(self._pairs)

    def frame(self, index: int) -> RgbdFrame:
        """Read one frame.

        Raises:
            InputError: a file is damaged, the two are of different sizes, or h5py is missing.
        """
        photo, depth = self._pairs[index]
        rgb = decode_compressed(photo.read_bytes())
        with open_hdf5(depth) as file:
            distance = np.asarray(read_field(file, "dataset"), np.float32)
        if distance.shape != rgb.shape[:2]:
            raise InputError(f"{depth} is of {list(distance.shape)} pixels, its image of {list(rgb.shape[:2])}")
        depth_m = (distance * along_axis(*distance.shape)).astype(np.float32)
        depth_m[~(depth_m > 0) | (depth_m > self._max_depth_m)] = np.nan
        return RgbdFrame(np.ascontiguousarray(rgb), depth_m, _focal(distance.shape[1]))


@lru_cache(maxsize=4)
def along_axis(height: int, width: int) -> NDArray[np.float64]:
    """Depth over distance of each pixel [height, width], at its centre."""
    f = _focal(width)
    u = np.arange(width) + 0.5 - 0.5 * width
    v = np.arange(height) + 0.5 - 0.5 * height
    return f / np.sqrt(u[None, :] ** 2 + v[:, None] ** 2 + f**2)


def _focal(width: int) -> float:
    return 0.5 * width / math.tan(0.5 * HFOV_RAD)


def _depth_beside(photo: Path) -> Path | None:
    match = _PHOTO.search(photo.as_posix())
    if match is None:
        return None
    folder = photo.parent.parent / f"scene_{match['camera']}_geometry_hdf5"
    return folder / f"frame.{match['frame']}.depth_meters.hdf5"
