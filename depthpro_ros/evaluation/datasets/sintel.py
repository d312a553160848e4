# SPDX-License-Identifier: Apache-2.0
"""MPI Sintel (Butler et al. 2012): frames of an animated film with exact depth, whose metres are nominal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from depthpro_ros.evaluation.datasets.dataset import Dataset, Entry, folders, one_of
from depthpro_ros.evaluation.datasets.formats.cameras import intrinsics_of
from depthpro_ros.evaluation.datasets.formats.images import read_rgb
from depthpro_ros.evaluation.datasets.formats.sintel import read_cam, read_dpt
from depthpro_ros.evaluation.datasets.frame import DatasetFrame, Extras


@dataclass(frozen=True)
class SintelEntry(Entry):
    image: Path
    depth: Path
    camera: Path


class Sintel(Dataset[SintelEntry]):
    """All training scenes. Sky is a finite depth, far beyond everything: leave it out by a cap.

    Args:
        render: `final`, with motion blur and haze, or `clean`.
    """

    name = "sintel"
    tree = """
training/
    final/SCENE/frame_0001.png      (or clean)
    depth/SCENE/frame_0001.dpt
    camdata_left/SCENE/frame_0001.cam
"""

    def __init__(self, root: Path, *, render: str = "final") -> None:
        self._render = one_of("render", render, ("final", "clean"))
        super().__init__(root)

    def _find(self) -> Iterator[SintelEntry]:
        training = self.root / "training"
        for scene in folders(training / self._render):
            for image in sorted(scene.glob("frame_*.png")):
                depth = training / "depth" / scene.name / f"{image.stem}.dpt"
                camera = training / "camdata_left" / scene.name / f"{image.stem}.cam"
                yield SintelEntry(f"{scene.name}/{image.stem}", scene.name, image, depth, camera)

    def _read(self, entry: SintelEntry) -> DatasetFrame:
        rgb = read_rgb(entry.image)
        depth = read_dpt(entry.depth)
        camera = read_cam(entry.camera)
        intrinsics = intrinsics_of(camera.k, rgb.shape[1], rgb.shape[0])
        return DatasetFrame(
            entry.id,
            entry.scene,
            rgb,
            np.where(np.isfinite(depth) & (depth > 0), depth, np.float32(np.nan)),
            fx_px=intrinsics.fx,
            intrinsics=intrinsics,
            extras=Extras(camera_to_world=camera.camera_to_world),
        )
