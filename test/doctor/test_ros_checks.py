# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from depthpro_ros.doctor.finding import Level
from depthpro_ros.doctor.outside import Answer
from depthpro_ros.doctor.ros_checks import check_discovery, check_distribution, check_domain, check_middleware

JAZZY = {"ROS_DISTRO": "jazzy"}
HUMBLE = {"ROS_DISTRO": "humble"}
OF_JAZZY = Answer("/opt/ros/jazzy/lib/python3.12/site-packages/rclpy")
WHEEL = Answer("/home/me/.venv/lib/python3.12/site-packages/rclpy")
MISSING = Answer(failure="ModuleNotFoundError", missing=True)


@pytest.mark.parametrize(
    ("environment", "rclpy", "python", "level", "said"),
    [
        (JAZZY, OF_JAZZY, (3, 12), Level.OK, "jazzy in /opt/ros"),
        ({}, WHEEL, (3, 12), Level.OK, "wheels from PyPI"),
        ({}, MISSING, (3, 12), Level.PROBLEM, "no distribution is sourced"),
        (JAZZY, WHEEL, (3, 12), Level.WARNING, "jazzy is sourced, but rclpy comes from /home/me"),
        (JAZZY, MISSING, (3, 11), Level.PROBLEM, "rclpy cannot be imported"),
        ({"ROS_DISTRO": "foxy"}, Answer("/opt/ros/foxy/lib/rclpy"), (3, 10), Level.WARNING, "foxy"),
    ],
)
def test_distribution(
    environment: dict[str, str], rclpy: Answer, python: tuple[int, int], level: Level, said: str
) -> None:
    finding = check_distribution(environment, rclpy, python)
    assert finding.level is level and said in finding.found


def test_the_wrong_python_is_named() -> None:
    assert "jazzy is built for Python 3.12, this is 3.11" in check_distribution(JAZZY, MISSING, (3, 11)).advice


def test_middleware() -> None:
    assert check_middleware({}, Answer("rmw_fastrtps_cpp")).found == "rmw_fastrtps_cpp (the default)"
    asked = {"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"}
    assert check_middleware(asked, Answer("rmw_cyclonedds_cpp")).level is Level.OK
    finding = check_middleware(asked, Answer(failure="librmw_cyclonedds_cpp.so not found"))
    assert finding.level is Level.PROBLEM and "RMW_IMPLEMENTATION" in finding.advice


@pytest.mark.parametrize(
    ("domain", "level"),
    [
        ("", Level.OK),
        ("0", Level.OK),
        ("101", Level.OK),
        ("102", Level.WARNING),
        ("214", Level.WARNING),
        ("232", Level.OK),
        ("233", Level.PROBLEM),
        ("-1", Level.PROBLEM),
        ("robot", Level.PROBLEM),
    ],
)
def test_domain(domain: str, level: Level) -> None:
    assert check_domain({"ROS_DOMAIN_ID": domain} if domain else {}).level is level


@pytest.mark.parametrize(
    ("environment", "level", "said"),
    [
        (JAZZY, Level.OK, "its subnet"),
        (JAZZY | {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}, Level.OK, "this host only"),
        (JAZZY | {"ROS_AUTOMATIC_DISCOVERY_RANGE": "SYSTEM_DEFAULT"}, Level.OK, "middleware's own"),
        (JAZZY | {"ROS_AUTOMATIC_DISCOVERY_RANGE": "OFF"}, Level.WARNING, "not even on this host"),
        (JAZZY | {"ROS_AUTOMATIC_DISCOVERY_RANGE": "NEAR"}, Level.PROBLEM, "'NEAR'"),
        (JAZZY | {"ROS_LOCALHOST_ONLY": "1"}, Level.WARNING, "ROS_LOCALHOST_ONLY=1"),
        (HUMBLE | {"ROS_LOCALHOST_ONLY": "1"}, Level.OK, "this host only"),
        (HUMBLE | {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}, Level.WARNING, "does not know"),
        (JAZZY | {"ROS_STATIC_PEERS": "10.0.0.2"}, Level.OK, "10.0.0.2"),
    ],
)
def test_discovery(environment: dict[str, str], level: Level, said: str) -> None:
    finding = check_discovery(environment)
    assert finding.level is level and said in finding.found
    assert bool(finding.advice) == (level is not Level.OK)
