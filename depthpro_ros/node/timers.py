# SPDX-License-Identifier: Apache-2.0
"""Timers by a clock that always goes: the node's own may be a simulation's, which stands still."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.timer import Timer

RETRY_S, RETRY_LATER_S = 5.0, 60.0
"""Something is tried again after so long, and then twice as long each time up to."""


def steady_timer(node: Node, period_s: float, callback: Callable[[], None]) -> Timer:
    """A timer of a node, in real time."""
    return node.create_timer(period_s, callback, clock=Clock(clock_type=ClockType.STEADY_TIME))


class Retry:
    """Tries something again later, and after each time later still.

    Args:
        node: on whose executor's thread.
        attempt: what to try, called once for each `later`.
    """

    def __init__(self, node: Node, attempt: Callable[[], None]) -> None:
        self._node, self._attempt = node, attempt
        self._pause_s = RETRY_S
        self._timer: Timer | None = None

    def later(self) -> None:
        """Try again after the next pause."""
        self.cancel()
        self._timer = steady_timer(self._node, self._pause_s, self._now)
        self._pause_s = min(2 * self._pause_s, RETRY_LATER_S)

    def cancel(self) -> None:
        """There is nothing to try any more, until `later` is called again."""
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
            self._timer = None

    def _now(self) -> None:
        self.cancel()
        self._attempt()
