# SPDX-License-Identifier: Apache-2.0
"""Frames of TUM RGB-D with people, as Li et al. 2019 chose them and MiDaS and DepthART score them: HDF5 files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from depthpro_ros.evaluation.datasets.dataset import Dataset, Entry
from depthpro_ros.evaluation.datasets.formats.hdf5 import open_hdf5, read_field
from depthpro_ros.evaluation.datasets.frame import DatasetFrame


@dataclass(frozen=True)
class TumHumansEntry(Entry):
    path: Path


class TumHumans(Dataset[TumHumansEntry]):
    """Every file below `data`; the scene is its folder. The files tell no focal length."""

    name = "tum_humans"
    tree = """
data/.../*.h5       (each with image, uint8 [H, W, 3], and depth in metres [H, W])
"""

    def _find(self) -> Iterator[TumHumansEntry]:
        data = self.root / "data"
        for path in sorted([*data.rglob("*.h5"), *data.rglob("*.hdf5")]):
            inside = path.relative_to(data)
            yield TumHumansEntry(inside.as_posix(), inside.parent.as_posix(), path)

    def _read(self, entry: TumHumansEntry) -> DatasetFrame:
        with open_hdf5(entry.path) as file:
            rgb = read_field(file, "image")
            depth = np.asarray(read_field(file, "depth"), np.float32)
        known = np.isfinite(depth) & (depth > 0)
        return DatasetFrame(entry.id, entry.scene, rgb, np.where(known, depth, np.float32(np.nan)))
