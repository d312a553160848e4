# SPDX-License-Identifier: Apache-2.0
"""Any folder of photographs whose EXIF data tells the focal length: truth for estimated fields of view."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from depthpro_ros.evaluation.datasets.dataset import Dataset, Entry
from depthpro_ros.evaluation.datasets.frame import DatasetFrame
from depthpro_ros.photo import read_photo

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")


@dataclass(frozen=True)
class PhotoEntry(Entry):
    path: Path


class Photos(Dataset[PhotoEntry]):
    """Photographs in a folder and those below; the scene is the folder. `fx_px` is None where EXIF tells nothing."""

    name = "photos"
    tree = """
.../NAME.jpg        (with FocalLengthIn35mmFilm in its EXIF data)
"""

    def _find(self) -> Iterator[PhotoEntry]:
        for path in sorted(self.root.rglob("*")):
            if path.suffix.lower() in SUFFIXES and path.is_file():
                inside = path.relative_to(self.root)
                yield PhotoEntry(inside.as_posix(), inside.parent.as_posix(), path)

    def _read(self, entry: PhotoEntry) -> DatasetFrame:
        photo = read_photo(entry.path)
        return DatasetFrame(entry.id, entry.scene, photo.rgb, fx_px=photo.exif_focal_px)
