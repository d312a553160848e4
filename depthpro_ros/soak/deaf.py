# SPDX-License-Identifier: Apache-2.0
"""A subscriber that says when it has heard an output first: `python -m depthpro_ros.soak.deaf OUTPUT...`.

Stopped from outside, it is deaf, and queues towards it fill up.
"""

from __future__ import annotations

import sys

import rclpy

from depthpro_ros.node.outputs import TOPICS


def main(outputs: list[str]) -> None:
    """Listen, reliably, and print each output's name when its first message has come."""
    rclpy.init(args=[])
    node = rclpy.create_node("depthpro_deaf")
    silent = set(outputs)

    def heard(name: str) -> None:
        if name in silent:
            silent.remove(name)
            print(name, flush=True)

    for name in outputs:
        # as bytes: what they say does not matter
        node.create_subscription(TOPICS[name], name, lambda _, name=name: heard(name), 10, raw=True)
    rclpy.spin(node)


if __name__ == "__main__":
    main(sys.argv[1:])
