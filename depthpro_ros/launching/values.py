# SPDX-License-Identifier: Apache-2.0
"""What follows from the values of launch arguments: names, remappings, environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from depthpro_ros.fast_dds import PROFILE_VARIABLES, profile_variables


def camera_names(text: str, argument: str = "cameras") -> list[str]:
    """What a user wrote for `cameras`, or another argument that takes a list; nothing where that is empty.

    Raises:
        ValueError: it is not a list of texts.
    """
    import yaml

    names = yaml.safe_load(text) if text else []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{argument} must be a list of names, such as '[front, rear]'; it is {text!r}")
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


def joined(*names: str) -> str:
    """One name inside the other, without those that are empty, such as a camera where there is one without a name."""
    return "/".join(filter(None, names))


def logger_name(namespace: str) -> str:
    """Name of the node's logger, so that only its own messages become more or fewer."""
    return ".".join([*filter(None, namespace.split("/")), "depth_pro"])


def dds_environment(profile: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that make Fast DDS read a profile; none where the user has one or wants none."""
    if profile in ("", "none") or any(environment.get(v) for v in PROFILE_VARIABLES):
        return {}
    return {profile_variables(environment)[0]: profile}


def is_simulated(value: Mapping[str, str]) -> bool:
    """Whether the time comes from /clock: as the arguments `use_sim_time` and, where that is empty, `bag` say."""
    return value["use_sim_time"] == "true" or (value["use_sim_time"] == "" and value["bag"] != "")
