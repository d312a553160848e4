# SPDX-License-Identifier: Apache-2.0
"""Booster (Zama Ramirez et al. 2022): mirrors, glass and other hard things in rooms, from stereo at 12 megapixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.dataset import Dataset, Entry, folders, one_of
from depthpro_ros.evaluation.datasets.formats.cameras import intrinsics_of, read_opencv_xml
from depthpro_ros.evaluation.datasets.formats.disparity import disparity_to_depth
from depthpro_ros.evaluation.datasets.formats.files import read_npy
from depthpro_ros.evaluation.datasets.formats.images import read_grey, read_rgb
from depthpro_ros.evaluation.datasets.frame import DatasetFrame, Extras

_CAMERA = "camera_00"


@dataclass(frozen=True)
class BoosterEntry(Entry):
    image: Path
    folder: Path


class Booster(Dataset[BoosterEntry]):
    """Left images of `train/balanced`; all lightings of a scene share one ground truth. Occluded pixels are unknown.

    Args:
        lightings: `all` images of a scene, or only the `first`.
    """

    name = "booster"
    tree = """
train/balanced/SCENE/
    calib_00-02.xml
    disp_00.npy
    mask_00.png
    mask_cat.png        (may be missing)
    camera_00/im0.png   and other lightings
"""

    def __init__(self, root: Path, *, lightings: str = "all") -> None:
        self._lightings = one_of("lightings", lightings, ("all", "first"))
        super().__init__(root)

    def _find(self) -> Iterator[BoosterEntry]:
        for scene in folders(self.root / "train" / "balanced"):
            images = sorted((scene / _CAMERA).glob("*.png"))
            for image in images if self._lightings == "all" else images[:1]:
                yield BoosterEntry(f"{scene.name}/{image.stem}", scene.name, image, scene)

    def _read(self, entry: BoosterEntry) -> DatasetFrame:
        rgb = read_rgb(entry.image)
        calibration_file = entry.folder / "calib_00-02.xml"
        calibration = read_opencv_xml(calibration_file)
        # the images are rectified, which proj_matL describes; older files have the raw camera only
        k = calibration.get("proj_matL", calibration.get("mtxL"))
        if k is None or "baselineLR" not in calibration:
            raise InputError(f"{calibration_file} has {sorted(calibration)}, expected proj_matL and baselineLR")
        baseline_m = float(calibration["baselineLR"][0, 0]) / 1000
        depth = disparity_to_depth(read_npy(entry.folder / "disp_00.npy"), float(k[0, 0]), baseline_m)
        visible = read_grey(entry.folder / "mask_00.png") > 0
        if visible.shape != depth.shape:
            raise InputError(
                f"mask_00.png is {list(visible.shape)}, disp_00.npy {list(depth.shape)}: expected one size"
            )
        materials = entry.folder / "mask_cat.png"
        return DatasetFrame(
            entry.id,
            entry.scene,
            rgb,
            np.where(visible, depth, np.float32(np.nan)),
            fx_px=float(k[0, 0]),
            intrinsics=intrinsics_of(k, rgb.shape[1], rgb.shape[0]),
            extras=Extras(materials=read_grey(materials) if materials.is_file() else None),
        )
