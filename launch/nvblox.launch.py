# SPDX-License-Identifier: Apache-2.0
"""Depth and nvblox: `ros2 launch depthpro_ros nvblox.launch.py image_topic:=/camera/image_raw`.

docs/integration/nvblox.md says why the parameters in config/nvblox.yaml are what they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from depthpro_ros.errors import InputError
from depthpro_ros.launching import Argument, ConsumerNode, camera_names, depth_arguments, joined

if TYPE_CHECKING:
    from launch import LaunchDescription

SHARE = Path(__file__).resolve().parents[1]
"""The package's share folder, or the repository: both hold `config` beside `launch`."""
ARGUMENTS = (
    *depth_arguments(SHARE, "nvblox.yaml"),
    Argument("global_frame", "odom", "Frame of the map; tf must connect it to the camera's optical frame."),
    Argument("base_frame", "base_link", "The robot's frame: what is far from it is forgotten."),
)
MOST_CAMERAS = 4
"""nvblox has topics for so many."""
REMEDY = (
    "add NVIDIA's apt repository for Isaac ROS and install ros-$ROS_DISTRO-isaac-ros-nvblox, or use its container "
    "(nvidia-isaac-ros.github.io, Isaac ROS Nvblox, quick start)"
)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the nodes depend on their values."""
    from depthpro_ros.launching.actions import stack

    return stack(SHARE, ARGUMENTS, nodes)


def nodes(value: Mapping[str, str]) -> list[ConsumerNode]:
    """One nvblox for up to four cameras."""
    cameras = camera_names(value["cameras"]) or [""]
    if len(cameras) > MOST_CAMERAS:
        raise InputError(f"cameras has {len(cameras)} names, and nvblox reads at most {MOST_CAMERAS}: leave some out")
    theirs = {"depth": "depth", "color": "rgb"}
    topics = [
        (f"camera_{number}/{their}/{name}", joined(camera, f"{our}/{name}"))
        for number, camera in enumerate(cameras)
        for their, our in theirs.items()
        for name in ("image", "camera_info")
    ]
    values = {
        "num_cameras": len(cameras),
        "global_frame": value["global_frame"],
        "map_clearing_frame_id": value["base_frame"],
    }
    return [
        ConsumerNode(
            "nvblox_ros", "nvblox_node", "nvblox_node", (value["params_file"], values), tuple(topics), remedy=REMEDY
        )
    ]
