# SPDX-License-Identifier: Apache-2.0
"""The topics of well known recorders."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

TruthKind = Literal["registered", "depth", "cloud"]
"""A depth image of the colour camera's own pixels, one of another camera, or a lidar cloud."""


@dataclass(frozen=True)
class Preset:
    """Topics of one recorder; of several names, the first that is there counts.

    Attributes:
        name: for the command line.
        image, camera_info: of the colour camera.
        truth: of the ground truth.
        truth_kind: what it is.
        truth_info: calibration of the depth camera, where that is another one.
        units: std_msgs/Float32 with metres per depth value.
        rectified: the images are rectified, whatever their topic's name says.
    """

    name: str
    image: tuple[str, ...]
    camera_info: tuple[str, ...]
    truth: tuple[str, ...]
    truth_kind: TruthKind
    truth_info: tuple[str, ...] = ()
    units: str = ""
    rectified: bool = False


PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            "tum",
            image=("/camera/rgb/image_color",),
            camera_info=("/camera/rgb/camera_info",),
            truth=("/camera/depth/image",),
            truth_kind="registered",
        ),
        Preset(
            "openloris",
            image=("/d400/color/image_raw",),
            camera_info=("/d400/color/camera_info",),
            truth=("/d400/aligned_depth_to_color/image_raw",),
            truth_kind="registered",
        ),
        Preset(
            "realsense_sdk",
            image=("/device_0/sensor_1/Color_0/image/data",),
            camera_info=("/device_0/sensor_1/Color_0/info/camera_info",),
            truth=("/device_0/sensor_0/Depth_0/image/data",),
            truth_kind="depth",
            truth_info=("/device_0/sensor_0/Depth_0/info/camera_info",),
            units="/device_0/sensor_0/option/Depth_Units/value",
        ),
        Preset(
            "realsense_ros2",
            image=("/camera/camera/color/image_raw", "/camera/color/image_raw"),
            camera_info=("/camera/camera/color/camera_info", "/camera/color/camera_info"),
            truth=("/camera/camera/aligned_depth_to_color/image_raw", "/camera/aligned_depth_to_color/image_raw"),
            truth_kind="registered",
        ),
        Preset(
            "kitti2bag",
            image=("/kitti/camera_color_left/image_raw",),
            camera_info=("/kitti/camera_color_left/camera_info",),
            truth=("/kitti/velo/pointcloud",),
            truth_kind="cloud",
            rectified=True,
        ),
        Preset(
            "zed",
            image=("/zed/zed_node/rgb/image_rect_color", "/zed/zed_node/left/image_rect_color"),
            camera_info=("/zed/zed_node/rgb/camera_info", "/zed/zed_node/left/camera_info"),
            truth=("/zed/zed_node/depth/depth_registered",),
            truth_kind="registered",
        ),
    )
}


def present(names: tuple[str, ...], topics: Collection[str]) -> str | None:
    """The first that is there, as it is, compressed, or as compressed depth."""
    spellings = (name + ending for name in names for ending in ("", "/compressed", "/compressedDepth"))
    return next((name for name in spellings if name in topics), None)


def find_preset(topics: Collection[str]) -> Preset | None:
    """The recorder whose image and ground truth are both there."""
    fitting = (p for p in PRESETS.values() if present(p.image, topics) and present(p.truth, topics))
    return next(fitting, None)
