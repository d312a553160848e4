# SPDX-License-Identifier: Apache-2.0
"""A recording, its clock, depth and RViz: `ros2 launch depthpro_ros replay.launch.py bag:=FOLDER image_topic:=TOPIC`.

The recording begins once the node is active, so that none of it is lost while the network is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from depthpro_ros.errors import InputError
from depthpro_ros.launching import Argument, camera_names, depth_arguments, require_packages, with_defaults

if TYPE_CHECKING:
    from launch import LaunchDescription, LaunchDescriptionEntity

SHARE = Path(__file__).resolve().parents[1]
"""The package's share folder, or the repository: both hold `config` beside `launch`."""
ARGUMENTS = (
    *with_defaults(depth_arguments(SHARE), rviz="true"),
    Argument("rate", "1.0", "How fast the recording is played; lower it where depth takes longer than a frame."),
    Argument("loop", "false", "Begin again at the end; the clock then jumps back.", ("true", "false")),
    Argument("start_offset", "0.0", "Where in the recording to begin, seconds."),
    Argument(
        "topics",
        "",
        "Topics to play, for example '[/camera/image_raw, /camera/camera_info, /tf, /tf_static]'. Empty: all; name "
        "them where the recording has depth of its own on our topics.",
    ),
    Argument("wait", "true", "Play only once the node is active.", ("true", "false")),
)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the actions depend on their values."""
    from depthpro_ros.launching.actions import described

    return described(ARGUMENTS, _actions)


def _actions(value: Mapping[str, str]) -> Sequence[LaunchDescriptionEntity]:
    from depthpro_ros.launching.actions import include_depth, once_active, played_bag, room_for_images

    options = bag_options(value)
    require_packages({"ros2bag": "", **({"rviz2": ""} if value["rviz"] == "true" else {})})
    play = played_bag(value["bag"], options)
    depth = include_depth(SHARE, value, bag="", use_sim_time="true")
    return [
        *room_for_images(value),
        depth,
        *(once_active(value["namespace"], play) if value["wait"] == "true" else [play]),
    ]


def bag_options(value: Mapping[str, str]) -> list[str]:
    """Options of `ros2 bag play`.

    Raises:
        InputError: no recording is named, or a number is none.
    """
    if not value["bag"]:
        raise InputError("bag is empty: name the recording, such as bag:=FOLDER")
    for name in ("rate", "start_offset"):
        try:
            float(value[name])
        except ValueError:
            raise InputError(f"{name} is {value[name]!r}, expected a number") from None
    options = ["--rate", value["rate"], "--start-offset", value["start_offset"]]
    options += ["--loop"] if value["loop"] == "true" else []
    topics = camera_names(value["topics"], "topics")
    return [*options, *(["--topics", *topics] if topics else [])]
