# SPDX-License-Identifier: Apache-2.0
"""A ROS network of our own, on this host alone, with shared memory for images."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FAST_DDS_PROFILE_VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")


def private_network() -> dict[str, str]:
    """Environment variables for both sides: a ROS domain that only this process and its children know."""
    # 0 to 101 are the domains that no system needs other ports for
    domain = 40 + os.getpid() % 60
    variables = {"ROS_DOMAIN_ID": str(domain), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    if os.environ.get("ROS_DISTRO") == "humble":
        variables["ROS_LOCALHOST_ONLY"] = "1"
    return variables | fast_dds_environment()


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
    if any(os.environ.get(name) for name in FAST_DDS_PROFILE_VARIABLES):
        return {}
    profile = _profile()
    # Fast DDS 2.6 of Humble knows the older name alone, and later ones warn of it
    current, old = FAST_DDS_PROFILE_VARIABLES
    name = old if os.environ.get("ROS_DISTRO") == "humble" else current
    return {} if profile is None else {name: str(profile)}


def _profile() -> Path | None:
    """config/fastdds.xml of the repository, or of the installed package's share folder."""
    roots = [Path(__file__).resolve().parents[2]]
    prefixes = [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix]
    roots += [Path(prefix) / "share" / "depthpro_ros" for prefix in prefixes if prefix]
    return next((f for f in (root / "config" / "fastdds.xml" for root in roots) if f.exists()), None)
