# SPDX-License-Identifier: Apache-2.0
"""The writer of the part "transport", in a process of its own; `depthpro_ros.bench.transport_peer` commands it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from depthpro_ros.bench.transport_load import Load
from depthpro_ros.bench.transport_ticks import BEFORE_S, Ticks

PATIENCE_S = 20.0
"""For the readers to be found."""
QUIET_S = 0.1
"""After a writer and a reader have found one another: for what the middleware still has to tell."""


class Writer:
    """Publishes one load after another; it is reliable and keeps two messages, as the node's outputs.

    Args:
        node: of rclpy.
    """

    def __init__(self, node: Any) -> None:
        self._node = node
        self._publishers: dict[Load, Any] = {}
        self._messages: dict[tuple[Load, str], Any] = {}

    def connect(self, load: Load, readers: int) -> int:
        """Wait until so many read this load; how many do."""
        publisher = self._publisher(load)
        end = time.monotonic() + PATIENCE_S
        while publisher.get_subscription_count() != readers and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(QUIET_S)
        return int(publisher.get_subscription_count())

    def publish(self, load: Load, count: int, how: str, period_s: float = 0.0) -> list[float]:
        """Publish so often, in this rhythm; how long each took, seconds.

        Args:
            load: what.
            count: how often.
            how: "message", rclpy's publish(); "bytes", the same with a message that is serialised already; "direct", as
                the node does it.
            period_s: from one to the next.
        """
        send = self._sender(load, how)
        seconds = []
        due = time.monotonic()
        for _ in range(count):
            time.sleep(max(0.0, due - time.monotonic()))
            due += period_s
            began = time.perf_counter()
            send()
            seconds.append(time.perf_counter() - began)
        return seconds

    def stand_still(self, load: Load, count: int, how: str) -> list[float]:
        """Publish so often; the longest that another Python thread waited during each, seconds."""
        send = self._sender(load, how)
        gaps = []
        with Ticks.running() as ticks:
            for _ in range(count):
                time.sleep(BEFORE_S)
                began = time.perf_counter()
                send()
                ended = time.perf_counter()
                time.sleep(BEFORE_S)
                gaps.append(ticks.longest_gap(began, ended))
        return gaps

    def _sender(self, load: Load, how: str) -> Callable[[], None]:
        """Publishes the load with the time in its stamp."""
        from depthpro_ros.node.direct import publish

        publisher = self._publisher(load)
        if how == "message":
            message = self._made(load, how, load.message)
            return lambda: publisher.publish(stamped(message))
        serialised = self._made(load, how, load.serialised)
        if how == "bytes":
            raw = bytes(serialised.sealed())
            return lambda: publisher.publish(raw)  # whose stamp nobody reads

        def directly() -> None:
            stamped(serialised.message)
            publish(publisher, serialised.sealed())

        return directly

    def _publisher(self, load: Load) -> Any:
        from rclpy.qos import QoSProfile, ReliabilityPolicy

        if load not in self._publishers:
            qos = QoSProfile(depth=2, reliability=ReliabilityPolicy.RELIABLE)
            self._publishers[load] = self._node.create_publisher(load.message_type, load.topic, qos)
        return self._publishers[load]

    def _made(self, load: Load, how: str, make: Callable[[], Any]) -> Any:
        """What is published, made once; of one load at a time, since they are large."""
        if (load, how) not in self._messages:
            self._messages = {key: value for key, value in self._messages.items() if key[0] == load}
            self._messages[load, how] = make()
        return self._messages[load, how]


def stamped(message: Any) -> Any:
    """The message with the time now in its stamp."""
    stamp = message.header.stamp
    stamp.sec, stamp.nanosec = divmod(time.monotonic_ns(), 10**9)
    return message
