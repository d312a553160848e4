# SPDX-License-Identifier: Apache-2.0
"""DIODE (Vasiljevic et al. 2019): rooms and places outdoors, from a laser scanner."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.dataset import Dataset, Entry, folders, one_of
from depthpro_ros.evaluation.datasets.formats.files import read_npy
from depthpro_ros.evaluation.datasets.formats.images import read_rgb
from depthpro_ros.evaluation.datasets.frame import DatasetFrame

FX_PX = 886.81
"""Of every image. Sources disagree about fy (886.81 or 927.06), so no full intrinsics are given."""


@dataclass(frozen=True)
class DiodeEntry(Entry):
    image: Path


class Diode(Dataset[DiodeEntry]):
    """Depth near occlusion edges is noisy, and reaches 350 m outdoors.

    Args:
        split: `val` (325 indoors, 446 outdoors) or `train`.
        place: `indoors`, `outdoor`, or `all`.
    """

    name = "diode"
    tree = """
val/indoors/scene_00001/scan_00001/     (and outdoor)
    NAME.png
    NAME_depth.npy
    NAME_depth_mask.npy
"""

    def __init__(self, root: Path, *, split: str = "val", place: str = "all") -> None:
        self._split = one_of("split", split, ("val", "train"))
        place = one_of("place", place, ("indoors", "outdoor", "all"))
        self._places = ("indoors", "outdoor") if place == "all" else (place,)
        super().__init__(root)

    def _find(self) -> Iterator[DiodeEntry]:
        for place in self._places:
            for scene in folders(self.root / self._split / place):
                for image in sorted(scene.glob("scan_*/*.png")):
                    yield DiodeEntry(
                        f"{place}/{scene.name}/{image.parent.name}/{image.stem}", f"{place}/{scene.name}", image
                    )

    def _read(self, entry: DiodeEntry) -> DatasetFrame:
        rgb = read_rgb(entry.image)
        depth = read_npy(entry.image.with_name(f"{entry.image.stem}_depth.npy")).astype(np.float32)
        valid = read_npy(entry.image.with_name(f"{entry.image.stem}_depth_mask.npy")) > 0
        if valid.shape != depth.shape:
            raise InputError(f"the mask is {list(valid.shape)}, the depth {list(depth.shape)}: expected one size")
        known = valid & np.isfinite(depth) & (depth > 0)
        return DatasetFrame(
            entry.id, entry.scene, rgb, np.where(known, depth, np.float32(np.nan)), fx_px=self._fx_px(rgb.shape[1])
        )

    @staticmethod
    def _fx_px(width: int) -> float | None:
        return FX_PX if width == 1024 else None
