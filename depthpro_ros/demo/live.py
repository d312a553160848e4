# SPDX-License-Identifier: Apache-2.0
"""The demo's live part: a bag into the running node in lock-step, and everything that was said into another.

rclpy is imported inside the function: the rest of the demo runs without ROS.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from depthpro_ros.demo.bag import IMAGE, bag_writer
from depthpro_ros.errors import InputError
from depthpro_ros.node.node_process import NodeProcess
from depthpro_ros.node.node_words import NodeCannotStart, NodeWords

READY_S = 180.0
"""How long the node may take to start and load its model."""


def replay_and_record(
    source: Path, target: Path, node: NodeProcess, on_frame: Callable[[int, float], None]
) -> NodeWords:
    """Send a bag's images to the node one after another, and record images, calibrations and answers.

    Args:
        source: bag with the images.
        target: bag to write; message times are those of sending and of receiving.
        node: checked while we wait.
        on_frame: called with the number of frames done and the latency of the last, milliseconds.

    Raises:
        NodeDied, NodeCannotStart, ReplayError: with what the node said last.
        InputError: there is no ROS 2.
    """
    try:
        import rclpy
        from rclpy.signals import SignalHandlerOptions
    except ImportError as error:
        raise InputError(
            f"the demo needs ROS 2 ({error}): source /opt/ros/<distro>/setup.bash, or pip install depthpro-ros[ros]"
        ) from error
    from depthpro_ros.node.bag_images import BagImages
    from depthpro_ros.node.replay import LockStepReplay
    from depthpro_ros.node.replay_base import ReplayError
    from depthpro_ros.node.replayed_frame import ReplayedFrame

    done = 0
    # Ctrl-C stays a KeyboardInterrupt
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    try:
        with BagImages(source, IMAGE) as images, bag_writer(target) as write:

            def answered(frame: ReplayedFrame) -> None:
                nonlocal done
                done += 1
                for message in frame.recording(IMAGE):
                    write(message)
                on_frame(done, frame.latency_s * 1e3)

            replay = LockStepReplay(ready_s=READY_S, node_name="depthpro_demo", watch=node.check)
            try:
                replay.run(images, answered)
            except (ReplayError, NodeCannotStart) as error:
                node.check()
                raise type(error)(f"{error}\nthe end of the node's log:\n{node.log_tail()}") from error
            finally:
                replay.close()
    finally:
        rclpy.try_shutdown()
    return replay.words
