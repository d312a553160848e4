# SPDX-License-Identifier: Apache-2.0
"""Images to measure with: rendered scenes, and photographs where the packages that hold them are installed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depthpro_ros.camera import CameraModel, Intrinsics
from depthpro_ros.demo.photographs import photographs
from depthpro_ros.errors import InputError
from depthpro_ros.scenes.render import render_scenes

FIRST_SEED = 11
PHOTOGRAPH_FOCAL = 0.8
"""Focal lengths of the photographs are unknown; this many widths is assumed, which only scales depth."""


@dataclass(frozen=True)
class Picture:
    """An image with the focal length that is given to the model.

    Attributes:
        name: where it comes from.
        rgb: uint8 [H, W, 3].
        focal_px: in pixels of its width.
    """

    name: str
    rgb: NDArray[np.uint8]
    focal_px: float

    @property
    def camera(self) -> CameraModel:
        """Its calibration: a pinhole."""
        height, width = self.rgb.shape[:2]
        return CameraModel.from_intrinsics(Intrinsics.from_focal(width, height, self.focal_px))

    def squashed(self, width: int, height: int) -> Picture:
        """The same picture in another size, which need not have its shape."""
        rgb = np.asarray(cv2.resize(self.rgb, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
        return Picture(self.name, rgb, self.focal_px * width / self.rgb.shape[1])


def scenes(count: int, width: int, height: int) -> list[Picture]:
    """Rendered scenes, the same ones always."""
    batch = render_scenes(range(FIRST_SEED, FIRST_SEED + count), height=height, width=width)
    return [
        Picture(f"scene {FIRST_SEED + index}", batch.rgb[index].numpy(), float(batch.focal_px[index]))
        for index in range(count)
    ]


def known_photographs() -> list[Picture]:
    """The demo's photographs; none where scikit-image is missing."""
    try:
        return [Picture(name, rgb.copy(), PHOTOGRAPH_FOCAL * rgb.shape[1]) for name, rgb in photographs()]
    except InputError:
        return []
