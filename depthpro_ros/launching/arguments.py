# SPDX-License-Identifier: Apache-2.0
"""The arguments of the launch files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Argument(NamedTuple):
    """A launch argument. An empty default of a parameter means: what the parameters file says."""

    name: str
    default: str
    help: str
    choices: tuple[str, ...] | None = None


PARAMETERS = {
    "model": str,
    "device": str,
    "precision": str,
    "memory": str,
    "scale_source": str,
    "fixed_scale": float,
    "camera_height_m": float,
    "ranges_type": str,
}
"""Arguments that override the parameters file, where they are given, and their types; `cameras`, a list, does too."""


def depth_arguments(share: Path, params_file: str = "depth.yaml") -> tuple[Argument, ...]:
    """What the depth node is started with: the arguments of depth.launch.py, which others pass on.

    Args:
        share: the package's share folder, or the repository: both hold `config` beside `launch`.
        params_file: name of the parameters file in `config` that is the default.
    """
    return (
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
        Argument("params_file", str(share / "config" / params_file), "YAML file with the node's parameters."),
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
            "What turns depth up to scale (model depthart_ar) into metres, or corrects a metric model's. Empty: as the "
            "parameters file says.",
            ("", "auto", "off", "fixed", "depth_pro", "ground_plane", "ranges", "assumed"),
        ),
        Argument(
            "fixed_scale",
            "",
            "What the depth of a metric model is multiplied by, for scale_source fixed and auto. Empty: as the "
            "parameters file says.",
        ),
        Argument(
            "camera_height_m",
            "",
            "Height of the camera above the ground, metres, for scale_source ground_plane. Empty: as the parameters "
            "file says.",
        ),
        Argument(
            "ranges_type",
            "",
            "What comes on ranges_topic, for scale_source ranges. Empty: as the parameters file says.",
            ("", "off", "laser_scan", "range", "points"),
        ),
        Argument(
            "ranges_topic", "", "Topic of the range sensor, absolute or relative as the image topic. Empty: ranges."
        ),
        Argument(
            "use_sim_time", "", "Take the time from /clock. Empty: only if a bag is played.", ("", "true", "false")
        ),
        Argument("rviz", "false", "Show image, depth and cloud in RViz.", ("true", "false")),
        Argument("bag", "", "Bag to play, with its clock. Empty: none."),
        Argument(
            "dds_profile",
            str(share / "config" / "fastdds.xml"),
            "Fast DDS profile to use where the environment names none; none leaves the defaults.",
        ),
        Argument("log_level", "info", "Least severity that is logged.", ("debug", "info", "warn", "error", "fatal")),
    )


def with_defaults(arguments: Sequence[Argument], **defaults: str) -> tuple[Argument, ...]:
    """The arguments, some with other defaults."""
    return tuple(a._replace(default=defaults.get(a.name, a.default)) for a in arguments)
