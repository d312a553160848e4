# SPDX-License-Identifier: Apache-2.0
"""ETH3D's high-resolution photographs (Schöps et al. 2017), with depth from a laser scanner."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.dataset import Dataset, Entry, folders, one_of
from depthpro_ros.evaluation.datasets.formats.cameras import read_colmap_cameras, read_colmap_image_cameras
from depthpro_ros.evaluation.datasets.formats.images import read_rgb
from depthpro_ros.evaluation.datasets.formats.raw import read_raw_depth
from depthpro_ros.evaluation.datasets.frame import DatasetFrame


@dataclass(frozen=True)
class Eth3dEntry(Entry):
    image: Path
    depth: Path
    folder: Path


class Eth3d(Dataset[Eth3dEntry]):
    """The distorted DSLR photographs, which the depth is for. No pinhole describes them: only a focal length is given.

    Args:
        calibration: `undistorted` takes the pinhole camera of the undistorted photograph, its focal length scaled to
            the distorted one's width, which is close; `jpg` takes fx of the distorted camera's own model.
    """

    name = "eth3d"
    tree = """
SCENE/
    images/dslr_images/DSC_0001.JPG
    ground_truth_depth/dslr_images/DSC_0001.JPG     (float32 in spite of its name)
    dslr_calibration_undistorted/cameras.txt, images.txt
or  dslr_calibration_jpg/cameras.txt, images.txt    with calibration=jpg
"""

    def __init__(self, root: Path, *, calibration: str = "undistorted") -> None:
        self._calibration = f"dslr_calibration_{one_of('calibration', calibration, ('undistorted', 'jpg'))}"
        super().__init__(root)

    def _find(self) -> Iterator[Eth3dEntry]:
        for scene in folders(self.root):
            for depth in sorted((scene / "ground_truth_depth" / "dslr_images").glob("*.JPG")):
                image = scene / "images" / "dslr_images" / depth.name
                yield Eth3dEntry(f"{scene.name}/{depth.stem}", scene.name, image, depth, scene)

    def _read(self, entry: Eth3dEntry) -> DatasetFrame:
        rgb = read_rgb(entry.image)
        height, width = rgb.shape[:2]
        depth = read_raw_depth(entry.depth, width, height)
        return DatasetFrame(entry.id, entry.scene, rgb, depth, fx_px=self._focal_px(entry, width))

    def _focal_px(self, entry: Eth3dEntry, width: int) -> float:
        calibration = entry.folder / self._calibration
        numbers = read_colmap_image_cameras(calibration / "images.txt")
        cameras = read_colmap_cameras(calibration / "cameras.txt")
        camera = cameras.get(numbers.get(entry.image.name, -1))
        if camera is None:
            raise InputError(f"{calibration} names no camera for {entry.image.name}")
        return camera.fx_px * width / camera.width
