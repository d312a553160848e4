# SPDX-License-Identifier: Apache-2.0
"""Spring (Mehl et al. 2023): frames of an animated film with exact, fine depth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.dataset import Dataset, Entry, folders
from depthpro_ros.evaluation.datasets.formats.disparity import disparity_to_depth
from depthpro_ros.evaluation.datasets.formats.files import read_numbers
from depthpro_ros.evaluation.datasets.formats.hdf5 import read_dsp5
from depthpro_ros.evaluation.datasets.formats.images import read_rgb
from depthpro_ros.evaluation.datasets.frame import DatasetFrame

BASELINE_M = 0.065


@dataclass(frozen=True)
class SpringEntry(Entry):
    image: Path
    disparity: Path
    intrinsics: Path
    row: int


class Spring(Dataset[SpringEntry]):
    """Left images of the training sequences. Disparity is stored at twice the size: every other pixel is used."""

    name = "spring"
    tree = """
train/0001/
    frame_left/frame_left_0001.png
    disp1_left/disp1_left_0001.dsp5
    cam_data/intrinsics.txt         (a row fx fy cx cy for each frame)
"""

    def _find(self) -> Iterator[SpringEntry]:
        for sequence in folders(self.root / "train"):
            intrinsics = sequence / "cam_data" / "intrinsics.txt"
            for image in sorted((sequence / "frame_left").glob("frame_left_*.png")):
                number = image.stem.removeprefix("frame_left_")
                if not number.isdigit():
                    raise InputError(f"{image} has no number, expected frame_left_0001.png")
                disparity = sequence / "disp1_left" / f"disp1_left_{number}.dsp5"
                yield SpringEntry(
                    f"{sequence.name}/{number}", sequence.name, image, disparity, intrinsics, int(number) - 1
                )

    def _read(self, entry: SpringEntry) -> DatasetFrame:
        rgb = read_rgb(entry.image)
        numbers = read_numbers(entry.intrinsics)
        if len(numbers) % 4 or len(numbers) < 4 * (entry.row + 1):
            raise InputError(f"{entry.intrinsics} has {len(numbers)} numbers, expected four for each frame")
        fx, fy, cx, cy = (float(number) for number in numbers.reshape(-1, 4)[entry.row])
        intrinsics = Intrinsics(rgb.shape[1], rgb.shape[0], fx, fy, cx, cy)
        depth = disparity_to_depth(read_dsp5(entry.disparity)[::2, ::2], fx, BASELINE_M)
        return DatasetFrame(entry.id, entry.scene, rgb, depth, fx_px=fx, intrinsics=intrinsics)
