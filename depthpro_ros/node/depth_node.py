# SPDX-License-Identifier: Apache-2.0
"""The node's process: `depth_node`."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from depthpro_ros.allocator import share_one_heap
from depthpro_ros.node.ending import ANSWERED_S, DeviceLost, EndSignals, Hung, leave, limit_the_end

if TYPE_CHECKING:
    from depthpro_ros.node.loading import Load


def run(args: list[str] | None = None, *, load: Load | None = None) -> int:
    """Run the node until it is told to end, by a signal or by the lifecycle's transition to its last state.

    Args:
        args: of the command line, with its ROS arguments; None for the process's own.
        load: in place of `depthpro_ros.models.load_estimator`.

    Returns:
        The process's exit status: 0 where it was told to end, 1 where it cannot start or has lost
        its device, 3 where a frame hangs.
    """
    signals = EndSignals()
    share_one_heap()
    # imports make some hundred thousand objects that stay: looking through them again and again takes a tenth of
    # the start, and later holds up frames
    gc.disable()
    try:
        import rclpy
        from rclpy.exceptions import InvalidHandle, NotInitializedException, ParameterException
        from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
        from rclpy.impl.implementation_singleton import rclpy_implementation

        from depthpro_ros.errors import InputError
        from depthpro_ros.node.lifecycle import DepthNode
        from depthpro_ros.node.loading import load_estimator
        from depthpro_ros.node.log_folder import with_log_folder
    except BaseException:  # an interrupted import may end in other errors, too
        if not signals.came:
            raise
        return 0

    gc.freeze()
    gc.enable()
    # what rclpy raises where a signal has ended its context
    ended = (ExternalShutdownException, rclpy_implementation.RCLError, InvalidHandle, NotInitializedException)
    signals.leave_to_rclpy()
    rclpy.init(args=with_log_folder(args))
    if signals.came:
        rclpy.try_shutdown()
        return 0
    try:
        node = DepthNode(load=load or load_estimator)
    except (InputError, ParameterException) as error:
        rclpy.logging.get_logger("depth_pro").fatal(str(error))
        rclpy.try_shutdown()
        return 1
    except ended:
        if rclpy.ok():
            raise
        return 0
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    status = 0
    try:
        executor.spin_until_future_complete(node.told_to_end)
    except ended:
        if rclpy.ok():
            raise
    except (DeviceLost, Hung) as error:
        node.get_logger().fatal(f"ending, so that launch can start a new process: {error}")
        status = error.status
    limit_the_end(status, ANSWERED_S if node.told_to_end.done() else 0.0)
    finished = node.stop()
    executor.shutdown()
    node.destroy_node()
    rclpy.try_shutdown()
    if not finished:
        leave(status, "giving up a computation in progress")
    return status


def main() -> None:
    """Entry point of `depth_node`."""
    leave(run())


if __name__ == "__main__":
    main()
