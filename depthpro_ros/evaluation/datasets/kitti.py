# SPDX-License-Identifier: Apache-2.0
"""KITTI (Geiger et al. 2012; depth of Uhrig et al. 2017): streets, from a lidar on a car."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.dataset import Dataset, Entry, folders, one_of
from depthpro_ros.evaluation.datasets.formats.cameras import intrinsics_of, read_kitti_projection
from depthpro_ros.evaluation.datasets.formats.files import read_lines, read_numbers
from depthpro_ros.evaluation.datasets.formats.images import read_depth_png, read_rgb
from depthpro_ros.evaluation.datasets.frame import DatasetFrame

UNITS_PER_METRE = 256
_DRIVE = re.compile(r"((\d{4}_\d\d_\d\d)_drive_\d{4}_sync)")
_NUMBER = re.compile(r"(?<!\d)(\d{10})(?!\d)")


@dataclass(frozen=True)
class KittiEntry(Entry):
    image: Path
    depth: Path
    calibration: Path


class KittiSelection(Dataset[KittiEntry]):
    """The depth benchmark's selected validation frames, cropped to 1216 x 352 (1000)."""

    name = "kitti_selection"
    tree = """
val_selection_cropped/
    image/DRIVE_image_0000000005_image_02.png
    groundtruth_depth/DRIVE_groundtruth_depth_0000000005_image_02.png
    intrinsics/DRIVE_image_0000000005_image_02.txt
"""

    def _find(self) -> Iterator[KittiEntry]:
        selection = self.root / "val_selection_cropped"
        for image in sorted((selection / "image").glob("*.png")):
            depth = selection / "groundtruth_depth" / image.name.replace("_image_0", "_groundtruth_depth_0", 1)
            drive = _DRIVE.match(image.name)
            scene = drive.group(1) if drive else self.name
            yield KittiEntry(image.stem, scene, image, depth, selection / "intrinsics" / f"{image.stem}.txt")

    def _read(self, entry: KittiEntry) -> DatasetFrame:
        rgb = read_rgb(entry.image)
        k = read_numbers(entry.calibration, 9).reshape(3, 3)
        intrinsics = intrinsics_of(k, rgb.shape[1], rgb.shape[0])
        depth = read_depth_png(entry.depth, UNITS_PER_METRE)
        return DatasetFrame(entry.id, entry.scene, rgb, depth, fx_px=intrinsics.fx, intrinsics=intrinsics)


class Kitti(Dataset[KittiEntry]):
    """Raw images of the left colour camera with annotated depth.

    Args:
        split: `val` or `train`: every frame of it with depth. Ignored with `frames`.
        frames: a text file that names frames, such as the 652 of Eigen et al. 2014 with annotated depth; each line
            holds a drive and a ten-digit number, as in
            `2011_09_26/2011_09_26_drive_0002_sync/image_02/data/0000000069.png`.
    """

    name = "kitti"
    tree = """
raw/2011_09_26/
    calib_cam_to_cam.txt
    2011_09_26_drive_0002_sync/image_02/data/0000000069.png
val/2011_09_26_drive_0002_sync/proj_depth/groundtruth/image_02/0000000069.png
train/...       (likewise)
"""

    def __init__(self, root: Path, *, split: str = "val", frames: str | Path | None = None) -> None:
        self._split = one_of("split", split, ("val", "train"))
        self._list = None if frames is None else Path(frames)
        super().__init__(root)

    def _find(self) -> Iterator[KittiEntry]:
        if self._list is not None:
            for line in read_lines(self._list):
                drive, number = _DRIVE.search(line), _NUMBER.search(line)
                if drive is None or number is None:
                    raise InputError(f"{self._list} has the line {line!r}, expected a drive and a ten-digit number")
                yield self._entry(drive.group(1), number.group(1))
        else:
            for drive_folder in folders(self.root / self._split):
                for depth in sorted(_depth_folder(drive_folder).glob("*.png")):
                    yield self._entry(drive_folder.name, depth.stem)

    def _entry(self, drive: str, number: str) -> KittiEntry:
        date = self.root / "raw" / drive[:10]
        image = date / drive / "image_02" / "data" / f"{number}.png"
        candidates = [_depth_folder(self.root / split / drive) / f"{number}.png" for split in ("val", "train")]
        depth = next((path for path in candidates if path.is_file()), candidates[0])
        return KittiEntry(f"{drive}/{number}", drive, image, depth, date / "calib_cam_to_cam.txt")

    def _read(self, entry: KittiEntry) -> DatasetFrame:
        rgb = read_rgb(entry.image)
        intrinsics = intrinsics_of(read_kitti_projection(entry.calibration), rgb.shape[1], rgb.shape[0])
        depth = read_depth_png(entry.depth, UNITS_PER_METRE)
        return DatasetFrame(entry.id, entry.scene, rgb, depth, fx_px=intrinsics.fx, intrinsics=intrinsics)


def _depth_folder(drive: Path) -> Path:
    return drive / "proj_depth" / "groundtruth" / "image_02"
