# SPDX-License-Identifier: Apache-2.0
"""Start the depth node: `ros2 launch depthpro_ros depth.launch.py image_topic:=/camera/image_raw`."""

from __future__ import annotations

import os
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity

SHARE = Path(__file__).resolve().parents[1]
"""The package's share folder, or the repository: both hold `config` beside `launch`."""
PROFILE_VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
"""Fast DDS reads the first since 2.14 (Jazzy) and complains about the second, which Humble and Iron read."""


class Argument(NamedTuple):
    """A launch argument. An empty default of a parameter means: what the parameters file says."""

    name: str
    default: str
    help: str
    choices: tuple[str, ...] | None = None


ARGUMENTS = (
    Argument(
        "image_topic",
        "image",
        "Image topic; an absolute one leaves the namespace. With several cameras: relative to each one's name.",
    ),
    Argument(
        "camera_info_topic",
        "",
        "CameraInfo topic, absolute or relative as the image topic. Empty: the sibling of the image topic.",
    ),
    Argument(
        "cameras",
        "",
        "Names of several cameras for one node, for example '[front, rear]'. Empty: as the parameters file says.",
    ),
    Argument("namespace", "", "Namespace of the node and its outputs, for example front_camera."),
    Argument("params_file", str(SHARE / "config" / "depth.yaml"), "YAML file with the node's parameters."),
    Argument(
        "model",
        "",
        "depth_pro, depth_pro_nano, depthart_ar, auto, or a path to weights. Empty: as the parameters file says.",
    ),
    Argument("device", "", "auto, cpu, cuda or cuda:N. Empty: as the parameters file says."),
    Argument(
        "precision",
        "",
        "Number format of the network. Empty: as the parameters file says.",
        ("", "auto", "float32", "bfloat16", "float16"),
    ),
    Argument(
        "memory",
        "",
        "low computes the same depth in less memory, more slowly. Empty: as the parameters file says.",
        ("", "auto", "low"),
    ),
    Argument(
        "scale_source",
        "",
        "What turns depth up to scale (model depthart_ar) into metres. Empty: as the parameters file says.",
        ("", "auto", "off", "depth_pro", "ground_plane", "ranges", "assumed"),
    ),
    Argument(
        "camera_height_m",
        "",
        "Height of the camera above the ground, metres, for scale_source ground_plane. Empty: as the parameters file "
        "says.",
    ),
    Argument(
        "ranges_type",
        "",
        "What comes on ranges_topic, for scale_source ranges. Empty: as the parameters file says.",
        ("", "off", "laser_scan", "range", "points"),
    ),
    Argument("ranges_topic", "", "Topic of the range sensor, absolute or relative as the image topic. Empty: ranges."),
    Argument("use_sim_time", "", "Take the time from /clock. Empty: only if a bag is played.", ("", "true", "false")),
    Argument("rviz", "false", "Show image, depth and cloud in RViz.", ("true", "false")),
    Argument("bag", "", "Bag to play, with its clock. Empty: none."),
    Argument(
        "dds_profile",
        str(SHARE / "config" / "fastdds.xml"),
        "Fast DDS profile to use where the environment names none; none leaves the defaults.",
    ),
    Argument("log_level", "info", "Least severity that is logged.", ("debug", "info", "warn", "error", "fatal")),
)
PARAMETERS = {
    "model": str,
    "device": str,
    "precision": str,
    "memory": str,
    "scale_source": str,
    "camera_height_m": float,
    "ranges_type": str,
}
"""Arguments that override the parameters file, where they are given, and their types; `cameras`, a list, does too."""


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the actions depend on their values."""
    from launch.actions import DeclareLaunchArgument, OpaqueFunction

    from launch import LaunchDescription

    declared = [
        DeclareLaunchArgument(
            a.name,
            default_value=a.default,
            description=a.help,
            **({"choices": list(a.choices)} if a.choices else {}),
        )
        for a in ARGUMENTS
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=_actions)])


def _actions(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """What to start, given the values of the arguments."""
    from launch.actions import ExecuteProcess, SetEnvironmentVariable
    from launch_ros.actions import Node
    from launch_ros.parameter_descriptions import ParameterFile, ParameterValue

    value = {a.name: context.launch_configurations[a.name] for a in ARGUMENTS}
    simulated = value["use_sim_time"] == "true" or (value["use_sim_time"] == "" and value["bag"] != "")
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

    actions: list[LaunchDescriptionEntity] = [
        SetEnvironmentVariable(n, v) for n, v in dds_environment(value["dds_profile"], os.environ).items()
    ]
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
        actions.append(ExecuteProcess(cmd=["ros2", "bag", "play", value["bag"], "--clock"], output="screen"))
    if value["rviz"] == "true":
        actions.append(
            Node(
                package="rviz2",
                executable="rviz2",
                # of several cameras, the first
                namespace="/".join(filter(None, [value["namespace"], *cameras[:1]])),
                arguments=["-d", str(SHARE / "config" / "depth.rviz")],
                parameters=[{"use_sim_time": simulated}],
                remappings=list(topics.items()),
            )
        )
    return actions


def camera_names(text: str) -> list[str]:
    """What a user wrote for `cameras`; nothing where that is empty.

    Raises:
        ValueError: it is not a list of texts.
    """
    import yaml

    names = yaml.safe_load(text) if text else []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"cameras must be a list of names, such as '[front, rear]'; it is {text!r}")
    return names


def remappings(topics: Mapping[str, str], cameras: Sequence[str]) -> list[tuple[str, str]]:
    """Remappings of the node's inputs.

    Args:
        topics: from the node's name for each to the user's.
        cameras: names of several; then the user's topics are relative to each name.

    Raises:
        ValueError: several cameras cannot have one topic.
    """
    if not cameras:
        return list(topics.items())
    for topic in topics.values():
        if topic.startswith(("/", "~")):
            raise ValueError(
                f"with several cameras topics are relative to each one's name, such as image_raw for front/image_raw; "
                f"{topic!r} is absolute"
            )
    return [(f"{camera}/{name}", f"{camera}/{topic}") for camera in cameras for name, topic in topics.items()]


def logger_name(namespace: str) -> str:
    """Name of the node's logger, so that only its own messages become more or fewer."""
    return ".".join([*filter(None, namespace.split("/")), "depth_pro"])


def dds_environment(profile: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that make Fast DDS read a profile; none where the user has one or wants none."""
    if profile in ("", "none") or any(environment.get(v) for v in PROFILE_VARIABLES):
        return {}
    old = environment.get("ROS_DISTRO") in ("humble", "iron")
    return {PROFILE_VARIABLES[1 if old else 0]: profile}
