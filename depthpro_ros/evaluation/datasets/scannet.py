# SPDX-License-Identifier: Apache-2.0
"""ScanNet (Dai et al. 2017): rooms, from a depth camera on a tablet, as .sens files or exported folders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depthpro_ros.evaluation.datasets.dataset import Dataset, Entry, folders
from depthpro_ros.evaluation.datasets.formats.cameras import intrinsics_of
from depthpro_ros.evaluation.datasets.formats.files import read_numbers
from depthpro_ros.evaluation.datasets.formats.images import FloatMap, read_depth_png, read_rgb
from depthpro_ros.evaluation.datasets.formats.sens import SensFile, SensFrame, read_sens
from depthpro_ros.evaluation.datasets.frame import DatasetFrame, Extras


@dataclass(frozen=True)
class ScanNetEntry(Entry):
    """A frame of a recording, or of an exported folder."""

    source: tuple[SensFile, SensFrame] | Path


class ScanNet(Dataset[ScanNetEntry]):
    """The colour image is brought to the depth map's size, 640 x 480, by area: the two cameras' views are alike."""

    name = "scannet"
    tree = """
scene0000_00/scene0000_00.sens
or, exported,
scene0000_00/
    color/0.jpg
    depth/0.png
    pose/0.txt
    intrinsic/intrinsic_color.txt
"""

    def _find(self) -> Iterator[ScanNetEntry]:
        for scene in folders(self.root):
            recording = scene / f"{scene.name}.sens"
            if recording.is_file():
                sens = read_sens(recording)
                for frame in sens.frames:
                    yield ScanNetEntry(f"{scene.name}/{frame.number}", scene.name, (sens, frame))
            else:
                numbered = [path for path in (scene / "color").glob("*.jpg") if path.stem.isdigit()]
                for image in sorted(numbered, key=lambda path: int(path.stem)):
                    yield ScanNetEntry(f"{scene.name}/{image.stem}", scene.name, image)

    def _read(self, entry: ScanNetEntry) -> DatasetFrame:
        if isinstance(entry.source, Path):
            image, scene = entry.source, entry.source.parents[1]
            rgb = read_rgb(image)
            depth = read_depth_png(scene / "depth" / f"{image.stem}.png", 1000)
            k = read_numbers(scene / "intrinsic" / "intrinsic_color.txt", 16).reshape(4, 4)
            pose = read_numbers(scene / "pose" / f"{image.stem}.txt", 16).reshape(4, 4)
        else:
            sens, frame = entry.source
            rgb, depth = sens.read(frame)
            k, pose = sens.colour_k, frame.camera_to_world
        return _frame(entry, rgb, depth, k, pose)


def _frame(
    entry: ScanNetEntry,
    colour: NDArray[np.uint8],
    depth: FloatMap,
    k: NDArray[np.float64],
    pose: NDArray[np.float64],
) -> DatasetFrame:
    height, width = depth.shape
    intrinsics = intrinsics_of(k, colour.shape[1], colour.shape[0]).resized(width, height)
    rgb = np.asarray(cv2.resize(colour, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    # a pose that is not finite says that tracking was lost
    extras = Extras(camera_to_world=pose if np.isfinite(pose).all() else None)
    return DatasetFrame(entry.id, entry.scene, rgb, depth, fx_px=intrinsics.fx, intrinsics=intrinsics, extras=extras)
