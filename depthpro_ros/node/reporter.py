# SPDX-License-Identifier: Apache-2.0
"""Publishes /diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from std_msgs.msg import Header

from depthpro_ros.node.cameras import Camera
from depthpro_ros.node.diagnostics import Condition, camera_status
from depthpro_ros.node.timers import steady_timer


class Reporter:
    """Says of each camera of a node how it fares, again and again.

    Args:
        node: that publishes.
        cameras: the node's.
        condition: gives the condition of the node itself.
        period_s: time between two messages.
    """

    def __init__(
        self, node: Node, cameras: Sequence[Camera], condition: Callable[[], Condition], period_s: float
    ) -> None:
        self._node, self._cameras, self._condition = node, cameras, condition
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        steady_timer(node, period_s, self.report)

    def report(self) -> None:
        """Publish a message now."""
        name, condition = self._node.get_fully_qualified_name(), self._condition()
        statuses = [
            camera_status(
                f"{name}: {camera.name} depth" if camera.name else f"{name}: depth",
                camera.statistics,
                condition,
                camera.facts(),
            )
            for camera in self._cameras
        ]
        header = Header(stamp=self._node.get_clock().now().to_msg())
        self._publisher.publish(DiagnosticArray(header=header, status=statuses))
