# SPDX-License-Identifier: Apache-2.0
"""Middlebury stereo (Scharstein et al.): rooms and still lifes, from structured light."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.dataset import Dataset, Entry, folders, one_of
from depthpro_ros.evaluation.datasets.formats.cameras import intrinsics_of, read_middlebury_calib
from depthpro_ros.evaluation.datasets.formats.disparity import disparity_to_depth
from depthpro_ros.evaluation.datasets.formats.images import BoolMap, read_grey, read_rgb
from depthpro_ros.evaluation.datasets.formats.pfm import read_pfm
from depthpro_ros.evaluation.datasets.frame import DatasetFrame

_VISIBLE, _OCCLUDED = 255, 128


@dataclass(frozen=True)
class MiddleburyEntry(Entry):
    folder: Path


class _Middlebury(Dataset[MiddleburyEntry]):
    """Left images; depth is baseline f / (disparity + doffs)."""

    disparity: ClassVar[str]

    def _scenes(self) -> Path:
        return self.root

    def _find(self) -> Iterator[MiddleburyEntry]:
        for scene in folders(self._scenes()):
            if (scene / "calib.txt").is_file():
                yield MiddleburyEntry(scene.name, scene.name, scene)

    def _mask(self, folder: Path) -> BoolMap | None:
        return None

    def _read(self, entry: MiddleburyEntry) -> DatasetFrame:
        rgb = read_rgb(entry.folder / "im0.png")
        calibration = read_middlebury_calib(entry.folder / "calib.txt")
        intrinsics = intrinsics_of(calibration.k, rgb.shape[1], rgb.shape[0])
        disparity = read_pfm(entry.folder / self.disparity)
        depth = disparity_to_depth(disparity, intrinsics.fx, calibration.baseline_m, calibration.doffs_px)
        mask = self._mask(entry.folder)
        if mask is not None and mask.shape != depth.shape:
            raise InputError(f"mask0nocc.png is {list(mask.shape)}, {self.disparity} {list(depth.shape)}")
        if mask is not None:
            depth = np.where(mask, depth, np.float32(np.nan))
        return DatasetFrame(entry.id, entry.scene, rgb, depth, fx_px=intrinsics.fx, intrinsics=intrinsics)


class Middlebury2014(_Middlebury):
    """The 2014 sets."""

    name = "middlebury_2014"
    disparity = "disp0.pfm"
    tree = """
SCENE/
    calib.txt
    im0.png
    disp0.pfm
"""


class Middlebury2021(Middlebury2014):
    """The 2021 mobile sets, in the same form: the photograph of the default light."""

    name = "middlebury_2021"


class MiddleburyV3(_Middlebury):
    """The training images of the third evaluation.

    Args:
        resolution: `F` full, `H` half or `Q` a quarter.
        occluded: keep pixels that the right camera does not see; their depth is known too.
    """

    name = "middlebury_v3"
    disparity = "disp0GT.pfm"
    tree = """
trainingF/SCENE/        (or trainingH, trainingQ)
    calib.txt
    im0.png
    disp0GT.pfm
    mask0nocc.png
"""

    def __init__(self, root: Path, *, resolution: str = "F", occluded: bool = False) -> None:
        self._resolution = one_of("resolution", resolution, ("F", "H", "Q"))
        self._occluded = occluded
        super().__init__(root)

    def _scenes(self) -> Path:
        return self.root / f"training{self._resolution}"

    def _mask(self, folder: Path) -> BoolMap | None:
        return read_grey(folder / "mask0nocc.png") >= (_OCCLUDED if self._occluded else _VISIBLE)
