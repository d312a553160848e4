# SPDX-License-Identifier: Apache-2.0
"""A process of the part "transport": `python -m depthpro_ros.bench.transport_peer writer|reader [keep]`.

Commands come as lines of JSON on the standard input, each is answered by one on the standard output; a first line says
that the process is ready.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from typing import Any

from depthpro_ros.bench.transport_load import Load
from depthpro_ros.bench.transport_reader import Reader
from depthpro_ros.bench.transport_writer import Writer


def main(role: str, keep_memory: bool) -> None:
    """Do as commanded until the input ends.

    Args:
        role: "writer" or "reader".
        keep_memory: see `depthpro_ros.allocator`.
    """
    import rclpy
    from rclpy.executors import SingleThreadedExecutor

    from depthpro_ros.allocator import keep_freed_memory

    if keep_memory:
        keep_freed_memory()
    rclpy.init(args=[])
    node = rclpy.create_node(role)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    ended = threading.Event()
    try:
        if role == "writer":
            _obey(Writer(node), ended)
        else:
            reader = Reader(node, executor)
            threading.Thread(target=_obey, args=(reader, ended), daemon=True).start()
            reader.run(ended)
    finally:
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown()


def _obey(peer: Writer | Reader, ended: threading.Event) -> None:
    try:
        _answer(None)
        for line in sys.stdin:
            command, arguments = json.loads(line)
            if "load" in arguments:
                arguments["load"] = Load(*arguments["load"])
            method: Callable[..., Any] = getattr(peer, command)
            _answer(method(**arguments))
    finally:
        ended.set()


def _answer(value: Any) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], "keep" in sys.argv[2:])
