# SPDX-License-Identifier: Apache-2.0
"""A ROS network of our own, on this host alone, with shared memory for images."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from depthpro_ros.fast_dds import PROFILE_VARIABLES, profile_variables


def private_network() -> dict[str, str]:
    """Environment variables for both sides: a ROS domain that only this process and its children know."""
    # 0 to 101 are the domains that no system needs other ports for
    return local_domain(40 + os.getpid() % 60) | fast_dds_environment()


def local_domain(number: int) -> dict[str, str]:
    """Environment variables of a ROS domain on this host alone."""
    variables = {"ROS_DOMAIN_ID": str(number), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    if os.environ.get("ROS_DISTRO") == "humble":
        variables["ROS_LOCALHOST_ONLY"] = "1"
    return variables


@contextmanager
def in_private_network() -> Iterator[None]:
    """What is started or joined meanwhile is in the private network; afterwards the environment is as before.

    Everybody who wants into it has to read the environment meanwhile: rclpy does so when a context is initialised and
    its first node made.
    """
    variables = private_network()
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def fast_dds_environment() -> dict[str, str]:
    """The variable that gives Fast DDS shared memory for images; none where the user has a profile."""
    if any(os.environ.get(name) for name in PROFILE_VARIABLES):
        return {}
    profile = _profile()
    return {} if profile is None else {profile_variables(os.environ)[0]: str(profile)}


def _profile() -> Path | None:
    """config/fastdds.xml of the repository, or of the installed package's share folder."""
    roots = [Path(__file__).resolve().parents[2]]
    prefixes = [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix]
    roots += [Path(prefix) / "share" / "depthpro_ros" for prefix in prefixes if prefix]
    return next((f for f in (root / "config" / "fastdds.xml" for root in roots) if f.exists()), None)
