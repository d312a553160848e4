# SPDX-License-Identifier: Apache-2.0
"""A camera driver and a consumer for a depth node in another process, both over real topics."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from depthpro_ros.bench.pictures import Picture
from depthpro_ros.errors import DepthProError
from depthpro_ros.node.node_process import NodeProcess

PATIENCE_S = 120.0
"""How long a node may take to load its model, or for a frame."""
RETRY_S = 0.2
DEPTH, DEPTH_INFO, POINTS = "depth/image", "depth/camera_info", "depth/points"
ALL_OUTPUTS = (DEPTH, DEPTH_INFO, POINTS)


class NoAnswer(DepthProError):
    """The node runs and does not answer."""


def no_ros() -> str:
    """Why there is no ROS to measure with; empty if there is."""
    try:
        import diagnostic_msgs.msg  # noqa: F401
        import rclpy  # noqa: F401
        import sensor_msgs.msg  # noqa: F401
    except ImportError as error:
        return f"there is no ROS 2 here ({error})"
    return ""


class Peer:
    """Publishes pictures as some cameras and listens to the node's outputs.

    Args:
        node: an rclpy node.
        executor: that spins it.
        cameras: their names; "" is one without a name, whose topics have no prefix.
        outputs: topics of each camera to listen to.

    Attributes:
        said: what the node's diagnostics said last, key to value.
        frames: how many answers came, by camera and output.
    """

    def __init__(self, node: Any, executor: Any, cameras: Sequence[str], outputs: Sequence[str]) -> None:
        from diagnostic_msgs.msg import DiagnosticArray
        from sensor_msgs.msg import CameraInfo, Image

        from depthpro_ros.node.outputs import TOPICS

        self._executor = executor
        self._prefixes = [f"{camera}/" if camera else "" for camera in cameras]
        self._expected = [(prefix, output) for prefix in self._prefixes for output in outputs]
        self._arrived: dict[tuple[str, str], tuple[int, float]] = {}
        self.frames = dict.fromkeys(self._expected, 0)
        self.said: dict[str, str] = {}
        self._messages: dict[int, tuple[Any, Any]] = {}
        self._publishers = [
            (node.create_publisher(Image, f"{p}image", 2), node.create_publisher(CameraInfo, f"{p}camera_info", 2))
            for p in self._prefixes
        ]
        for prefix, output in self._expected:
            node.create_subscription(TOPICS[output], prefix + output, self._listener((prefix, output)), 2)
        node.create_subscription(DiagnosticArray, "/diagnostics", self._hear, 10)

    def _listener(self, key: tuple[str, str]) -> Callable[[Any], None]:
        def listen(message: Any) -> None:
            stamp = message.header.stamp
            self._arrived[key] = (stamp.sec * 10**9 + stamp.nanosec, time.perf_counter())
            self.frames[key] += 1

        return listen

    def _hear(self, message: Any) -> None:
        for status in message.status:
            self.said.update({value.key: value.value for value in status.values})

    def send(self, picture: Picture) -> int:
        """Publish a picture with its calibration as each camera; its stamp, nanoseconds."""
        image, info = self._message(picture)
        stamp_ns = time.time_ns()
        for header in (image.header, info.header):
            header.stamp.sec, header.stamp.nanosec = divmod(stamp_ns, 10**9)
        for images, infos in self._publishers:
            infos.publish(info)
            images.publish(image)
        return stamp_ns

    def answered(self, stamp_ns: int) -> bool:
        """Whether all outputs of that picture are there."""
        return all(self._arrived.get(key, (0, 0.0))[0] >= stamp_ns for key in self._expected)

    def round_trip(self, picture: Picture) -> float:
        """Seconds from publishing to the arrival of the last output.

        Raises:
            NoAnswer: it does not come.
        """
        started = time.perf_counter()
        stamp_ns = self.send(picture)
        self.until(lambda: self.answered(stamp_ns))
        return max(at for _, at in self._arrived.values()) - started

    def connect(self, picture: Picture, node: NodeProcess, every_s: float = RETRY_S) -> float:
        """Send pictures until all outputs have come, and then until nothing is in progress; seconds to the former.

        Args:
            picture: what is sent.
            node: it is to be alive.
            every_s: time between pictures.

        Raises:
            NoAnswer: nothing comes.
            NodeDied: the node has ended.
        """
        started = time.perf_counter()
        while not self._spin_until(lambda: all(self.frames.values()), every_s):
            self.send(picture)
            node.check()
            if time.perf_counter() - started > PATIENCE_S:
                raise NoAnswer(f"no depth within {PATIENCE_S:.0f} s; the node said {self.said}\n{node.log_tail()}")
        seconds = time.perf_counter() - started
        self.round_trip(picture)
        return seconds

    def until(self, condition: Callable[[], bool]) -> None:
        """Spin until something holds.

        Raises:
            NoAnswer: it does not.
        """
        if not self._spin_until(condition, PATIENCE_S):
            raise NoAnswer(f"no answer within {PATIENCE_S:.0f} s; the node said {self.said}")

    def spin(self, seconds: float) -> None:
        """Listen for some time."""
        self._spin_until(lambda: False, seconds)

    def _spin_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self._executor.spin_once(timeout_sec=min(left, 0.1))
        return True

    def _message(self, picture: Picture) -> tuple[Any, Any]:
        from sensor_msgs.msg import Image
        from std_msgs.msg import Header

        from depthpro_ros.node.messages import camera_info

        if id(picture) not in self._messages:
            height, width = picture.rgb.shape[:2]
            header = Header(frame_id="camera_optical_frame")
            image = Image(header=header, height=height, width=width, encoding="rgb8", step=3 * width)
            image.data.frombytes(picture.rgb.tobytes())
            self._messages = {id(picture): (image, camera_info(picture.camera, header))}
        return self._messages[id(picture)]


@contextmanager
def ros_peer(cameras: Sequence[str] = ("",), outputs: Sequence[str] = ALL_OUTPUTS) -> Iterator[Peer]:
    """A peer in a ROS network of its own, which nodes started meanwhile are in, too."""
    from depthpro_ros.node.private_node import private_node

    with private_node("depthpro_bench") as (node, executor):
        yield Peer(node, executor, cameras, outputs)
