# SPDX-License-Identifier: Apache-2.0
"""What a user may choose about one camera's frames."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from depthpro_ros.errors import InputError
from depthpro_ros.scale_settings import ScaleSettings

FocalPolicy = Literal["auto", "camera_info", "estimated", "fixed"]
EstimatePolicy = Literal["auto", "always", "never"]
EdgePolicy = Literal["off", "cloud", "all"]
FarPolicy = Literal["drop", "shell"]
FINEST_VOXELS = 100_000
"""As many along the greatest depth at most; `depthpro_ros.voxels` can number ten times as many."""


@dataclass(frozen=True)
class PipelineSettings(ScaleSettings):
    """What a user may choose; where the scale comes from is said by `ScaleSettings`.

    Attributes:
        focal_policy: where the focal length comes from. `auto`: CameraInfo where it is calibrated, else
            the network's estimate.
        fixed_focal_px: focal length for `fixed`, in pixels of the image's width.
        estimate: when the field-of-view network runs: `auto` only where the focal is wanted.
        focal_check_every: once the focal filter has locked, `auto` estimates every this many frames, and on
            each frame while the estimates contradict the lock.
        rectify: undo lens distortion first (needs a calibrated camera).
        input_rectified: the images are rectified already, so P describes them rather than K.
        min_depth_m, max_depth_m: nearer is -Inf, farther +Inf (REP 117).
        edge_filter: where flying pixels at depth edges become NaN: nowhere, in the cloud, or in the depth
            image too.
        edge_ratio: depth step that is an edge, relative to the depth.
        cloud_stride: every n-th pixel of every n-th row becomes a point.
        cloud_organised: keep the grid, with NaN where there is no point; else finite points only.
        cloud_voxel_m: edge of the cubes whose points become one, metres; the cloud is not organised then. 0 is off.
        cloud_far: what is farther than `max_depth_m` is left out of the cloud (`drop`), or becomes points at that
            depth on their rays (`shell`).
    """

    focal_policy: FocalPolicy = "auto"
    fixed_focal_px: float = 0.0
    estimate: EstimatePolicy = "auto"
    focal_check_every: int = 30
    rectify: bool = False
    input_rectified: bool = False
    min_depth_m: float = 0.0
    max_depth_m: float = 80.0
    edge_filter: EdgePolicy = "cloud"
    edge_ratio: float = 0.1
    cloud_stride: int = 1
    cloud_organised: bool = True
    cloud_voxel_m: float = 0.0
    cloud_far: FarPolicy = "drop"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.focal_policy == "fixed" and not (self.fixed_focal_px > 0 and math.isfinite(self.fixed_focal_px)):
            raise InputError(f"focal_policy 'fixed' needs fixed_focal_px above 0 pixels, it is {self.fixed_focal_px}")
        if not 0 <= self.min_depth_m < self.max_depth_m:
            raise InputError(
                f"min_depth_m {self.min_depth_m} and max_depth_m {self.max_depth_m} must satisfy 0 <= min < max"
            )
        if self.cloud_stride < 1:
            raise InputError(f"cloud_stride {self.cloud_stride} must be at least 1")
        if self.cloud_voxel_m and not self.max_depth_m / FINEST_VOXELS <= self.cloud_voxel_m < math.inf:
            raise InputError(
                f"cloud_voxel_m {self.cloud_voxel_m} must be 0 or at least max_depth_m / {FINEST_VOXELS}, which is "
                f"{self.max_depth_m / FINEST_VOXELS:g} metres"
            )
        if self.focal_check_every < 1:
            raise InputError(f"focal_check_every {self.focal_check_every} must be at least 1 frame")
