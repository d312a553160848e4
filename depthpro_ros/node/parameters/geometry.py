# SPDX-License-Identifier: Apache-2.0
"""Parameters of the camera's geometry."""

from __future__ import annotations

from dataclasses import dataclass

from depthpro_ros.node.parameter_spec import row


@dataclass(frozen=True)
class GeometryParameters:
    """Focal length and lens."""

    focal_policy: str = row(
        "auto",
        "Where the focal length comes from. auto is CameraInfo where it is calibrated, else the network's estimate.",
        choices=("auto", "camera_info", "estimated", "fixed"),
        runtime=True,
    )
    fixed_focal_px: float = row(
        0.0,
        "Focal length for focal_policy fixed, in pixels of the image's width.",
        bounds=(0.0, 1e6),
        runtime=True,
    )
    estimate: str = row(
        "auto",
        "When the network estimates the field of view for estimated/camera_info. auto is only where the focal "
        "length is wanted; always costs time on each frame.",
        choices=("auto", "always", "never"),
        runtime=True,
    )
    focal_lock_after: int = row(
        10,
        "Consistent focal estimates after which the focal length is held, so that the scale does not flicker.",
        bounds=(1, 1000),
        runtime=True,
    )
    focal_tolerance: float = row(
        0.1,
        "Relative deviation within which focal estimates agree.",
        bounds=(0.001, 1.0),
        runtime=True,
    )
    focal_check_every: int = row(
        30,
        "While the estimated focal length is held, it is estimated again every so many frames, which costs time.",
        bounds=(1, 100000),
        runtime=True,
    )
    rectify: bool = row(
        False,
        "Undo the lens distortion that CameraInfo describes before the network sees the image.",
        runtime=True,
    )
    input_rectified: str = row(
        "auto",
        "Whether the images are rectified already, so that P describes them rather than K. auto is yes where "
        "the last part of the image topic contains rect.",
        choices=("auto", "true", "false"),
        runtime=True,
    )
