# SPDX-License-Identifier: Apache-2.0
"""A little world in which depth can be read from the image, so that every figure is known beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from depthpro_ros.models.estimator import EstimatorInfo, Prediction
from test.bag_writer import BagWriter

WIDTH, HEIGHT, FX = 48, 32, 40.0
FIRST_NS = 100 * 10**9
PERIOD_NS = 10**8
IMAGE, INFO, TRUTH = "/camera/image_raw", "/camera/camera_info", "/camera/aligned_depth/image_raw"


def scene(number: int = 0) -> np.ndarray:
    """Decimetres of a slope with a box before it, uint8 [H, W]; another one for each number."""
    decimetres = np.full((HEIGHT, WIDTH), 40, np.uint8) + np.arange(HEIGHT, dtype=np.uint8)[:, None]
    decimetres[8:20, 10 + number % 10 : 26 + number % 10] = 20
    return decimetres


def image_of(decimetres: np.ndarray) -> np.ndarray:
    """The image of a scene: its depth in every channel."""
    return np.repeat(decimetres[..., None], 3, axis=2)


def stamp(number: int) -> int:
    return FIRST_NS + number * PERIOD_NS


def write_bag(
    path: Path,
    count: int = 6,
    *,
    storage: str = "mcap",
    without_truth: Sequence[int] = (),
    info: bool = True,
    truth: bool = True,
    truth_shift_ns: int = 0,
    damaged: Sequence[int] = (),
) -> Path:
    """A bag of `count` frames, 0.1 s apart."""
    with BagWriter(path, storage) as bag:
        for number in range(count):
            decimetres = scene(number)
            if info:
                bag.info(INFO, stamp(number), FX, width=WIDTH, height=HEIGHT, centre=(23.5, 15.5))
            pixels = image_of(decimetres)
            bag.image(IMAGE, stamp(number), pixels, "rgb8" if number not in damaged else "yuv999")
            if truth and number not in without_truth:
                depth_mm = decimetres.astype(np.uint16) * 100
                bag.image(TRUTH, stamp(number) + truth_shift_ns, depth_mm, "16UC1")
    return bag.path


@dataclass
class ReadsDepth:
    """An estimator that reads the depth from the image and is wrong by a known factor.

    Attributes:
        factor: of the depth, with the true focal length.
        focal_px: its estimates, one after another, the last one for ever.
        calls: how many frames it saw.
        fails_at: number of the call at which somebody presses Ctrl-C; -1 for never.
    """

    factor: float = 1.0
    focal_px: Sequence[float] = (FX,)
    calls: int = 0
    fails_at: int = -1
    estimates: int = 0
    info: EstimatorInfo = field(default_factory=lambda: EstimatorInfo("reads_depth", "", 1, "cpu", "float32"))

    def predict(self, rgb, focal_px=None) -> Prediction:
        if self.calls == self.fails_at:
            raise KeyboardInterrupt
        self.calls += 1
        focal = focal_px
        if focal is None:
            focal = self.focal_px[min(self.estimates, len(self.focal_px) - 1)]
            self.estimates += 1
        metres = torch.from_numpy(np.asarray(rgb)[..., 0].astype(np.float32) / 10)
        depth_m = metres * self.factor * (focal / FX)
        fov = None if focal_px is not None else torch.tensor(60.0)
        return Prediction(depth_m, torch.tensor(float(focal)), fov)
