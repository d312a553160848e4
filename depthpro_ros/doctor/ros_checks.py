# SPDX-License-Identifier: Apache-2.0
"""The ROS installation, its middleware, and whom it talks to."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from depthpro_ros.doctor.finding import Finding, ok, problem, warning
from depthpro_ros.doctor.outside import Answer, ask

SUPPORTED = {"humble": (3, 10), "iron": (3, 10), "jazzy": (3, 12), "kilted": (3, 12), "rolling": (3, 12)}
"""Distributions, and the Python that their Ubuntu packages are built for; Rolling's may be newer."""
GREATEST_DOMAIN = 232
"""Of the ports that DDS computes from a domain, those of higher ones do not exist."""
SAFE_DOMAINS = (range(0, 102), range(215, 233))
"""On Linux; the ports of the others are also given to outgoing connections (docs.ros.org, "The ROS_DOMAIN_ID")."""
DISCOVERY_RANGES = ("SUBNET", "LOCALHOST", "OFF", "SYSTEM_DEFAULT")


def check_distribution(environment: Mapping[str, str], rclpy: Answer, python: tuple[int, int]) -> Finding:
    """Where ROS comes from, and whether it is for this Python.

    Args:
        environment: variables.
        rclpy: where rclpy lies.
        python: major and minor version.
    """
    distribution = environment.get("ROS_DISTRO", "")
    if rclpy.missing and not distribution:
        return problem(
            "ROS",
            "none: no distribution is sourced, and no wheels are installed",
            "source /opt/ros/<distribution>/setup.bash; without one: pip install 'depthpro_ros[ros]'. "
            "depthpro image, evaluate, train and scenes work without ROS",
        )
    if rclpy.failure:
        built_for = SUPPORTED.get(distribution)
        advice = "source the distribution in a new terminal, then activate the virtual environment"
        if built_for and built_for != python:
            wanted, this = ".".join(map(str, built_for)), ".".join(map(str, python))
            advice = (
                f"{distribution} is built for Python {wanted}, this is {this}: use the system's Python, and virtual "
            )
            advice += "environments made by it with --system-site-packages"
        return problem("ROS", f"{distribution or 'wheels'}: rclpy cannot be imported: {rclpy.failure}", advice)
    where = str(rclpy.value)
    if not distribution:
        return ok("ROS", f"wheels from PyPI in {where}; on a robot use your distribution")
    if "/opt/ros/" not in where and "site-packages" in where:
        return warning(
            "ROS",
            f"{distribution} is sourced, but rclpy comes from {where}",
            "wheels and a distribution do not mix: uninstall the wheels (pip uninstall ros-rclpy) or do not source",
        )
    if distribution not in SUPPORTED:
        return warning("ROS", f"{distribution} in {where}", f"tested are {', '.join(SUPPORTED)}")
    return ok("ROS", f"{distribution} in {where}")


def check_middleware(environment: Mapping[str, str], used: Answer) -> Finding:
    """Which middleware is used.

    Args:
        environment: variables.
        used: what rclpy says.
    """
    asked = environment.get("RMW_IMPLEMENTATION", "")
    if used.failure:
        advice = "install the package of RMW_IMPLEMENTATION, or unset it" if asked else "install an rmw package"
        return problem("middleware", f"{asked or 'the default'}: {used.failure}", advice)
    return ok("middleware", f"{used.value}" + (" (RMW_IMPLEMENTATION)" if asked else " (the default)"))


def check_domain(environment: Mapping[str, str]) -> Finding:
    """Whether ROS_DOMAIN_ID is one that works."""
    text = environment.get("ROS_DOMAIN_ID", "")
    if not text:
        return ok("ROS_DOMAIN_ID", "not set, so 0")
    if not text.isdecimal() or int(text) > GREATEST_DOMAIN:
        return problem("ROS_DOMAIN_ID", repr(text), f"it must be a whole number from 0 to {GREATEST_DOMAIN}")
    if not any(int(text) in domains for domains in SAFE_DOMAINS):
        return warning(
            "ROS_DOMAIN_ID",
            text,
            "its ports are also given to outgoing connections: take one of 0 to 101, or 215 to 232",
        )
    return ok("ROS_DOMAIN_ID", f"{text}; every terminal and machine needs the same")


def check_discovery(environment: Mapping[str, str]) -> Finding:
    """Whether other machines are seen, and whether the variables contradict each other."""
    reach = environment.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "")
    localhost = environment.get("ROS_LOCALHOST_ONLY", "")
    old = environment.get("ROS_DISTRO") in ("humble", "iron")
    peers = environment.get("ROS_STATIC_PEERS", "")
    if reach and reach.upper() not in DISCOVERY_RANGES:
        return problem(
            "discovery", f"ROS_AUTOMATIC_DISCOVERY_RANGE is {reach!r}", f"one of {', '.join(DISCOVERY_RANGES)}"
        )
    if old and reach:
        return warning(
            "discovery",
            f"{environment.get('ROS_DISTRO')} does not know ROS_AUTOMATIC_DISCOVERY_RANGE ({reach})",
            "use ROS_LOCALHOST_ONLY=1 there",
        )
    if localhost == "1" and not old:
        return warning(
            "discovery",
            "ROS_LOCALHOST_ONLY=1: this host only" + (f"; it overrides the range {reach}" if reach else ""),
            "since Iron it is deprecated: unset it, and set ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST if that is meant",
        )
    if localhost == "1" or reach.upper() == "LOCALHOST":
        return ok("discovery", "this host only: nodes on other machines are not heard")
    if reach.upper() == "OFF":
        return warning(
            "discovery",
            "ROS_AUTOMATIC_DISCOVERY_RANGE=OFF: no other node is heard, not even on this host",
            "unset it, or set it to LOCALHOST or SUBNET",
        )
    if reach.upper() == "SYSTEM_DEFAULT":
        return ok("discovery", "as the middleware's own settings say")
    return ok("discovery", "this host and its subnet" + (f", and {peers}" if peers else ""))


def check_all(environment: Mapping[str, str]) -> tuple[list[Finding], str]:
    """All of this file; and the middleware in use, empty where there is none.

    Args:
        environment: variables.
    """
    rclpy = ask("rclpy", "rclpy.__path__[0]")
    findings = [check_distribution(environment, rclpy, sys.version_info[:2])]
    used = ""
    if not rclpy.failure:
        answer = ask("rclpy", "rclpy.get_rmw_implementation_identifier()")
        used = "" if answer.failure else str(answer.value)
        findings.append(check_middleware(environment, answer))
    return [*findings, check_domain(environment), check_discovery(environment)], used
