# SPDX-License-Identifier: Apache-2.0
"""Depth and RTAB-Map: `ros2 launch depthpro_ros rtabmap.launch.py image_topic:=/camera/image_raw`.

docs/integration/rtabmap.md says why the parameters in config/rtabmap.yaml are what they are.
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
    *depth_arguments(SHARE, "rtabmap.yaml"),
    Argument("base_frame", "base_link", "The robot's frame; tf must connect it to the camera's optical frame."),
    Argument("odom_frame", "odom", "The odometry's frame."),
    Argument(
        "odom_topic",
        "",
        "Odometry of the robot, relative to the namespace or absolute. Empty: RTAB-Map's own, from the images.",
    ),
    Argument("database", "~/.ros/rtabmap.db", "File with the map."),
    Argument("new_map", "false", "Begin an empty map: what the file holds is deleted.", ("true", "false")),
    Argument("localization", "false", "Find the place in the map, and do not change it.", ("true", "false")),
    Argument("rtabmap_viz", "false", "Show RTAB-Map's own window.", ("true", "false")),
)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the nodes depend on their values."""
    from depthpro_ros.launching.actions import stack

    return stack(SHARE, ARGUMENTS, nodes)


def nodes(value: Mapping[str, str]) -> list[ConsumerNode]:
    """RTAB-Map's nodes."""
    one_camera(value, "rtabmap.launch.py")
    file, frames = value["params_file"], {"frame_id": value["base_frame"]}
    # our topics have the names that rgbd_sync asks for, and its one that which the others ask for
    made = [ConsumerNode("rtabmap_sync", "rgbd_sync", "rgbd_sync", (file,))]
    topics = (("odom", value["odom_topic"]),) if value["odom_topic"] else ()
    if not value["odom_topic"]:
        visual = {**frames, "odom_frame_id": value["odom_frame"]}
        made.append(ConsumerNode("rtabmap_odom", "rgbd_odometry", "rgbd_odometry", (file, visual)))

    slam = {
        **frames,
        "database_path": value["database"],
        "delete_db_on_start": value["new_map"] == "true",
        # RTAB-Map's own parameters are texts
        "Mem/IncrementalMemory": "false" if value["localization"] == "true" else "true",
        "Mem/InitWMWithAllNodes": value["localization"],
    }
    made.append(ConsumerNode("rtabmap_slam", "rtabmap", "rtabmap", (file, slam), topics))
    if value["rtabmap_viz"] == "true":
        made.append(ConsumerNode("rtabmap_viz", "rtabmap_viz", "rtabmap_viz", (file, frames), topics))
    return made
