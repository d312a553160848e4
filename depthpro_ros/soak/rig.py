# SPDX-License-Identifier: Apache-2.0
"""Everything that stands around the node in a soak: its camera, its subscribers, its users, its lifecycle manager."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from depthpro_ros import bag_messages
from depthpro_ros.errors import DepthProError
from depthpro_ros.soak.camera import Camera
from depthpro_ros.soak.records import Counts

IMAGE_TOPIC = "/soak/image"
PATIENCE_S = 120.0
"""How long the node may take for anything; loading a model on a busy machine is the longest."""
ANSWER_S = 1.0
"""After this another picture is sent."""


class NoAnswer(DepthProError):
    """The node runs and does not do what was asked of it."""


class Rig:
    """The node's surroundings, all on one thread.

    Args:
        node: of rclpy.
        executor: that spins it.
        transport: of the images.
        every_turn: called again and again while this waits for something; may raise.

    Attributes:
        camera: that publishes.
        said: what the node's diagnostics said last, key to value.
        got: how many messages came of each output that was ever listened to.
        complaints: what the node answered wrongly.
        asked: how many parameters were set and transitions were asked for.
    """

    def __init__(self, node: Any, executor: Any, transport: str, every_turn: Callable[[], None]) -> None:
        from diagnostic_msgs.msg import DiagnosticArray

        self._node, self._executor, self._every_turn = node, executor, every_turn
        self.camera = Camera(node, IMAGE_TOPIC, transport)
        self.said: dict[str, str] = {}
        self._said_ns = 0
        self.got: dict[str, int] = {}
        self.complaints: list[str] = []
        self.asked = 0
        self._newest: dict[str, int] = {}
        self._listeners: dict[str, Any] = {}
        self._clients: dict[str, Any] = {}
        node.create_subscription(DiagnosticArray, "/diagnostics", self._hear, 10)

    def _hear(self, message: Any) -> None:
        from depthpro_ros.node.pairing import stamp_ns

        for status in message.status:
            if status.name.endswith(": depth"):
                self.said = {value.key: value.value for value in status.values}
                self._said_ns = stamp_ns(message.header)

    @property
    def counts(self) -> Counts:
        """What the node counted, by its last diagnostics."""
        return Counts.of(self.said)

    def spin(self, seconds: float) -> None:
        """Listen for some time."""
        self._spin_until(lambda: False, seconds)

    def until(self, condition: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
        """Listen until something holds.

        Raises:
            NoAnswer: it does not.
        """
        if not self._spin_until(condition, patience_s):
            raise NoAnswer(f"waited {patience_s:.0f} s for {what} in vain; the node said {self.said}")

    def _spin_until(self, condition: Callable[[], object], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not condition():
            self._every_turn()
            left = end - time.monotonic()
            if left <= 0:
                return False
            self._executor.spin_once(timeout_sec=min(left, 0.1))
        return True

    def listen(self, outputs: Collection[str]) -> None:
        """Subscribe to these outputs, reliably, and to no others."""
        from depthpro_ros.node.outputs import TOPICS

        for name in set(self._listeners) - set(outputs):
            self._node.destroy_subscription(self._listeners.pop(name))
        for name in set(outputs) - set(self._listeners):
            # as bytes: what this process does with them is no part of the load
            self._listeners[name] = self._node.create_subscription(
                TOPICS[name], name, self._listener(name), 10, raw=True
            )

    def _listener(self, name: str) -> Callable[[bytes], None]:
        def got(message: bytes) -> None:
            self.got[name] = self.got.get(name, 0) + 1
            self._newest[name] = bag_messages.stamp_ns(message, is_ros2=True)

        return got

    def answered(self, stamp_ns: int, outputs: Collection[str]) -> bool:
        """Whether these outputs have come for the image of this stamp."""
        return all(self._newest.get(name, 0) >= stamp_ns for name in outputs)

    def ask(self, size: tuple[int, int], outputs: Collection[str]) -> None:
        """Send a picture and wait for these outputs of it."""
        stamp_ns = self.camera.send(size)
        self.until(lambda: self.answered(stamp_ns, outputs), "the outputs of an image")

    def connect(self, size: tuple[int, int]) -> Counts:
        """Send pictures until one is answered with its own calibration; what was counted by then.

        From then on both sides know each other, on both topics: which they do at different times.
        """
        counts = Counts()

        def calibrated() -> bool:
            nonlocal counts
            self.show(size, self._listeners)
            counts = self.settle()
            return self.said.get("focal source") == "camera_info"

        self.until(calibrated, "an image to be computed with its CameraInfo")
        return counts

    def show(self, size: tuple[int, int], outputs: Collection[str]) -> None:
        """Send pictures until these outputs of one have come."""
        self.until(lambda: self.camera.watched, "the node to subscribe")

        def answered() -> bool:
            stamp_ns = self.camera.send(size)
            return self._spin_until(lambda: self.answered(stamp_ns, outputs), ANSWER_S)

        self.until(answered, "an answer")

    @contextmanager
    def deaf_listener(self, size: tuple[int, int], outputs: Collection[str]) -> Iterator[None]:
        """A subscriber of these outputs beside our own, in a process that does not run meanwhile.

        Args:
            size: of the pictures that are sent until it has heard those outputs that we listen to.
            outputs: to subscribe to.
        """
        with tempfile.TemporaryFile("w+") as said:
            process = subprocess.Popen([sys.executable, "-m", "depthpro_ros.soak.deaf", *outputs], stdout=said)

            def has_heard() -> bool:
                self.show(size, self._listeners)
                said.seek(0)
                return set(self._listeners) <= set(said.read().split())

            try:
                self.until(has_heard, "a second subscriber to hear")
                process.send_signal(signal.SIGSTOP)
                yield
            finally:
                process.kill()
                process.wait()

    def settle(self) -> Counts:
        """Send nothing until the node has nothing to do any more; what it counted by then."""
        # diagnostics that were made before may still be on their way
        before, since_ns = Counts(-1), time.time_ns()

        def at_rest() -> bool:
            nonlocal before, since_ns
            if self._said_ns <= since_ns:
                return False
            # the same twice, since an image may be under way
            same, before, since_ns = self.counts == before, self.counts, self._said_ns
            return same and before.at_rest

        self.until(at_rest, "the node to come to rest")
        return before

    def set(self, name: str, value: Any, *, allowed: bool = True) -> None:
        """Set a parameter, and complain if the node's answer is not this."""
        from rcl_interfaces.srv import SetParameters
        from rclpy.parameter import Parameter

        parameter = Parameter(name, value=value).to_parameter_msg()
        result = self._call(SetParameters, "set_parameters", SetParameters.Request(parameters=[parameter])).results[0]
        self._expect(result.successful == allowed, f"{name} = {value!r} was {'refused' if allowed else 'accepted'}")

    def transition(self, label: str, *, allowed: bool = True) -> None:
        """Ask for a transition, and complain if the node's answer is not this."""
        from lifecycle_msgs.msg import Transition
        from lifecycle_msgs.srv import ChangeState

        transition = Transition(id=getattr(Transition, f"TRANSITION_{label.upper()}"))
        done = self._call(ChangeState, "change_state", ChangeState.Request(transition=transition)).success
        self._expect(done == allowed, f"{label} was {'refused' if allowed else 'accepted'}")

    def _expect(self, right: bool, otherwise: str) -> None:
        self.asked += 1
        if not right:
            self.complaints.append(otherwise)

    def _call(self, type_: Any, service: str, request: Any) -> Any:
        if service not in self._clients:
            self._clients[service] = self._node.create_client(type_, f"depth_pro/{service}")
        client = self._clients[service]
        self.until(client.service_is_ready, f"the service {service}")
        future = client.call_async(request)
        self.until(future.done, f"an answer of {service}")
        return future.result()
