# SPDX-License-Identifier: Apache-2.0
"""The reader of the part "transport", in a process of its own; `depthpro_ros.bench.transport_peer` commands it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.bench.transport_load import Load

POLL_S = 2e-4
SPIN_S = 0.05


class Reader:
    """Subscribes to one load at a time and notes when its messages came.

    Args:
        node: of rclpy.
        executor: that spins it, on the thread that calls `run`.
    """

    def __init__(self, node: Any, executor: Any) -> None:
        self._node, self._executor = node, executor
        self._subscription: Any = None
        self._take: Callable[[], Any] | None = None
        self._polling = False
        self._changed = threading.Condition()
        self._arrived: list[float] = []
        self._taken: list[float] = []

    def subscribe(self, load: Load, reliable: bool, polling: bool, direct: bool) -> None:
        """Read this load from now on, and nothing else.

        Args:
            load: what.
            reliable: else best effort.
            polling: take messages without rclpy's executor, to time the taking alone.
            direct: take serialised messages.
        """
        from rclpy.qos import QoSProfile, ReliabilityPolicy

        from depthpro_ros.bench.direct_subscription import DirectSubscription

        reliability = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
        qos = QoSProfile(depth=5, reliability=reliability)
        with self._changed:
            old, self._subscription, self._take = self._subscription, None, None
            self._polling = polling
        if isinstance(old, DirectSubscription):
            old.destroy()
        elif old is not None:
            self._node.destroy_subscription(old)
        arguments = (load.message_type, load.topic, self._note, qos)
        if direct and not polling:
            self._subscription = DirectSubscription(self._node, *arguments, read=read_header)
            return
        subscription = self._subscription = self._node.create_subscription(*arguments)
        with self._changed:
            self._take = _taking(subscription, direct)

    def collect(self, count: int, late_s: float) -> dict[str, list[float]]:
        """Wait until so many messages are there, or none has come for `late_s`.

        Returns:
            Seconds from publication to arrival of those that came, and those that taking each took.
        """
        with self._changed:
            before = -1
            while before < len(self._arrived) < count:
                before = len(self._arrived)
                self._changed.wait(late_s)
            result = {"arrived": list(self._arrived), "taken": list(self._taken)}
            self._arrived.clear()
            self._taken.clear()
        return result

    def run(self, ended: threading.Event) -> None:
        """Receive until told to end."""
        while not ended.is_set():
            with self._changed:
                polling, take = self._polling, self._take
            if not polling:
                self._executor.spin_once(SPIN_S)
            elif take is not None:
                self._poll(take)

    def _note(self, message: Any) -> None:
        now, stamp = time.monotonic_ns(), message.header.stamp
        with self._changed:
            self._arrived.append((now - stamp.sec * 10**9 - stamp.nanosec) / 1e9)
            self._changed.notify_all()

    def _poll(self, take: Callable[[], Any]) -> None:
        from rclpy.exceptions import InvalidHandle

        time.sleep(POLL_S)
        began = time.perf_counter()
        try:
            message = take()
        except InvalidHandle:  # of the load before
            return
        if message is not None:
            self._taken.append(time.perf_counter() - began)
            self._note(message)


@dataclass(frozen=True)
class Headed:
    """What the reader looks at of a serialised message.

    Attributes:
        header: with the stamp.
        memory: uint8 [size], the message.
    """

    header: Any
    memory: NDArray[np.uint8]


def read_header(memory: NDArray[np.uint8]) -> Headed:
    """Of a serialised message whose first field is its header."""
    from depthpro_ros.bench.received_image import CdrReader

    return Headed(CdrReader(memory).header(), memory)


def _taking(subscription: Any, direct: bool) -> Callable[[], Any]:
    """Takes a message, or None if there is none."""
    from depthpro_ros.node import rcl

    def usual() -> Any:
        with subscription.handle:
            taken = subscription.handle.take_message(subscription.msg_type, False)
        return None if taken is None else taken[0]

    def directly() -> Any:
        memory = rcl.take_serialised(subscription.handle)
        return None if memory is None else read_header(memory)

    return directly if direct else usual
