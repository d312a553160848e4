# SPDX-License-Identifier: Apache-2.0
"""A camera frame before and after the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from depthpro_ros.camera import CameraModel, Intrinsics
from depthpro_ros.errors import CameraError, InputError
from depthpro_ros.frame_scale import FrameScale

FocalSource = Literal["camera_info", "estimated", "fixed"]


@dataclass(frozen=True)
class Wanted:
    """Which results somebody waits for; the others are not computed. Depth up to scale costs nothing more."""

    depth: bool = True
    cloud: bool = True
    confidence: bool = True
    scale: bool = True


@dataclass(frozen=True)
class Prepared:
    """A frame that waits for the network.

    Attributes:
        rgb: uint8 [H, W, 3], rectified if that was asked for.
        camera: its calibration, or None.
        known: the camera to use where it does not depend on this frame's estimate; else None.
        focal_source: whose focal length is used, if there is one.
        focal_px: what to give to the network: None makes it estimate, if it can.
    """

    rgb: NDArray[np.uint8]
    camera: CameraModel | None
    known: Intrinsics | None
    focal_source: FocalSource
    focal_px: float | None


@dataclass(frozen=True)
class DepthFrame:
    """Everything known about one image.

    Attributes:
        depth_m: float32 [H, W], z-depth in metres; +Inf too far, -Inf too near, NaN not trusted. None while nobody
            knows the scale, which only happens with a model up to scale or with a scale source.
        rgb: uint8 [H, W, 3], the image that the depth belongs to (rectified if that was asked for).
        intrinsics: the camera actually used, for the size of the depth; None where none is known, which only
            depth up to scale can do without.
        camera: what to publish beside the depth: `intrinsics`, with the distortion that is still there.
        focal_source: where its focal length comes from.
        cloud: float32 [h, w, 4] organised or [N, 4], as `depthpro_ros.cloud` packs it; None if not wanted, and
            without metres or a camera.
        estimated: the field-of-view network's own pinhole for this frame; None where it did not run.
        model_ms: time in the estimator, milliseconds.
        relative_depth: float32 [H, W], z-depth without a unit, 0 to 1; NaN where there is none. None of a metric model.
        confidence: float32 [H, W], 0 to 1. Of a metric model's depth `depthpro_ros.confidence` says it, 0 where
            `depth_m` is not finite, None without `depth_m`. Of depth up to scale it is 1 / (1 + relative standard
            deviation of several draws), None where the model drew one. None if not wanted.
        scale: how `depth_m` got its metres, or why there are none; None where the model knows them, or if not wanted.
    """

    depth_m: Tensor | None
    rgb: NDArray[np.uint8]
    intrinsics: Intrinsics | None
    camera: CameraModel | None
    focal_source: FocalSource | None
    cloud: Tensor | None
    estimated: Intrinsics | None
    model_ms: float
    relative_depth: Tensor | None = None
    confidence: Tensor | None = None
    scale: FrameScale | None = None

    @property
    def metres(self) -> Tensor:
        """`depth_m` for those who need metres.

        Raises:
            InputError: there are none; says why.
        """
        if self.depth_m is None:
            reason = self.scale.reason if self.scale is not None else "nobody asked for metres"
            raise InputError(f"this frame's depth is not in metres: {reason}")
        return self.depth_m

    @property
    def pinhole(self) -> Intrinsics:
        """`intrinsics` for those who need a camera.

        Raises:
            CameraError: none is known.
        """
        if self.intrinsics is None:
            raise CameraError(
                "no focal length is known, and a model up to scale estimates none: publish a calibrated CameraInfo, "
                "or give a fixed focal length"
            )
        return self.intrinsics

    @property
    def device(self) -> torch.device:
        """Where the depth is."""
        depth = self.relative_depth if self.depth_m is None else self.depth_m
        return torch.device("cpu") if depth is None else depth.device
