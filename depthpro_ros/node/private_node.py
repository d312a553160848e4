# SPDX-License-Identifier: Apache-2.0
"""ROS contexts and nodes in the network of `depthpro_ros.node.network`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from depthpro_ros.node.network import in_private_network


@contextmanager
def private_context() -> Iterator[Context]:
    """A ROS context in the private network, which processes that are started meanwhile are in, too."""
    context = rclpy.Context()
    with in_private_network():
        # Ctrl-C stays a KeyboardInterrupt
        rclpy.init(args=[], context=context, signal_handler_options=SignalHandlerOptions.NO)
        try:
            yield context
        finally:
            rclpy.try_shutdown(context=context)


@contextmanager
def private_node(name: str) -> Iterator[tuple[Node, SingleThreadedExecutor]]:
    """A node of this name in a `private_context`, and an executor for it alone."""
    with private_context() as context:
        node = rclpy.create_node(name, context=context)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        try:
            yield node, executor
        finally:
            executor.shutdown()
            node.destroy_node()
