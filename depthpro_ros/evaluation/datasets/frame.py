# SPDX-License-Identifier: Apache-2.0
"""What every data set gives: a photograph and all that is known about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError

PlaneKind = Literal["wall", "table", "floor"]


@dataclass(frozen=True)
class Plane:
    """A flat part of the scene (iBims-1).

    Attributes:
        mask: bool [H, W].
        parameters: the row of the data set's file, float64 [at least 7].
    """

    kind: PlaneKind
    mask: NDArray[np.bool_]
    parameters: NDArray[np.float64]

    @property
    def normal(self) -> NDArray[np.float64]:
        """Float64 [3], in the axes of iBims-1's scripts: right, forward, up."""
        return self.parameters[4:7]


@dataclass(frozen=True)
class Extras:
    """What only some data sets know; None where this one does not.

    Attributes:
        camera_to_world: pose of the optical frame, float64 [4, 4].
        stamp_s: when the photograph was taken.
        edges: marked depth edges, bool [H, W].
        planes: marked planes.
        materials: class of each pixel's material, uint8 [H, W] (Booster).
    """

    camera_to_world: NDArray[np.float64] | None = None
    stamp_s: float | None = None
    edges: NDArray[np.bool_] | None = None
    planes: tuple[Plane, ...] | None = None
    materials: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class DatasetFrame:
    """One photograph of a data set.

    Attributes:
        id: unique in the data set, the same on every machine.
        scene: what results are grouped by.
        rgb: uint8 [H, W, 3].
        depth_m: float32 [H, W], depth along the optical axis in metres, NaN where it is unknown or the data set's
            own masks exclude it; no range is applied. None for matting sets and photographs.
        alpha: opacity of the foreground in [0, 1], float32 [H, W], of matting and segmentation sets; else None.
        fx_px: horizontal focal length in pixels of this image's width; None where it is unknown.
        intrinsics: None where more than the focal length is not known, or the lens is no pinhole.
        extras: what only some data sets know.

    Raises:
        InputError: another dtype, shapes that differ, or a focal length that is not finite and above 0.
    """

    id: str
    scene: str
    rgb: NDArray[np.uint8]
    depth_m: NDArray[np.float32] | None = None
    alpha: NDArray[np.float32] | None = None
    fx_px: float | None = None
    intrinsics: Intrinsics | None = None
    extras: Extras = field(default_factory=Extras)

    def __post_init__(self) -> None:
        if self.rgb.dtype != np.uint8 or self.rgb.ndim != 3 or self.rgb.shape[2] != 3:
            raise InputError(f"rgb is {self.rgb.dtype} {list(self.rgb.shape)}, expected uint8 [H, W, 3]")
        for name, image in (("depth_m", self.depth_m), ("alpha", self.alpha)):
            if image is not None and (image.dtype != np.float32 or image.shape != self.rgb.shape[:2]):
                raise InputError(
                    f"{name} is {image.dtype} {list(image.shape)}, expected float32 {list(self.rgb.shape[:2])} "
                    "like the photograph: do the files belong together?"
                )
        if self.fx_px is not None and not (np.isfinite(self.fx_px) and self.fx_px > 0):
            raise InputError(f"fx_px is {self.fx_px}, expected a finite number of pixels above 0")
