# SPDX-License-Identifier: Apache-2.0
"""Images with measured depth: what data sets give, for training and for evaluation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError


@dataclass(frozen=True)
class RgbdFrame:
    """One photograph and the depth of its pixels.

    Attributes:
        rgb: uint8 [H, W, 3].
        depth_m: float32 [H, W], depth along the optical axis in metres; NaN where it is unknown, +inf for sky.
        fx_px: horizontal focal length in pixels of this image's width.

    Raises:
        InputError: another shape or dtype, or a focal length that is not finite and above 0.
    """

    rgb: NDArray[np.uint8]
    depth_m: NDArray[np.float32]
    fx_px: float

    def __post_init__(self) -> None:
        if self.rgb.dtype != np.uint8 or self.rgb.ndim != 3 or self.rgb.shape[2] != 3 or self.rgb.size == 0:
            raise InputError(f"rgb is {self.rgb.dtype} {list(self.rgb.shape)}, expected uint8 [H, W, 3], not empty")
        if self.depth_m.dtype != np.float32 or self.depth_m.shape != self.rgb.shape[:2]:
            raise InputError(
                f"depth_m is {self.depth_m.dtype} {list(self.depth_m.shape)}, expected float32 "
                f"{list(self.rgb.shape[:2])} like the image: convert it to metres at the image's size"
            )
        if not (np.isfinite(self.fx_px) and self.fx_px > 0):
            raise InputError(f"fx_px is {self.fx_px}, expected a finite number of pixels above 0")

    @property
    def fov_deg(self) -> float:
        """Horizontal field of view, 2 atan(W / 2 fx), degrees."""
        return math.degrees(2 * math.atan(0.5 * self.rgb.shape[1] / self.fx_px))


class FrameSet(Protocol):
    """Frames by number; reading one costs its file only."""

    @property
    def name(self) -> str:
        """What reports call this set."""
        ...

    def __len__(self) -> int: ...

    def frame(self, index: int) -> RgbdFrame:
        """Read the frame with this number, 0 to `len(self) - 1`."""
        ...
