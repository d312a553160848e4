# SPDX-License-Identifier: Apache-2.0
"""Parameters of what is published."""

from __future__ import annotations

from dataclasses import dataclass

from depthpro_ros.node.parameter_spec import row


@dataclass(frozen=True)
class DepthParameters:
    """The depth images."""

    min_depth_m: float = row(
        0.0, "Nearer depth is published as -Inf (REP 117), metres.", bounds=(0.0, 1e4), runtime=True
    )
    max_depth_m: float = row(
        80.0,
        "Farther depth, sky included, is published as +Inf (REP 117), metres.",
        bounds=(0.0, 1e4),
        runtime=True,
    )
    edge_filter: str = row(
        "cloud",
        "Where the flying pixels of depth edges become NaN: nowhere, in the cloud, or in the depth image too.",
        choices=("off", "cloud", "all"),
        runtime=True,
    )
    edge_ratio: float = row(
        0.1,
        "Depth step between neighbours that is an edge, relative to the depth.",
        bounds=(0.001, 10.0),
        runtime=True,
    )
    depth_encoding: str = row(
        "32FC1",
        "Encoding of depth/image: 32FC1 is metres (REP 118), 16UC1 millimetres with 0 where there is no depth.",
        choices=("32FC1", "16UC1"),
        runtime=True,
    )
    png_level: int = row(
        1,
        "How hard depth/image/compressedDepth is compressed: 0 not at all, 9 hardest, which takes up to twenty times "
        "as long as 1 for a little less.",
        bounds=(0, 9),
        runtime=True,
    )
    preview_near_m: float = row(
        0.0,
        "Depth that has the nearest colour in depth/image/compressed, metres; 0 follows what the camera sees.",
        bounds=(0.0, 1e4),
        runtime=True,
    )
    preview_far_m: float = row(
        0.0,
        "Depth that has the farthest colour in depth/image/compressed, metres; 0 follows what the camera sees.",
        bounds=(0.0, 1e4),
        runtime=True,
    )
    jpeg_quality: int = row(
        80, "Quality of depth/image/compressed, which is a picture for people.", bounds=(1, 100), runtime=True
    )


@dataclass(frozen=True)
class CloudParameters:
    """The cloud."""

    cloud_stride: int = row(1, "Every n-th pixel of every n-th row becomes a point.", bounds=(1, 64), runtime=True)
    cloud_organised: bool = row(
        True, "Keep the image's grid, with NaN where there is no point; else finite points only.", runtime=True
    )
    cloud_voxel_m: float = row(
        0.0,
        "Edge of the cubes of a grid, metres: the points of a cube become one, their mean, and the cloud is not "
        "organised. 0 keeps all points.",
        bounds=(0.0, 100.0),
        runtime=True,
    )
    cloud_max_rate_hz: float = row(
        0.0,
        "How many clouds are published a second at most; depth images are not affected. 0 is no limit.",
        bounds=(0.0, 1000.0),
        runtime=True,
    )
    cloud_far: str = row(
        "drop",
        "Points beyond max_depth_m, sky included: drop leaves them out, shell places them on their rays at the "
        "depth max_depth_m, so that maps clear the free space before them.",
        choices=("drop", "shell"),
        runtime=True,
    )
