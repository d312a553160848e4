# SPDX-License-Identifier: Apache-2.0
"""iBims-1 (Koch et al. 2018): 100 photographs with laser depth, marked depth edges and planes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.dataset import Dataset, Entry
from depthpro_ros.evaluation.datasets.formats.cameras import intrinsics_of
from depthpro_ros.evaluation.datasets.formats.files import parse_numbers, read_lines, read_numbers
from depthpro_ros.evaluation.datasets.formats.images import FloatMap, read_grey, read_rgb, read_u16
from depthpro_ros.evaluation.datasets.formats.matlab import read_mat, variable
from depthpro_ros.evaluation.datasets.frame import DatasetFrame, Extras, Plane, PlaneKind

KINDS: tuple[PlaneKind, ...] = get_args(PlaneKind)
PNG_UNITS_PER_METRE = 65535 / 50


@dataclass(frozen=True)
class IbimsEntry(Entry):
    """The .mat file, or None in a folder of PNG files."""

    mat: Path | None


class Ibims1(Dataset[IbimsEntry]):
    """Both forms, the .mat files and the PNG folders. Pixels that are invalid or see-through are unknown."""

    name = "ibims1"
    tree = """
*.mat                   (ibims1_core_mat)
or, of ibims1_core_raw,
imagelist.txt
rgb/NAME.png            calib/NAME.txt
depth/NAME.png          edges/NAME.png
mask_invalid/NAME.png   mask_transp/NAME.png
mask_wall/NAME.png and NAME.txt, mask_table, mask_floor     (where the image has such planes)
"""

    def _find(self) -> Iterator[IbimsEntry]:
        if (self.root / "rgb").is_dir():
            for name in read_lines(self.root / "imagelist.txt"):
                yield IbimsEntry(name, "ibims1", None)
        else:
            for path in sorted(self.root.glob("*.mat")):
                yield IbimsEntry(path.stem, "ibims1", path)

    def _read(self, entry: IbimsEntry) -> DatasetFrame:
        return self._read_png(entry) if entry.mat is None else _read_mat(entry, entry.mat)

    def _read_png(self, entry: IbimsEntry) -> DatasetFrame:
        file = f"{entry.id}.png"
        rgb = read_rgb(self.root / "rgb" / file)
        fx, fy, cx, cy = read_numbers(self.root / "calib" / f"{entry.id}.txt", 4)
        planes: list[Plane] = []
        for kind in KINDS:
            masks, rows = self.root / f"mask_{kind}" / file, self.root / f"mask_{kind}" / f"{entry.id}.txt"
            if masks.is_file() and rows.is_file():
                parameters = [parse_numbers(line, str(rows)) for line in read_lines(rows)]
                planes += _planes(kind, read_grey(masks), np.array(parameters))
        edges = self.root / "edges" / file
        return _frame(
            entry,
            rgb,
            (read_u16(self.root / "depth" / file) / PNG_UNITS_PER_METRE).astype(np.float32),
            (read_grey(self.root / "mask_invalid" / file) > 0) & (read_grey(self.root / "mask_transp" / file) > 0),
            Intrinsics(rgb.shape[1], rgb.shape[0], float(fx), float(fy), float(cx), float(cy)),
            read_grey(edges) > 0 if edges.is_file() else None,
            planes,
        )


def _read_mat(entry: IbimsEntry, path: Path) -> DatasetFrame:
    data = variable(read_mat(path), "data", path)[0, 0]
    fields = {name: data[name] for name in data.dtype.names or ()}
    rgb = np.ascontiguousarray(variable(fields, "rgb", path), np.uint8)
    planes: list[Plane] = []
    for kind in KINDS:
        if f"mask_{kind}" in fields and f"mask_{kind}_paras" in fields:
            planes += _planes(kind, fields[f"mask_{kind}"], np.asarray(fields[f"mask_{kind}_paras"], np.float64))
    # the matrix is stored transposed
    k = np.asarray(variable(fields, "calib", path), np.float64).T
    return _frame(
        entry,
        rgb,
        np.asarray(variable(fields, "depth", path), np.float32),
        (variable(fields, "mask_invalid", path) > 0) & (variable(fields, "mask_transp", path) > 0),
        intrinsics_of(k, rgb.shape[1], rgb.shape[0]),
        np.asarray(fields["edges"]) > 0 if "edges" in fields else None,
        planes,
    )


def _planes(kind: PlaneKind, labels: NDArray[np.generic], rows: NDArray[np.float64]) -> list[Plane]:
    """Row j belongs to label j + 1."""
    if rows.size == 0:
        return []
    if rows.ndim != 2 or rows.shape[1] < 7:
        raise InputError(f"planes of kind {kind} have parameters {list(rows.shape)}, expected [planes, at least 7]")
    return [Plane(kind, np.asarray(labels) == label, row) for label, row in enumerate(rows, 1)]


def _frame(
    entry: IbimsEntry,
    rgb: NDArray[np.uint8],
    depth: FloatMap,
    keep: NDArray[np.bool_],
    intrinsics: Intrinsics,
    edges: NDArray[np.bool_] | None,
    planes: list[Plane],
) -> DatasetFrame:
    if keep.shape != depth.shape:
        raise InputError(f"masks are {list(keep.shape)}, depth is {list(depth.shape)}: expected one size")
    return DatasetFrame(
        entry.id,
        entry.scene,
        rgb,
        np.where(keep & (depth > 0), depth, np.float32(np.nan)),
        fx_px=intrinsics.fx,
        intrinsics=intrinsics,
        extras=Extras(edges=edges, planes=tuple(planes)),
    )
