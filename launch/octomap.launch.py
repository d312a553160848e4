# SPDX-License-Identifier: Apache-2.0
"""Depth and OctoMap: `ros2 launch depthpro_ros octomap.launch.py image_topic:=/camera/image_raw`.

docs/integration/octomap.md says why the parameters in config/octomap.yaml are what they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from depthpro_ros.launching import Argument, ConsumerNode, depth_arguments, one_camera

if TYPE_CHECKING:
    from launch import LaunchDescription

SHARE = Path(__file__).resolve().parents[1]
"""The package's share folder, or the repository: both hold `config` beside `launch`."""
ARGUMENTS = (
    *depth_arguments(SHARE, "octomap.yaml"),
    Argument("map_frame", "map", "Frame of the map; tf must connect it to the camera's optical frame at all times."),
    Argument("base_frame", "base_footprint", "The robot's frame on the floor, for the ground filter."),
    Argument("octomap_file", "", "Map to begin with, .bt or .ot. Empty: none."),
)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the nodes depend on their values."""
    from depthpro_ros.launching.actions import stack

    return stack(SHARE, ARGUMENTS, nodes)


def nodes(value: Mapping[str, str]) -> list[ConsumerNode]:
    """octomap_server."""
    one_camera(value, "octomap.launch.py")
    frames = {"frame_id": value["map_frame"], "base_frame_id": value["base_frame"]}
    file = {"octomap_path": value["octomap_file"]} if value["octomap_file"] else {}
    return [
        ConsumerNode(
            "octomap_server",
            "octomap_server_node",
            "octomap_server",
            (value["params_file"], frames | file),
            (("cloud_in", "depth/points"),),
        )
    ]
