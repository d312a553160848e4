# SPDX-License-Identifier: Apache-2.0
"""A ROS network of our own, on this host alone, with shared memory for images."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from depthpro_ros.fast_dds import PROFILE_VARIABLES, profile_variables

if TYPE_CHECKING:
    from rclpy.context import Context
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.node import Node


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


@contextmanager
def private_context() -> Iterator[Context]:
    """A ROS context in the private network, which processes that are started meanwhile are in, too."""
    import rclpy
    from rclpy.signals import SignalHandlerOptions

    context = rclpy.Context()
    with in_private_network():
        # Ctrl-C stays a KeyboardInterrupt
        rclpy.init(args=[], context=context, signal_handler_options=SignalHandlerOptions.NO)
        try:
            yield context
        finally:
            rclpy.try_shutdown(context=context)


@contextmanager
def private_node(name: str) -> Iterator[tuple[Node, SingleThreadedExecutor]]:
    """A node of this name in a `private_context`, and an executor for it alone."""
    import rclpy
    from rclpy.executors import SingleThreadedExecutor

    with private_context() as context:
        node = rclpy.create_node(name, context=context)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        try:
            yield node, executor
        finally:
            executor.shutdown()
            node.destroy_node()


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
