# SPDX-License-Identifier: Apache-2.0
"""Metres for depth up to scale: what one unit of a frame's relative depth is, and from what that is known."""

from depthpro_ros.scale.cones import RangeCones, scale_from_cones
from depthpro_ros.scale.drift import scale_change
from depthpro_ros.scale.estimate import (
    Gates,
    NoScale,
    ScaleEstimate,
    ScaleSource,
    assumed_scale,
    fixed_scale,
    robust_scale,
)
from depthpro_ros.scale.extrinsics import Extrinsics
from depthpro_ros.scale.ground_plane import GroundSettings, scale_from_ground
from depthpro_ros.scale.ranges import RangePoints, scale_from_ranges
from depthpro_ros.scale.reference import scale_from_reference
from depthpro_ros.scale.sensors import cloud_points, range_point, scan_points
from depthpro_ros.scale.tracker import ScaleTracker, TrackedScale

__all__ = [
    "Extrinsics",
    "Gates",
    "GroundSettings",
    "NoScale",
    "RangeCones",
    "RangePoints",
    "ScaleEstimate",
    "ScaleSource",
    "ScaleTracker",
    "TrackedScale",
    "assumed_scale",
    "cloud_points",
    "fixed_scale",
    "range_point",
    "robust_scale",
    "scale_change",
    "scale_from_cones",
    "scale_from_ground",
    "scale_from_ranges",
    "scale_from_reference",
    "scan_points",
]
