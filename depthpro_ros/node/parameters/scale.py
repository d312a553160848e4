# SPDX-License-Identifier: Apache-2.0
"""Parameters of where metres come from."""

from __future__ import annotations

from dataclasses import dataclass

from depthpro_ros.node.parameter_spec import row


@dataclass(frozen=True)
class ScaleParameters:
    """Where metres come from."""

    fixed_scale: float = row(
        1.0,
        "What the depth of a metric model is multiplied by, where it is known to be off, for scale_source fixed and "
        "auto.",
        bounds=(0.001, 1000.0),
        runtime=True,
    )
    scale_source: str = row(
        "auto",
        "What turns depth up to scale into metres, or corrects the metres of a metric model. depth_pro is a metric "
        "model on the same image (scale_reference), ground_plane the camera's height (camera_height_m), ranges another "
        "sensor (ranges_type), fixed a known factor on metric depth (fixed_scale), assumed a guess (assumed_d98_m), "
        "which is flagged as not metric. auto is ranges where ranges_type is set, else ground_plane where "
        "camera_height_m is, else off; for a metric model fixed where fixed_scale is not 1, else off.",
        choices=("auto", "off", "fixed", "depth_pro", "ground_plane", "ranges", "assumed"),
    )
    scale_reference: str = row(
        "auto", "Which metric model scale_source depth_pro loads: what the parameter model may be."
    )
    camera_height_m: float = row(
        0.0,
        "Height of the camera's centre above the ground for scale_source ground_plane, metres; 0 is not known.",
        bounds=(0.0, 1e3),
        runtime=True,
    )
    camera_pitch_deg: float = row(
        0.0,
        "How far the camera looks down from the horizon, for scale_source ground_plane, degrees.",
        bounds=(-90.0, 90.0),
        runtime=True,
    )
    assumed_d98_m: float = row(
        0.0,
        "For scale_source assumed: the distance that 98 % of each image is taken to be nearer than, metres. It is a "
        "guess, and the depth is flagged as not metric.",
        bounds=(0.0, 1e4),
        runtime=True,
    )
    scale_smoothing: float = row(
        0.5,
        "Weight of a frame's own scale in the running mean of the scale's logarithm; 1 is no smoothing.",
        bounds=(0.01, 1.0),
        runtime=True,
    )
    scale_jump: float = row(
        0.25,
        "Relative change of the scale that is not followed until several frames agree on it.",
        bounds=(0.01, 10.0),
        runtime=True,
    )
    scale_timeout_s: float = row(
        1.0,
        "How long a scale is valid without a new estimate, seconds; after that there are no metres.",
        bounds=(0.01, 3600.0),
        runtime=True,
    )
    scale_min_inliers: int = row(50, "Pixels, or ranges, that must agree on a scale.", bounds=(1, 10**6), runtime=True)
    scale_max_spread: float = row(
        0.2,
        "Greatest median deviation of a scale's samples from their median, relative to it.",
        bounds=(0.001, 10.0),
        runtime=True,
    )
    ranges_type: str = row(
        "off",
        "Message type on the topic ranges for scale_source ranges: laser_scan is sensor_msgs/LaserScan, range "
        "sensor_msgs/Range, points sensor_msgs/PointCloud2.",
        choices=("off", "laser_scan", "range", "points"),
    )
    ranges_extrinsics: tuple[float, ...] = row(
        (),
        "Where the ranges' sensor is: translation x, y, z in metres and quaternion x, y, z, w, from its frame to the "
        "camera's optical frame, seven numbers written with a point. Empty looks it up in tf.",
        numbers=True,
    )
    ranges_max_age_s: float = row(
        0.1,
        "Greatest difference between the stamps of an image and of its ranges, seconds.",
        bounds=(0.0, 60.0),
        runtime=True,
    )
