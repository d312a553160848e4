# SPDX-License-Identifier: Apache-2.0
"""Several cameras: `ros2 launch depthpro_ros multi_camera.launch.py cameras:='[front, rear]' image_topic:=image_raw`.

One node for all has the network in memory once; `nodes:=each` spreads the cameras over devices, with the same topics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from depthpro_ros.errors import InputError
from depthpro_ros.launching import (
    Argument,
    camera_names,
    depth_arguments,
    is_simulated,
    joined,
    remappings,
    with_defaults,
)

if TYPE_CHECKING:
    from launch import LaunchDescription, LaunchDescriptionEntity

SHARE = Path(__file__).resolve().parents[1]
"""The package's share folder, or the repository: both hold `config` beside `launch`."""
ARGUMENTS = (
    *with_defaults(depth_arguments(SHARE), image_topic="image_raw"),
    Argument("nodes", "one", "One node for all cameras, which takes turns, or one for each.", ("one", "each")),
    Argument(
        "devices",
        "",
        "With nodes:=each, devices that the cameras are dealt out to, for example '[cuda:0, cuda:1]'. Empty: device.",
    ),
)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the actions depend on their values."""
    from depthpro_ros.launching.actions import described

    return described(ARGUMENTS, _actions)


def _actions(value: Mapping[str, str]) -> Sequence[LaunchDescriptionEntity]:
    from depthpro_ros.launching.actions import include_depth, played_bag, room_for_images

    actions = [include_depth(SHARE, value, **changes) for changes in started(value)]
    return [*room_for_images(value), *actions, *([played_bag(value["bag"])] if value["bag"] else [])]


def started(value: Mapping[str, str]) -> list[dict[str, str]]:
    """What differs, for each node, from the arguments given.

    Raises:
        InputError: no cameras are named, or devices for one node.
        ValueError: a topic is absolute, so that all cameras would share it.
    """
    cameras, devices = camera_names(value["cameras"]), camera_names(value["devices"], "devices")
    if not cameras:
        raise InputError("cameras is empty: name them, such as cameras:='[front, rear]'")
    remappings({name: value[name] for name in ("image_topic", "camera_info_topic", "ranges_topic")}, cameras)
    # the bag is played once, by us
    common = {"bag": "", "use_sim_time": "true" if is_simulated(value) else value["use_sim_time"]}
    if value["nodes"] == "one":
        if devices:
            raise InputError(f"devices is {value['devices']!r}, and one node has one device: use nodes:=each")
        return [common]
    return [
        common
        | {
            "cameras": "",
            "namespace": joined(value["namespace"], camera),
            "device": devices[number % len(devices)] if devices else value["device"],
            "rviz": value["rviz"] if number == 0 else "false",
        }
        for number, camera in enumerate(cameras)
    ]
