# SPDX-License-Identifier: Apache-2.0
"""Subscribing past rclpy's conversions; see `depthpro_ros.node.rcl` for why."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.callback_groups import CallbackGroup
from rclpy.exceptions import InvalidHandle
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from rclpy.waitable import NumberOfEntities, Waitable

from depthpro_ros.bench.received_image import read_image
from depthpro_ros.node import rcl


class _LeftAlone(CallbackGroup):
    """Keeps an executor from taking a subscription's messages. Its events are told all the same."""

    def can_execute(self, entity: Any) -> bool:
        return not isinstance(entity, Subscription)

    def beginning_execution(self, entity: Any) -> bool:
        return self.can_execute(entity)

    def ending_execution(self, entity: Any) -> None:
        pass


class DirectSubscription(Waitable):
    """A subscription whose messages are not copied into Python objects.

    Args:
        node: whose executor runs the callback.
        message_type: sensor_msgs/Image, unless `read` is for another.
        topic: to subscribe to.
        callback: gets what `read` makes of each message.
        qos: quality of service.
        read: called with a serialised message, uint8 [size]. That is memory of its own, which is freed when nobody
            refers to it any more.
        event_callbacks: of the subscription; see `rclpy.node.Node.create_subscription`.
    """

    def __init__(
        self,
        node: Node,
        message_type: type,
        topic: str,
        callback: Callable[[Any], None],
        qos: QoSProfile,
        *,
        read: Callable[[NDArray[np.uint8]], Any] = read_image,
        event_callbacks: Any = None,
    ) -> None:
        super().__init__(node.default_callback_group)
        self._node, self._callback, self._read = node, callback, read
        self._in_use = False
        self._index: int | None = None
        self._subscription = node.create_subscription(
            message_type, topic, callback, qos, callback_group=_LeftAlone(), event_callbacks=event_callbacks
        )
        self._handle = self._subscription.handle
        node.add_waitable(self)

    def destroy(self) -> None:
        """End the subscription."""
        self._node.remove_waitable(self)
        self._node.destroy_subscription(self._subscription)

    # What rclpy's executors ask of a waitable

    def __enter__(self) -> None:
        self._in_use = False
        self._handle.__enter__()  # raises InvalidHandle where another thread has destroyed it
        self._in_use = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._in_use = False
        self._handle.__exit__(kind, error, trace)

    def get_num_entities(self) -> NumberOfEntities:
        """One subscription."""
        return NumberOfEntities(num_subs=1)

    def add_to_wait_set(self, wait_set: Any) -> None:
        """Wait for messages."""
        self._index = wait_set.add_subscription(self._handle) if self._in_use else None

    def is_ready(self, wait_set: Any) -> bool:
        """There is a message."""
        return self._index is not None and bool(wait_set.is_ready("subscription", self._index))

    def take_data(self) -> Any:
        """Take it; None where another was quicker."""
        try:
            memory = rcl.take_serialised(self._handle)
        except InvalidHandle:
            return None
        return None if memory is None else self._read(memory)

    async def execute(self, taken_data: Any) -> None:
        """Call the callback."""
        if taken_data is not None:
            self._callback(taken_data)
