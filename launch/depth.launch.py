# SPDX-License-Identifier: Apache-2.0
"""Start the depth node: `ros2 launch depthpro_ros depth.launch.py image_topic:=/camera/image_raw`."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depthpro_ros.launching import (
    PARAMETERS,
    camera_names,
    depth_arguments,
    is_simulated,
    joined,
    logger_name,
    remappings,
)

if TYPE_CHECKING:
    from launch import LaunchDescription, LaunchDescriptionEntity

SHARE = Path(__file__).resolve().parents[1]
"""The package's share folder, or the repository: both hold `config` beside `launch`."""
ARGUMENTS = depth_arguments(SHARE)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the actions depend on their values."""
    from depthpro_ros.launching.actions import described

    return described(ARGUMENTS, _actions)


def _actions(value: Mapping[str, str]) -> list[LaunchDescriptionEntity]:
    """What to start, given the values of the arguments."""
    from launch_ros.actions import Node
    from launch_ros.parameter_descriptions import ParameterFile, ParameterValue

    from depthpro_ros.launching.actions import played_bag, room_for_images

    simulated = is_simulated(value)
    # later ones win, so the command line beats the file
    parameters: list[Any] = [ParameterFile(value["params_file"], allow_substs=True)]
    if simulated or value["use_sim_time"]:
        parameters.append({"use_sim_time": simulated})
    parameters += [{n: ParameterValue(value[n], value_type=type_)} for n, type_ in PARAMETERS.items() if value[n]]
    cameras = camera_names(value["cameras"])
    if cameras:
        # with the older List, which is the one that launch_ros knows
        parameters.append({"cameras": ParameterValue(cameras, value_type=typing.List[str])})  # noqa: UP006
    topics = {"image": value["image_topic"]}
    if value["camera_info_topic"]:
        topics["camera_info"] = value["camera_info_topic"]
    if value["ranges_topic"]:
        topics["ranges"] = value["ranges_topic"]

    actions = room_for_images(value)
    actions.append(
        Node(
            package="depthpro_ros",
            executable="depth_node",
            namespace=value["namespace"],
            parameters=parameters,
            remappings=remappings(topics, cameras),
            ros_arguments=["--log-level", f"{logger_name(value['namespace'])}:={value['log_level']}"],
            output="screen",
            emulate_tty=True,
            respawn=True,
            respawn_delay=2.0,
        )
    )
    if value["bag"]:
        actions.append(played_bag(value["bag"]))
    if value["rviz"] == "true":
        actions.append(
            Node(
                package="rviz2",
                executable="rviz2",
                # of several cameras, the first
                namespace=joined(value["namespace"], *cameras[:1]),
                arguments=["-d", str(SHARE / "config" / "depth.rviz")],
                parameters=[{"use_sim_time": simulated}],
                remappings=list(topics.items()),
            )
        )
    return actions
