# SPDX-License-Identifier: Apache-2.0
"""A subscription that asks for the reliability that its publishers offer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks

REEXAMINE_S = 1.0


class MatchedSubscription:
    """Subscribes reliably where every publisher of the topic offers it, else best effort.

    A reliable subscriber gets nothing from a best-effort publisher; a best-effort subscriber loses nearly
    every large image of a reliable one on the default transport. So the choice is made anew when publishers
    come or go: at once where the middleware tells, within a second where it does not.

    Args:
        node: whose executor runs the callback.
        message_type, topic: what to subscribe; the topic fully resolved.
        callback: gets each message.
        depth: messages kept for a late callback.
        reliability: `auto`, or `reliable` or `best_effort` whatever the publishers offer.
    """

    def __init__(
        self,
        node: Node,
        message_type: type,
        topic: str,
        callback: Callable[[Any], None],
        *,
        depth: int = 1,
        reliability: str = "auto",
    ) -> None:
        self._node, self._type, self.topic, self._callback, self._depth = node, message_type, topic, callback, depth
        self._auto = reliability == "auto"
        self._subscription: Any = None
        self._changed = node.create_guard_condition(self._reexamine)
        # not by the node's own clock: a simulation's may stand still
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(REEXAMINE_S, self._reexamine, clock=steady) if self._auto else None
        self.reliability = self._offered() if self._auto else ReliabilityPolicy[reliability.upper()]
        self._subscribe()

    def destroy(self) -> None:
        """End the subscription."""
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
        self._node.destroy_guard_condition(self._changed)
        self._node.destroy_subscription(self._subscription)

    @property
    def publishers(self) -> int:
        """How many publishers the topic has."""
        return self._node.count_publishers(self.topic)

    @property
    def publisher_names(self) -> list[str]:
        """The nodes that publish the topic, each as often as it has a publisher."""
        publishers = self._node.get_publishers_info_by_topic(self.topic)
        return sorted(f"{p.node_namespace.rstrip('/')}/{p.node_name}" for p in publishers)

    def _offered(self) -> ReliabilityPolicy:
        """What all publishers offer; reliable while there is none, which is what most drivers offer."""
        publishers = self._node.get_publishers_info_by_topic(self.topic)
        if any(p.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT for p in publishers):
            return ReliabilityPolicy.BEST_EFFORT
        return ReliabilityPolicy.RELIABLE

    def _reexamine(self) -> None:
        if self._auto and (offered := self._offered()) != self.reliability:
            self._node.get_logger().info(f"{self.topic}: publishers changed, subscribing {offered.name.lower()}")
            self._node.destroy_subscription(self._subscription)
            self.reliability = offered
            self._subscribe()

    def _subscribe(self) -> None:
        self._subscription = self._node.create_subscription(
            self._type,
            self.topic,
            self._callback,
            QoSProfile(depth=self._depth, reliability=self.reliability),
            event_callbacks=self._events(),
        )

    def _events(self) -> SubscriptionEventCallbacks | None:
        if not self._auto:
            return None  # rclpy's own callbacks warn about a publisher that does not match

        def changed(_: Any) -> None:
            # not here: a subscription must not be destroyed by its own event
            self._changed.trigger()

        try:
            return SubscriptionEventCallbacks(incompatible_qos=changed, matched=changed)
        except TypeError:  # Humble has no matched event; the timer sees it
            return SubscriptionEventCallbacks(incompatible_qos=changed)
