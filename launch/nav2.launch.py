# SPDX-License-Identifier: Apache-2.0
"""Depth and Nav2: `ros2 launch depthpro_ros nav2.launch.py image_topic:=/camera/image_raw nav2_params:=YOURS.yaml`.

Nav2 is started with your parameters and, merged into them, the costmap layers of config/nav2_costmap.yaml.
docs/integration/nav2.md says why those, and those of config/nav2.yaml, are what they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from depthpro_ros.launching import Argument, depth_arguments, is_simulated, one_camera, require_packages

if TYPE_CHECKING:
    from launch import LaunchDescription, LaunchDescriptionEntity

SHARE = Path(__file__).resolve().parents[1]
"""The package's share folder, or the repository: both hold `config` beside `launch`."""
ARGUMENTS = (
    *depth_arguments(SHARE, "nav2.yaml"),
    Argument("navigation", "true", "Start Nav2; false starts depth alone, for a Nav2 of your own.", ("true", "false")),
    Argument("nav2_params", "", "Your Nav2 parameters. Empty: nav2_bringup's own example."),
    Argument("costmap", str(SHARE / "config" / "nav2_costmap.yaml"), "The costmap layers that are merged into them."),
)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the actions depend on their values."""
    from depthpro_ros.launching.actions import described

    return described(ARGUMENTS, _actions)


def _actions(value: Mapping[str, str]) -> Sequence[LaunchDescriptionEntity]:
    from depthpro_ros.launching.actions import include, include_depth, room_for_images
    from depthpro_ros.launching.nav2 import write_parameters

    one_camera(value, "nav2.launch.py")
    depth = [*room_for_images(value), include_depth(SHARE, value)]
    if value["navigation"] == "false":
        return depth
    require_packages({"nav2_bringup": ""})
    from ament_index_python.packages import get_package_share_directory

    bringup = Path(get_package_share_directory("nav2_bringup"))
    theirs = Path(value["nav2_params"]) if value["nav2_params"] else bringup / "params" / "nav2_params.yaml"
    merged = write_parameters(theirs, Path(value["costmap"]), value["namespace"])
    simulated = "true" if is_simulated(value) else "false"
    navigation = bringup / "launch" / "navigation_launch.py"
    return [*depth, include(navigation, {"params_file": str(merged), "use_sim_time": simulated})]
