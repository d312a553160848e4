# SPDX-License-Identifier: Apache-2.0
"""Photographs with measured depth, small enough to score every model on.

Neither is part of this repository: the motorcycle comes inside scikit-image, the dining room from a folder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.formats.images import read_pixels, read_rgb
from depthpro_ros.evaluation.motorcycle import MOTORCYCLE, motorcycle
from depthpro_ros.frames import FrameSet, RgbdFrame

KINECT_VARIABLE = "DEPTHPRO_KINECT_DINING"
"""Environment variable with the folder of the dining room."""


@dataclass(frozen=True)
class KinectDining:
    """Five frames of a dining room, Kinect v1 (github.com/gaoxiang12/slambook2, folder ch5/rgbd, MIT).

    `color/1.png` to `color/5.png`, and `depth/1.pgm` to `depth/5.pgm`: uint16 millimetres along the optical axis,
    registered to the colour image, 0 where nothing was measured.

    Raises:
        InputError: the folder lacks one of the files.
    """

    folder: Path
    name: str = "kinect_dining"

    FX_PX = 518.0
    FRAMES = 5

    def __post_init__(self) -> None:
        for index in range(self.FRAMES):
            for path in self._paths(index):
                if not path.is_file():
                    raise InputError(f"{path} is missing: expected color/1.png and depth/1.pgm to 5 in {self.folder}")

    def __len__(self) -> int:
        return self.FRAMES

    def frame(self, index: int) -> RgbdFrame:
        """Read a frame.

        Raises:
            InputError: a file that is no image of its kind.
        """
        colour, depth = self._paths(index)
        depth_mm = read_pixels(depth, cv2.IMREAD_UNCHANGED)
        if depth_mm.dtype != np.uint16:
            raise InputError(f"{depth} is {depth_mm.dtype}, expected 16-bit millimetres")
        depth_m = np.where(depth_mm > 0, depth_mm.astype(np.float32) / 1000, np.float32(np.nan))
        return RgbdFrame(read_rgb(colour), depth_m, self.FX_PX)

    def _paths(self, index: int) -> tuple[Path, Path]:
        return self.folder / "color" / f"{index + 1}.png", self.folder / "depth" / f"{index + 1}.pgm"


@dataclass(frozen=True)
class Motorcycle:
    """The Middlebury motorcycle: one frame, depth from structured light."""

    name: str = "motorcycle"

    def __len__(self) -> int:
        return 1

    def frame(self, index: int) -> RgbdFrame:
        """Read it.

        Raises:
            InputError: scikit-image is not installed.
        """
        rgb, depth_m = motorcycle()
        return RgbdFrame(rgb, depth_m, MOTORCYCLE.fx)


@dataclass(frozen=True)
class RealSets:
    """The sets that are there.

    Attributes:
        found: the sets.
        skipped: a sentence for each one that is not there, with what to do.
    """

    found: tuple[FrameSet, ...]
    skipped: tuple[str, ...]


def real_sets(kinect: Path | None = None) -> RealSets:
    """Find both sets.

    Args:
        kinect: folder of the dining room; None takes the environment variable `DEPTHPRO_KINECT_DINING`.

    Raises:
        InputError: a folder was named, and lacks a file.
    """
    found: list[FrameSet] = []
    skipped: list[str] = []
    named = kinect or os.environ.get(KINECT_VARIABLE)
    if named:
        found.append(KinectDining(Path(named).expanduser()))
    else:
        skipped.append(f"kinect_dining: no folder was given, by --kinect or the environment variable {KINECT_VARIABLE}")
    try:
        Motorcycle().frame(0)
        found.append(Motorcycle())
    except InputError as error:
        skipped.append(f"motorcycle: {error}")
    return RealSets(tuple(found), tuple(skipped))
