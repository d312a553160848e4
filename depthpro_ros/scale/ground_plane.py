# SPDX-License-Identifier: Apache-2.0
"""The scale from the camera's known height above the ground that it sees."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.scale.estimate import MIN_RELATIVE, Gates, NoScale, ScaleEstimate, weighted_median
from depthpro_ros.scale.planes import Plane, find_ground, height_shares, level_surfaces
from depthpro_ros.scale.samples import MAX_SAMPLES, check_camera, sample_grid

MAX_TILT_DEG = 45.0


@dataclass(frozen=True)
class GroundSettings:
    """How the camera stands above the ground, and what a ground must look like.

    Attributes:
        camera_height_m: of the camera's optical centre above the ground, at right angles to it, metres.
        pitch_deg: how far the camera looks down, -90 to 90; negative looks up.
        roll_deg: how far its x (right) is turned towards its y (down), -180 to 180.
        max_tilt_deg: how far the ground found may be turned from what pitch and roll say: their error, the slope of
            the ground, and what the depth is bent by; up to 45.
        min_share: least share of ground among the pixels that have a depth.
        tolerance: how far a pixel's depth may be from the ground's and belong to it, as a share of it. What is more
            than one and a half times as far beyond the plane is below it.
        max_below: largest share, of the plane's pixels, that may be below it: a table has more, the ground few.
        seed: of the random choice of planes; the same input gives the same result.

    Raises:
        InputError: a value that no ground fits.
    """

    camera_height_m: float
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    max_tilt_deg: float = 8.0
    min_share: float = 0.1
    tolerance: float = 0.08
    max_below: float = 0.08
    seed: int = 0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.camera_height_m) and self.camera_height_m > 0):
            raise InputError(f"camera_height_m is {self.camera_height_m}, expected a finite number of metres above 0")
        for name, low, high in (
            ("pitch_deg", -90.0, 90.0),
            ("roll_deg", -180.0, 180.0),
            ("max_tilt_deg", 0.1, MAX_TILT_DEG),
            ("min_share", 0.0, 1.0),
            ("tolerance", 0.001, 0.3),
            ("max_below", 0.0, 1.0),
        ):
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} is {getattr(self, name)}, expected {low:g} to {high:g}")
        if self.seed < 0:
            raise InputError(f"seed is {self.seed}, expected a number that is not negative")

    @property
    def down(self) -> NDArray[np.float64]:
        """Where the ground is expected, a unit vector [3] in the optical frame (x right, y down, z forward)."""
        pitch, roll = math.radians(self.pitch_deg), math.radians(self.roll_deg)
        return np.array([math.sin(roll) * math.cos(pitch), math.cos(roll) * math.cos(pitch), math.sin(pitch)])


def scale_from_ground(
    relative: Tensor, intrinsics: Intrinsics, settings: GroundSettings, gates: Gates | None = None
) -> ScaleEstimate:
    """The camera's height over its relative height: the distance to the ground's plane among points up to scale.

    Args:
        relative: float [H, W], on any device; NaN where there is none.
        intrinsics: of the same image, without distortion.
        settings: how the camera stands.
        gates: what the scale must fulfil; None takes the defaults. `min_share` is not used: that of the settings is.

    Returns:
        `inliers` and `share` count the ground's pixels among those that have a depth, on a grid of `MAX_SAMPLES`.

    Raises:
        InputError: intrinsics of another size.
        NoScale: no plane is plausible.
    """
    check_camera(relative, intrinsics)
    gates = gates or Gates()
    grid = sample_grid(relative.shape[0], relative.shape[1], MAX_SAMPLES)
    depth = grid.values(relative)
    known = np.isfinite(depth) & (depth > MIN_RELATIVE)
    depth[~known] = np.nan
    surface = grid.rays(intrinsics) * depth[..., None]
    points = surface[known]
    if len(points) < gates.min_inliers:
        raise NoScale(f"only {len(points)} pixels have a relative depth, expected at least {gates.min_inliers}")
    plane = find_ground(
        points,
        level_surfaces(surface, settings.down)[known],
        settings.down,
        max_tilt_rad=math.radians(settings.max_tilt_deg),
        tolerance=settings.tolerance,
        least=max(gates.min_inliers, math.ceil(settings.min_share * len(points))),
        max_below=settings.max_below,
        seed=settings.seed,
    )
    return _scale(points, plane, settings, gates)


def _scale(points: NDArray[np.float32], plane: Plane, settings: GroundSettings, gates: Gates) -> ScaleEstimate:
    """The scale of a plane that was found, if it passes the gates."""
    ratio = height_shares(points, plane)
    ground = ratio[np.abs(ratio - 1) <= settings.tolerance].astype(np.float64)
    # the plane's direction is that of least squares, its height the median's, which no outlier moves
    height = plane.height * weighted_median(ground)
    spread = weighted_median(np.abs(plane.height * ground / height - 1))
    gates.check(len(ground), len(points), spread, "pixels", min_share=settings.min_share)
    return ScaleEstimate(
        settings.camera_height_m / height, len(ground), len(ground) / len(points), spread, "ground_plane"
    )
