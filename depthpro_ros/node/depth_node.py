# SPDX-License-Identifier: Apache-2.0
"""The node's process: `depth_node`."""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from depthpro_ros.node.loading import Load


def run(args: list[str] | None = None, *, load: Load | None = None) -> int:
    """Run the node until it is told to end; returns the process's exit status.

    Args:
        args: of the command line, with its ROS arguments; None for the process's own.
        load: in place of `depthpro_ros.models.load_estimator`.
    """
    # imports make some hundred thousand objects that stay: looking through them again and again takes a tenth of
    # the start, and later holds up frames
    gc.disable()
    import rclpy
    from rclpy.exceptions import ParameterException
    from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
    from rclpy.impl.implementation_singleton import rclpy_implementation

    from depthpro_ros.errors import InputError
    from depthpro_ros.node.lifecycle import DepthNode, DeviceLost
    from depthpro_ros.node.loading import load_estimator

    gc.freeze()
    gc.enable()
    rclpy.init(args=args)
    try:
        node = DepthNode(load=load or load_estimator)
    except (InputError, ParameterException) as error:
        rclpy.logging.get_logger("depth_pro").fatal(str(error))
        rclpy.try_shutdown()
        return 1
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    status = 0
    try:
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except rclpy_implementation.RCLError:
        if rclpy.ok():  # else the signal came between two of the executor's own steps
            raise
    except DeviceLost as error:
        node.get_logger().fatal(f"ending, so that launch can start a new process: {error}")
        status = 1
    # `ros2 launch` and the terminal may both send SIGINT
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not node.stop():
        print("depth_node: giving up a computation in progress", file=sys.stderr, flush=True)
        os._exit(status)  # a thread inside torch can neither be ended nor outlive the interpreter
    gc.unfreeze()  # or Fast DDS's participant is never destroyed and leaves its shared memory behind
    node.destroy_node()
    rclpy.try_shutdown()
    return status


def main() -> None:
    """Entry point of `depth_node`."""
    sys.exit(run())


if __name__ == "__main__":
    main()
