# SPDX-License-Identifier: Apache-2.0
"""The demo's live part: a bag into the running node in lock-step, and everything that was said into another.

rclpy is imported inside the functions: the rest of the demo runs without ROS.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from depthpro_ros.demo.bag import CAMERA_INFO, IMAGE, RawMessage, bag_writer
from depthpro_ros.demo.node_process import NodeDied, NodeProcess
from depthpro_ros.errors import DepthProError, InputError

READY_S = 180.0
"""How long the node may take to start and load its model."""
_WARN, _ERROR = b"\x01", b"\x02"


class NodeCannotStart(DepthProError):
    """The node runs and says that it cannot work: no weights, no such device."""


@dataclass
class NodeWords:
    """What the node's diagnostics said.

    Attributes:
        model: name of its model.
        notice: what its user must know about the model; empty if nothing.
        values: keys and values of the last message.
    """

    model: str = ""
    notice: str = ""
    values: dict[str, str] = field(default_factory=dict)

    def hear(self, level: bytes, message: str, hardware_id: str, values: dict[str, str]) -> None:
        """Take in one status.

        Raises:
            NodeCannotStart: the node says so.
        """
        if level == _ERROR and values.get("state") == "unconfigured":
            raise NodeCannotStart(f"the node cannot start: {message}")
        self.values = values
        self.model = hardware_id or self.model
        if level == _WARN:
            self.notice = message


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
        NodeDied, NodeCannotStart: with what the node said last.
        DepthProError: a frame stayed unanswered.
        InputError: there is no ROS 2.
    """
    try:
        import rclpy
        from diagnostic_msgs.msg import DiagnosticArray
        from rclpy.signals import SignalHandlerOptions
    except ImportError as error:
        raise InputError(
            f"the demo needs ROS 2 ({error}): source /opt/ros/<distro>/setup.bash, or pip install depthpro-ros[ros]"
        ) from error
    from depthpro_ros.node.replay import LockStepReplay, ReplayedFrame

    words = NodeWords()
    done = 0

    def heard(array: Any) -> None:
        for status in array.status:
            values = {v.key: v.value for v in status.values}
            if "frames out" in values:
                words.hear(status.level, status.message, status.hardware_id, values)

    # Ctrl-C stays a KeyboardInterrupt
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    try:
        with bag_writer(target) as write:

            def answered(frame: ReplayedFrame) -> None:
                nonlocal done
                done += 1
                received = time.time_ns()
                for message in raw_messages(frame, received):
                    write(message)
                on_frame(done, frame.latency_s * 1e3)

            replay = LockStepReplay(ready_s=READY_S, node_name="depthpro_demo")
            try:
                # exceptions in callbacks come out of replay.run: nobody waits for a node that is gone
                replay.create_subscription(DiagnosticArray, "/diagnostics", heard, 10)
                replay.create_timer(0.5, node.check)
                replay.run(source, answered, bag_topic=IMAGE)
            except DepthProError as error:
                node.check()
                raise type(error)(f"{error}\nthe end of the node's log:\n{node.log_tail()}") from error
            finally:
                replay.close()
    finally:
        rclpy.try_shutdown()
    return words


def raw_messages(frame: Any, received_ns: int) -> list[RawMessage]:
    """A `ReplayedFrame` as messages of a bag: what was sent, then what was received."""
    from rclpy.serialization import serialize_message

    sent_ns = received_ns - round(frame.latency_s * 1e9)
    messages = [] if frame.camera_info is None else [(CAMERA_INFO, frame.camera_info, sent_ns)]
    messages.append((IMAGE, frame.image, sent_ns))
    messages += [(f"/{name}", message, received_ns) for name, message in frame.outputs.items()]
    return [(topic, _type_name(message), at, serialize_message(message)) for topic, message, at in messages]


def _type_name(message: Any) -> str:
    """For example `sensor_msgs/msg/Image`."""
    return f"{type(message).__module__.split('.')[0]}/msg/{type(message).__name__}"


__all__ = ["NodeCannotStart", "NodeDied", "NodeWords", "raw_messages", "replay_and_record"]
