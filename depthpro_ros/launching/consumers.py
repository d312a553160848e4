# SPDX-License-Identifier: Apache-2.0
"""Nodes of other packages that read what the depth node publishes: which, with which parameters and topics."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from depthpro_ros.errors import InputError
from depthpro_ros.launching.values import camera_names


@dataclass(frozen=True)
class ConsumerNode:
    """A node of another package.

    Attributes:
        package, executable, name: as `ros2 run` and the parameters file know it.
        parameters: YAML files and values; later ones win.
        remappings: from the node's name of a topic to ours, relative to the node's namespace.
        camera: whose namespace inside that of the depth node the node is in; empty is that of the depth node.
        remedy: what to do where the package is not installed and apt does not have it; empty where it has.
    """

    package: str
    executable: str
    name: str
    parameters: tuple[str | Mapping[str, Any], ...] = ()
    remappings: tuple[tuple[str, str], ...] = ()
    camera: str = ""
    remedy: str = ""


def one_camera(value: Mapping[str, str], consumer: str) -> None:
    """Check that the launch arguments do not name several cameras.

    Raises:
        InputError: they do, and the consumer reads one.
    """
    if camera_names(value["cameras"]):
        raise InputError(
            f"cameras is {value['cameras']!r}, and {consumer} reads one camera: leave it empty, or start "
            "multi_camera.launch.py and this consumer by itself in the namespace of one camera"
        )


def require_packages(
    remedies: Mapping[str, str], prefix_of: Callable[[str], str] | None = None, distribution: str | None = None
) -> None:
    """Check that packages are installed.

    Args:
        remedies: their names, each with what to do where it is missing; empty means that apt has it.
        prefix_of: where a package is installed, LookupError where it is not; None asks the ament index.
        distribution: of ROS; None reads ROS_DISTRO.

    Raises:
        InputError: names those that are not, and how to get them.
    """
    find = prefix_of or _ament_prefix
    distribution = distribution or os.environ.get("ROS_DISTRO") or "<distro>"
    missing = [name for name in remedies if not _is_found(name, find)]
    if not missing:
        return
    debian = [f"ros-{distribution}-{name.replace('_', '-')}" for name in missing if not remedies[name]]
    ways = [f"sudo apt install {' '.join(debian)}"] if debian else []
    ways += [remedies[name] for name in missing if remedies[name]]
    raise InputError(
        f"not installed: {', '.join(missing)}. Do: {'; '.join(ways)}. A workspace that has them must be sourced first"
    )


def _ament_prefix(name: str) -> str:
    from ament_index_python.packages import get_package_prefix

    return get_package_prefix(name)


def _is_found(name: str, prefix_of: Callable[[str], str]) -> bool:
    try:
        prefix_of(name)
    except LookupError:
        return False
    return True


def packages_of(nodes: Sequence[ConsumerNode]) -> dict[str, str]:
    """The packages of some nodes, with their remedies, for `require_packages`."""
    return {node.package: node.remedy for node in nodes}
