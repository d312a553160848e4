# SPDX-License-Identifier: Apache-2.0
"""image_proc's rectification, then depth: `ros2 launch depthpro_ros rectify.launch.py image_topic:=/camera/image_raw`.

docs/integration/rectify.md says when this is better than the node's own parameter `rectify`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from depthpro_ros.launching import ConsumerNode, camera_names, depth_arguments, require_packages
from depthpro_ros.launching.consumers import packages_of

if TYPE_CHECKING:
    from launch import LaunchDescription, LaunchDescriptionEntity

SHARE = Path(__file__).resolve().parents[1]
"""The package's share folder, or the repository: both hold `config` beside `launch`."""
ARGUMENTS = depth_arguments(SHARE)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the actions depend on their values."""
    from depthpro_ros.launching.actions import described

    return described(ARGUMENTS, _actions)


def _actions(value: Mapping[str, str]) -> Sequence[LaunchDescriptionEntity]:
    from depthpro_ros.launching.actions import consumer, include_depth, room_for_images

    rectifiers = nodes(value)
    require_packages(packages_of(rectifiers))
    depth = include_depth(
        SHARE, value, image_topic=sibling(value["image_topic"], "image_rect"), camera_info_topic=info_topic(value)
    )
    return [*room_for_images(value), *(consumer(node, value) for node in rectifiers), depth]


def nodes(value: Mapping[str, str]) -> list[ConsumerNode]:
    """A rectify node for each camera."""
    return [_node(value, camera) for camera in camera_names(value["cameras"]) or [""]]


def _node(value: Mapping[str, str], camera: str) -> ConsumerNode:
    image = value["image_topic"]
    return ConsumerNode(
        "image_proc",
        "rectify_node",
        "rectify",
        ({"interpolation": 1},),  # linear
        (
            ("image", image),
            # Humble looks for it beside `image`, later ones beside what `image` is remapped to
            ("camera_info", info_topic(value)),
            ("image_rect", sibling(image, "image_rect")),
        ),
        camera=camera,
    )


def info_topic(value: Mapping[str, str]) -> str:
    """Where the calibration comes from."""
    return value["camera_info_topic"] or sibling(value["image_topic"], "camera_info")


def sibling(topic: str, name: str) -> str:
    """The topic of another name beside a topic."""
    folder, slash, _ = topic.rpartition("/")
    return f"{folder}{slash}{name}"
