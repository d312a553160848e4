# SPDX-License-Identifier: Apache-2.0
"""Waiting for the depth node, with a node that only says its state."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
import rclpy
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from depthpro_ros.node import wait_until_active

PATIENCE_S = 60.0


@pytest.fixture
def serve() -> Iterator[Callable[[list[int]], list[int]]]:
    """Serve these states one after another, the last for ever; the list gets those that were asked for."""
    node = Node("states", namespace="/waiting")
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin, daemon=True)

    def serve_(states: list[int]) -> list[int]:
        asked: list[int] = []

        def answer(_: GetState.Request, response: GetState.Response) -> GetState.Response:
            asked.append(states[min(len(asked), len(states) - 1)])
            response.current_state.id = asked[-1]
            return response

        node.create_service(GetState, "depth_pro/get_state", answer)
        thread.start()
        return asked

    yield serve_
    executor.shutdown()
    thread.join(PATIENCE_S)
    node.destroy_node()


def test_it_ends_once_the_node_is_active(
    serve: Callable[[list[int]], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wait_until_active, "ASK_EVERY_S", 0.02)
    states = [State.PRIMARY_STATE_UNCONFIGURED, State.PRIMARY_STATE_INACTIVE, State.PRIMARY_STATE_ACTIVE]
    waiting = Node("waiting")
    ended = threading.Thread(
        target=lambda: wait_until_active.wait(waiting, "/waiting/depth_pro/get_state"), daemon=True
    )
    ended.start()
    ended.join(0.3)
    assert ended.is_alive(), "nobody is there yet"
    asked = serve(states)
    ended.join(PATIENCE_S)
    assert not ended.is_alive() and asked == states
    waiting.destroy_node()
    assert rclpy.ok()
