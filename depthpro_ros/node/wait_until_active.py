# SPDX-License-Identifier: Apache-2.0
"""Wait until the depth node of a namespace is active: `python -m depthpro_ros.node.wait_until_active /robot`."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

import rclpy
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

ASK_EVERY_S = 0.5
FORGET_AFTER_S = 5.0
"""A question that a node has not answered by then is asked again: the node may have died and come back."""
TELL_EVERY_S = 15.0


def wait(node: Node, service: str) -> None:
    """Ask a node for its state until it is active; it need not be there yet, and may die and come back meanwhile."""
    client: Any = node.create_client(GetState, service)
    told = time.monotonic()
    while not _is_active(node, client):
        if time.monotonic() - told > TELL_EVERY_S:
            told = time.monotonic()
            node.get_logger().info(f"waiting until the depth node is active ({service})")
        time.sleep(ASK_EVERY_S)


def _is_active(node: Node, client: Any) -> bool:
    if not client.wait_for_service(ASK_EVERY_S):
        return False
    answer = client.call_async(GetState.Request())
    # a node that loads its network answers when it is done
    rclpy.spin_until_future_complete(node, answer, timeout_sec=FORGET_AFTER_S)
    if not answer.done():
        client.remove_pending_request(answer)
        return False
    return answer.result().current_state.id == State.PRIMARY_STATE_ACTIVE


def main(arguments: Sequence[str] = tuple(sys.argv[1:])) -> int:
    """Wait; 0 once it is active, 1 where we are told to end before."""
    namespace = arguments[0].strip("/") if arguments else ""
    service = "/".join(["", *filter(None, [namespace]), "depth_pro", "get_state"])
    # Ctrl-C stays a KeyboardInterrupt
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    try:
        # wall time: a clock that only a recording advances stands still while we wait for it
        wait(Node("wait_until_active", namespace=f"/{namespace}"), service)
    except KeyboardInterrupt:
        return 1
    finally:
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
