# SPDX-License-Identifier: Apache-2.0
"""A small picture of a frame, with depth that can still be read in metres and turned into points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.masks import FloatMap, usable

WIDTH_PX = 128
JPEG_QUALITY = 85
STEP = 0.001
NEAREST_M = 0.001
UNKNOWN, INFINITE = 0, 65535


def encode_depth(depth_m: FloatMap) -> NDArray[np.uint16]:
    """Logarithm of depth in steps of a thousandth: 1 is 1 mm, 1 + 1000 ln(10) is 1 cm; 0 unknown, 65535 infinite."""
    known = usable(depth_m)
    with np.errstate(divide="ignore", invalid="ignore"):
        code = 1 + np.rint(np.log(np.where(known, depth_m, NEAREST_M).astype(np.float64) / NEAREST_M) / STEP)
    code = np.where(known, np.clip(code, 1, INFINITE - 1), UNKNOWN)
    return np.where(np.isposinf(depth_m), INFINITE, code).astype(np.uint16)


def decode_depth(code: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Metres, to a twentieth of a percent; NaN unknown."""
    depth = NEAREST_M * np.exp(STEP * (code.astype(np.float64) - 1))
    return np.where(code == UNKNOWN, np.nan, np.where(code == INFINITE, np.inf, depth)).astype(np.float32)


@dataclass(frozen=True)
class Thumbnail:
    """A frame, `WIDTH_PX` wide or less.

    Attributes:
        jpeg: the photograph, shrunk.
        predicted: codes of the predicted depth [h, w], each of one pixel of the frame (see `encode_depth`).
        truth: of the ground truth, same pixels; None without.
        focal: fx, fy, cx, cy in pixels of the thumbnail; what the prediction was made with. NaN where that is not
            known.
        step: thumbnail pixel (u, v) shows the frame's pixel (round(u step), round(v step)).
    """

    jpeg: bytes
    predicted: NDArray[np.uint16]
    truth: NDArray[np.uint16] | None
    focal: tuple[float, float, float, float]
    step: float

    @classmethod
    def of(
        cls, rgb: NDArray[np.uint8], predicted_m: FloatMap, truth_m: FloatMap | None, intrinsics: Intrinsics | None
    ) -> Thumbnail:
        """Shrink a frame.

        Args:
            rgb: uint8 [H, W, 3].
            predicted_m, truth_m: [H, W] metres.
            intrinsics: of the frame's size; None where they are not known.
        """
        height, width = predicted_m.shape
        step = max(width / WIDTH_PX, 1.0)
        small = max(1, round(width / step)), max(1, round(height / step))
        u = np.minimum(np.rint(np.arange(small[0]) * step).astype(np.intp), width - 1)
        v = np.minimum(np.rint(np.arange(small[1]) * step).astype(np.intp), height - 1)
        picture = cv2.resize(np.ascontiguousarray(rgb[..., ::-1]), small, interpolation=cv2.INTER_AREA)
        done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        if not done:
            raise InputError(f"a picture of {small[0]}x{small[1]} could not be encoded as JPEG")
        focal = (math.nan,) * 4
        if intrinsics is not None:
            i = intrinsics
            focal = i.fx / step, i.fy / step, i.cx / step, i.cy / step
        return cls(
            jpeg.tobytes(),
            encode_depth(predicted_m[v[:, None], u]),
            None if truth_m is None else encode_depth(truth_m[v[:, None], u]),
            focal,
            step,
        )

    def save(self, path: Path) -> None:
        """Write as .npz."""
        truth = np.zeros((0, 0), np.uint16) if self.truth is None else self.truth
        jpeg = np.frombuffer(self.jpeg, np.uint8)
        with path.open("wb") as file:
            np.savez_compressed(
                file, jpeg=jpeg, predicted=self.predicted, truth=truth, camera=np.array([*self.focal, self.step])
            )

    @classmethod
    def load(cls, path: Path) -> Thumbnail:
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            *focal, step = arrays["camera"].tolist()
            truth = arrays["truth"] if arrays["truth"].size else None
            return cls(
                arrays["jpeg"].tobytes(), arrays["predicted"], truth, (focal[0], focal[1], focal[2], focal[3]), step
            )
