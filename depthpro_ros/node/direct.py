# SPDX-License-Identifier: Apache-2.0
"""Publishing past rclpy's conversions; see `depthpro_ros.node.rcl` for why."""

from __future__ import annotations

from typing import Any

from rclpy.publisher import Publisher

from depthpro_ros.node import rcl
from depthpro_ros.node.cdr import SerialisedMessage


def can_publish_directly() -> bool:
    """Whether there is a use for serialised messages; rclpy would copy them twice, too."""
    return rcl.available()


def publish(publisher: Publisher, message: Any) -> None:
    """Publish a message of any kind; it may be changed again when this returns.

    Args:
        publisher: of rclpy; a lifecycle publisher that is not active publishes nothing.
        message: a ROS message, or a `SerialisedMessage` that has been sealed.

    Raises:
        RCLError: as rclpy's own publish().
    """
    if not isinstance(message, SerialisedMessage):
        publisher.publish(message)
    elif getattr(publisher, "is_activated", True) and not rcl.publish_serialised(
        publisher.handle, message.address, message.size
    ):
        # rclpy says what is wrong better than a number does
        publisher.publish(bytes(message))
