# SPDX-License-Identifier: Apache-2.0
"""NYU Depth v2 (Silberman et al. 2012): rooms, from a Kinect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.dataset import Dataset, Entry, one_of
from depthpro_ros.evaluation.datasets.formats.hdf5 import field, open_hdf5, read_field
from depthpro_ros.evaluation.datasets.formats.matlab import read_indices
from depthpro_ros.evaluation.datasets.frame import DatasetFrame

WIDTH, HEIGHT = 640, 480
INTRINSICS = Intrinsics(WIDTH, HEIGHT, 518.8579, 519.4696, 325.5824, 253.7362)
"""Of the colour camera, from the data set's toolbox."""


@dataclass(frozen=True)
class NyuEntry(Entry):
    number: int


class NyuV2(Dataset[NyuEntry]):
    """The labelled images. MATLAB stores axes the other way round: images [N, 3, 640, 480].

    Args:
        split: `test` (654, as Eigen et al. 2014 use them), `train`, or `all` (1449), which needs no splits.mat.
        depth: `raw` as measured, with about a quarter unknown, or `filled` by the makers' colourisation.
    """

    name = "nyuv2"
    tree = """
nyu_depth_v2_labeled.mat    (HDF5)
splits.mat                  (not for split=all)
"""

    def __init__(self, root: Path, *, split: str = "test", depth: str = "raw") -> None:
        self._split = one_of("split", split, ("test", "train", "all"))
        self._depth = "rawDepths" if one_of("depth", depth, ("raw", "filled")) == "raw" else "depths"
        super().__init__(root)

    @property
    def _file(self) -> Path:
        return self.root / "nyu_depth_v2_labeled.mat"

    def _find(self) -> Iterator[NyuEntry]:
        with open_hdf5(self._file) as file:
            count = len(field(file, "images"))
            names = [_text(file, reference) for reference in file["scenes"][0]] if "scenes" in file else [""] * count
        if self._split == "all":
            numbers = list(range(count))
        else:
            numbers = read_indices(self.root / "splits.mat", f"{self._split}Ndxs")
        for number in numbers:
            if not 0 <= number < count:
                raise InputError(f"splits.mat names image {number + 1}, {self._file} has {count}")
            # images are named by MATLAB's count, as in the literature
            yield NyuEntry(f"{number + 1:04d}", names[number] or "nyuv2", number)

    def _read(self, entry: NyuEntry) -> DatasetFrame:
        with open_hdf5(self._file) as file:
            rgb = np.ascontiguousarray(read_field(file, "images", entry.number).transpose(2, 1, 0))
            depth = np.asarray(read_field(file, self._depth, entry.number), np.float32).T
        height, width = rgb.shape[:2]
        depth = np.where(np.isfinite(depth) & (depth > 0), depth, np.float32(np.nan))
        intrinsics = INTRINSICS if (width, height) == (WIDTH, HEIGHT) else None
        return DatasetFrame(
            entry.id, entry.scene, rgb, depth, fx_px=intrinsics.fx if intrinsics else None, intrinsics=intrinsics
        )


def _text(file: Any, reference: Any) -> str:
    """A MATLAB string: character codes, at a reference."""
    return "".join(chr(code) for code in np.asarray(file[reference]).ravel())
