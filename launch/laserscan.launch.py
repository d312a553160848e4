# SPDX-License-Identifier: Apache-2.0
"""Depth and a laser scan made of it: `ros2 launch depthpro_ros laserscan.launch.py image_topic:=/camera/image_raw`.

docs/integration/laserscan.md says why the parameters in config/laserscan.yaml are what they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from depthpro_ros.launching import Argument, ConsumerNode, camera_names, depth_arguments

if TYPE_CHECKING:
    from launch import LaunchDescription

SHARE = Path(__file__).resolve().parents[1]
"""The package's share folder, or the repository: both hold `config` beside `launch`."""
ARGUMENTS = (
    *depth_arguments(SHARE, "laserscan.yaml"),
    Argument(
        "scan_frame",
        "camera_link",
        "Frame of the scan: at the camera, x forward, y left, z up, not the optical frame. With several cameras: "
        "NAME_link, and this is not used.",
    ),
    Argument("scan_topic", "scan", "Topic of the scan. With several cameras: relative to each one's name."),
)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the nodes depend on their values."""
    from depthpro_ros.launching.actions import stack

    return stack(SHARE, ARGUMENTS, nodes)


def nodes(value: Mapping[str, str]) -> list[ConsumerNode]:
    """A depthimage_to_laserscan for each camera."""
    return [_node(value, camera) for camera in camera_names(value["cameras"]) or [""]]


def _node(value: Mapping[str, str], camera: str) -> ConsumerNode:
    return ConsumerNode(
        "depthimage_to_laserscan",
        "depthimage_to_laserscan_node",
        "depthimage_to_laserscan",
        (value["params_file"], {"output_frame": f"{camera}_link" if camera else value["scan_frame"]}),
        (("depth", "depth/image"), ("depth_camera_info", "depth/camera_info"), ("scan", value["scan_topic"])),
        camera=camera,
    )
