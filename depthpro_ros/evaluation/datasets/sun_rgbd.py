# SPDX-License-Identifier: Apache-2.0
"""SUN RGB-D (Song et al. 2015): rooms, from four kinds of depth camera."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.dataset import Dataset, Entry, one_of
from depthpro_ros.evaluation.datasets.formats.cameras import intrinsics_of
from depthpro_ros.evaluation.datasets.formats.files import MissingFile, read_numbers
from depthpro_ros.evaluation.datasets.formats.images import read_rgb
from depthpro_ros.evaluation.datasets.formats.matlab import read_strings
from depthpro_ros.evaluation.datasets.formats.sun import read_sun_depth
from depthpro_ros.evaluation.datasets.frame import DatasetFrame

_SPLIT_FILE = "SUNRGBDtoolbox/traintestSUNRGBD/allsplit.mat"
_MAKERS_FOLDER = "/n/fs/sun3d/data"
"""What paths in the split file begin with."""


@dataclass(frozen=True)
class SunEntry(Entry):
    folder: Path


class SunRgbd(Dataset[SunEntry]):
    """Images at their native sizes. The scene is the kind of camera.

    Args:
        split: `test` (5050), `train` (5285), or `all` that is there, which needs no split file.
        depth: `refined` (depth_bfx, of the benchmark) or `raw`.
    """

    name = "sun_rgbd"
    tree = f"""
{_SPLIT_FILE}   (not for split=all)
SUNRGBD/CAMERA/.../FRAME/
    image/*.jpg
    depth_bfx/*.png     (or depth/*.png with depth=raw)
    intrinsics.txt
"""

    def __init__(self, root: Path, *, split: str = "test", depth: str = "refined") -> None:
        self._split = one_of("split", split, ("test", "train", "all"))
        self._depth = "depth_bfx" if one_of("depth", depth, ("refined", "raw")) == "refined" else "depth"
        super().__init__(root)

    def _find(self) -> Iterator[SunEntry]:
        if self._split == "all":
            paths = sorted(path.parent for path in (self.root / "SUNRGBD").rglob("intrinsics.txt"))
        else:
            names = read_strings(self.root / _SPLIT_FILE, f"all{self._split}")
            paths = [self.root / name.removeprefix(_MAKERS_FOLDER).strip("/") for name in names]
        for path in paths:
            inside = path.relative_to(self.root).parts
            if len(inside) < 3 or inside[0] != "SUNRGBD":
                raise InputError(f"{path} is no frame of SUN RGB-D, expected SUNRGBD/CAMERA/.../FRAME")
            yield SunEntry("/".join(inside[1:]), inside[1], path)

    def _read(self, entry: SunEntry) -> DatasetFrame:
        rgb = read_rgb(_only(entry.folder / "image", "*.jpg"))
        depth = read_sun_depth(_only(entry.folder / self._depth, "*.png"))
        k = read_numbers(entry.folder / "intrinsics.txt", 9).reshape(3, 3)
        intrinsics = intrinsics_of(k, rgb.shape[1], rgb.shape[0])
        return DatasetFrame(entry.id, entry.scene, rgb, depth, fx_px=intrinsics.fx, intrinsics=intrinsics)


def _only(folder: Path, pattern: str) -> Path:
    files = sorted(folder.glob(pattern))
    if len(files) != 1:
        raise MissingFile(f"{folder} holds {len(files)} files {pattern}, expected one")
    return files[0]
