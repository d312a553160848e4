# SPDX-License-Identifier: Apache-2.0
"""All checks, in the order in which they are shown."""

from __future__ import annotations

import os

from depthpro_ros import __version__
from depthpro_ros.doctor import python_checks, ros_checks, shared_memory, torch_checks, torch_facts
from depthpro_ros.doctor.finding import Finding, Report, Section, problem
from depthpro_ros.doctor.outside import Answer

BYTES_PER_POINT = 16
FULL_HD_CLOUD = 1920 * 1080 * BYTES_PER_POINT
"""Bytes of the largest usual message: an organised cloud of a 1920x1080 camera."""


def examine(model: str = "auto", topic: str = "", seconds: float = 5.0) -> Report:
    """Check this machine and, where a topic is named, the running graph.

    Args:
        model: as the node's parameter of that name.
        topic: of images; empty looks at no graph.
        seconds: how long to listen to it.
    """
    python = python_checks.check_all()
    torch = torch_facts.look()
    weights, name = _weights(model, torch)
    ros, middleware = ros_checks.check_all(os.environ)
    graph, message_bytes = _graph(topic, seconds, usable=bool(middleware)) if topic else ([], FULL_HD_CLOUD)
    memory = shared_memory.check_all(os.environ, middleware, message_bytes)
    sections = [
        Section("Python and libraries", tuple(python)),
        Section("torch and the model", (*torch_checks.check_all(torch, name), weights)),
        Section("ROS", tuple(ros)),
        Section("Shared memory", tuple(memory)),
    ]
    if topic:
        sections.append(Section(f"Graph around {topic}", tuple(graph)))
    return Report(__version__, tuple(sections))


def _weights(model: str, torch: Answer) -> tuple[Finding, str]:
    """The weights' finding, and which network they are; what finds them needs torch in this process."""
    failure = f"torch: {torch.failure}" if torch.failure else ""
    try:
        if not failure:
            from depthpro_ros.doctor.weights_checks import check_weights

            return check_weights(model)
    except ImportError as error:
        failure = str(error)
    return problem("weights", f"not looked for: {failure}", "install what is missing above"), "depth_pro"


def _graph(topic: str, seconds: float, *, usable: bool) -> tuple[list[Finding], int]:
    """The graph's findings, and the bytes of the largest message there: a cloud of the image's size."""
    if not usable:
        return [problem("graph", "not looked at: ROS does not work here", "see ROS above")], FULL_HD_CLOUD
    try:
        from depthpro_ros.doctor import graph
        from depthpro_ros.node.graph_checks import observe
    except ImportError as error:
        return [problem("graph", f"not looked at: {error}", "install what is missing above")], FULL_HD_CLOUD
    facts = observe(topic, seconds)
    pixels = facts.last.width * facts.last.height if facts.last else 0
    return graph.check_all(facts), pixels * BYTES_PER_POINT or FULL_HD_CLOUD
