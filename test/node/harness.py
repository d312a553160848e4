# SPDX-License-Identifier: Apache-2.0
"""A depth node in a process of its own, and the camera and the listener that the tests are to it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.srv import SetParameters
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.task import Future
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from depthpro_ros.node.network import local_domain
from depthpro_ros.node.outputs import TOPICS
from depthpro_ros.node.parameters import TABLE

FAKE_NODE = Path(__file__).with_name("fake_node.py")
ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0
"""How long anything may take; only failing tests wait for it."""
KIND_S = 5.0
"""How long a node may take to end before it is killed."""
TRANSITIONS = {
    "configure": Transition.TRANSITION_CONFIGURE,
    "activate": Transition.TRANSITION_ACTIVATE,
    "deactivate": Transition.TRANSITION_DEACTIVATE,
    "cleanup": Transition.TRANSITION_CLEANUP,
    "shutdown of an unconfigured node": Transition.TRANSITION_UNCONFIGURED_SHUTDOWN,
    "shutdown of an inactive node": Transition.TRANSITION_INACTIVE_SHUTDOWN,
    "shutdown of an active node": Transition.TRANSITION_ACTIVE_SHUTDOWN,
}
DEFAULTS: dict[str, Any] = {spec.name: spec.default for spec in TABLE} | {"use_sim_time": False}
BECOME = ("frames out", "dropped", "refused", "not computed (no subscriber)", "waiting", "in progress")
"""What may become of an image that came in, as diagnostics call it."""


def until(condition: Callable[[], Any], told: Callable[[], object] = lambda: "") -> None:
    """Wait until something that other threads do holds.

    Raises:
        AssertionError: it did not within the time; with what is told then.
    """
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, told()
        time.sleep(0.002)


@contextmanager
def at_once(path: Path) -> Iterator[Path]:
    """A file to write to that then takes the place of another, of which the node must not read half."""
    new = path.with_name(f"new_{path.name}")
    yield new
    new.replace(path)


def free_shared_memory() -> int:
    """Bytes that are left in the file system of shared memory; 0 where there is none."""
    folder = Path("/dev/shm")
    return shutil.disk_usage(folder).free if folder.exists() else 0


def python_path() -> str:
    """PYTHONPATH with which processes find the package, wherever they are started."""
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))


class NodeProcess:
    """The depth node, as a process.

    Args:
        namespace: of the node.
        folder: for its log.
        arguments: of `fake_node.py`.
        parameters: of the node.
        remaps: topics.
        environment: variables beside our own.
    """

    def __init__(
        self,
        namespace: str,
        folder: Path,
        arguments: Sequence[str] = (),
        parameters: dict[str, Any] | None = None,
        remaps: dict[str, str] | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.namespace = namespace
        self.beginning = DEFAULTS | (parameters or {})
        self.changed: dict[str, Any] = {}
        self._log = folder / f"{namespace}.log"
        ros = ["-r", f"__ns:=/{namespace}"]
        for name, value in (parameters or {}).items():
            ros += ["-p", f"{name}:={str(value).lower() if isinstance(value, bool) else value}"]
        for name, value in (remaps or {}).items():
            ros += ["-r", f"{name}:={value}"]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(FAKE_NODE), *arguments, "--ros-args", *ros],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ
                | {
                    "PYTHONUNBUFFERED": "1",
                    "RCUTILS_COLORIZED_OUTPUT": "0",
                    "PYTHONPATH": python_path(),
                }
                | (environment or {}),
            )

    @property
    def output(self) -> str:
        """What the process has printed."""
        return self._log.read_text(errors="replace")

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> float:
        """Signal the process and return how long it took to end, seconds."""
        started = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(PATIENCE_S)
        return time.monotonic() - started

    def close(self) -> None:
        """End the process; kindly at first, since one that is killed leaves its shared memory behind."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(KIND_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Peer(Node):
    """A camera driver and a consumer in one, and a user who looks at diagnostics and sets parameters.

    Args:
        process: the node.
        reliability: of images and calibrations.
        camera: its name, where the node has several.
        beside: a peer of the same node for another camera: each hears while the other waits.
    """

    def __init__(
        self,
        process: NodeProcess,
        reliability: ReliabilityPolicy = ReliabilityPolicy.RELIABLE,
        camera: str = "",
        beside: Peer | None = None,
    ) -> None:
        super().__init__(f"peer_{camera}" if camera else "peer", namespace=process.namespace)
        self.process, self.camera = process, camera
        self.qos = QoSProfile(depth=10, reliability=reliability)
        self.received: dict[str, list[Any]] = {name: [] for name in TOPICS}
        self.diagnostics: dict[str, str] = {}
        self.status: Any = None
        self.reports = 0
        self.executor_ = SingleThreadedExecutor() if beside is None else beside.executor_
        self.executor_.add_node(self)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)
        self.listeners: dict[str, Any] = {}
        self._callers: dict[str, Any] = {}
        source = camera or "camera"
        self.images = self.create_publisher(Image, f"{source}/image", self.qos)
        self.infos = self.create_publisher(CameraInfo, f"{source}/camera_info", self.qos)
        self._stamp = 1_700_000_000

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == f"/{self.process.namespace}/depth_pro: {f'{self.camera} depth'.lstrip()}":
                self.status = status
                self.reports += 1
                self.diagnostics = {v.key: v.value for v in status.values}

    def listen(self, *names: str, reliability: ReliabilityPolicy = ReliabilityPolicy.RELIABLE) -> None:
        """Subscribe to outputs."""
        for name in names:
            self.listeners[name] = self.create_subscription(
                TOPICS[name],
                f"{self.camera}/{name}" if self.camera else name,
                self.received[name].append,
                QoSProfile(depth=10, reliability=reliability),
            )

    def deaf(self) -> None:
        """Unsubscribe from all outputs."""
        for listener in self.listeners.values():
            self.destroy_subscription(listener)
        self.listeners.clear()

    def until(self, condition: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
        """Spin until something holds, and return it.

        Raises:
            AssertionError: it did not within the time; with the node's output.
        """
        end = time.monotonic() + patience_s
        while not (result := condition()):
            if time.monotonic() > end or self.process.process.poll() is not None:
                raise AssertionError(f"waited for {what} in vain\n{self.diagnostics}\n{self.process.output[-4000:]}")
            self.executor_.spin_once(0.1)
        return result

    def logged(self, text: str) -> None:
        """Wait for something in the node's log."""
        self.until(lambda: text in self.process.output, f"{text!r} in the log")

    def connected(self) -> None:
        """Wait until the node is active, sees our listeners, and subscribes to our images."""
        names = ", ".join(sorted(self.listeners))
        self.until(
            lambda: self.diagnostics.get("state") == "active" and self.images.get_subscription_count(),
            "the node to subscribe",
        )
        self.until(lambda: self.diagnostics.get("subscribed outputs") == names, f"the node to see {names!r}")
        topics = [s for n, s in self.listeners.items()]
        self.until(lambda: all(self.count_publishers(s.topic_name) for s in topics), "the outputs")

    def fresh(self, key: str) -> int:
        """A count from diagnostics that were made after this call."""
        enough = self.reports + 2  # one may be under way
        self.until(lambda: self.reports >= enough, "new diagnostics")
        return int(self.diagnostics[key])

    def accounts_for_every_image(self) -> None:
        """Assert that new diagnostics say what became of each image that came in, or where it is."""
        assert self.fresh("images in") == sum(int(self.diagnostics[key]) for key in BECOME), self.diagnostics

    def stamp(self) -> tuple[int, int]:
        """A new stamp: seconds, and nanoseconds that do not fit into a float64 of seconds."""
        self._stamp += 1
        return self._stamp, 123_456_789

    def image(self, rgb: np.ndarray, *, stamp: tuple[int, int] | None = None, frame_id: str = "cam") -> Image:
        """An rgb8 message."""
        message = Image(height=rgb.shape[0], width=rgb.shape[1], encoding="rgb8", step=3 * rgb.shape[1])
        message.data.frombytes(rgb.tobytes())
        message.header.stamp.sec, message.header.stamp.nanosec = stamp or self.stamp()
        message.header.frame_id = frame_id
        return message

    def info_for(self, image: Image | CompressedImage, width: int, height: int, **changes: Any) -> CameraInfo:
        """A calibration with unequal focals and an off-centre principal point."""
        fx, fy, cx, cy = 1.25 * width, 1.5 * width, 0.4 * width, 0.6 * height
        values: dict[str, Any] = {
            "header": image.header,
            "width": width,
            "height": height,
            "distortion_model": "plumb_bob",
            "d": [0.0] * 5,
            "k": [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
            "r": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
            "p": [fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
        }
        return CameraInfo(**(values | changes))

    def answers(self, image: Image | CompressedImage, names: Iterable[str] | None = None) -> dict[str, Any]:
        """The outputs for an image, by name; waits for them."""
        wanted = list(names if names is not None else self.listeners)

        def find() -> dict[str, Any] | None:
            stamp = image.header.stamp
            found = {n: next((m for m in self.received[n] if m.header.stamp == stamp), None) for n in wanted}
            return found if None not in found.values() else None

        return self.until(find, f"{wanted} of stamp {image.header.stamp.sec}")

    def show(self, rgb: np.ndarray, *, calibrated: bool = True, **image: Any) -> Image:
        """Publish a picture, after its calibration."""
        message = self.image(rgb, **image)
        if calibrated:
            self.infos.publish(self.info_for(message, rgb.shape[1], rgb.shape[0]))
        self.images.publish(message)
        return message

    def ask(self, type_: type, service: str, request: Any) -> Future[Any]:
        """Call a service of the node, and leave the answer to the future."""
        if service not in self._callers:
            self._callers[service] = self.create_client(type_, f"depth_pro/{service}")
        self.until(self._callers[service].service_is_ready, f"service {service}")
        return self._callers[service].call_async(request)

    def call(self, type_: type, service: str, request: Any) -> Any:
        """Call a service of the node."""
        future = self.ask(type_, service, request)
        self.until(future.done, f"an answer of {service}")
        return future.result()

    def set(self, **values: Any) -> list[Any]:
        """Set parameters one by one; the results."""
        parameters: list[ParameterMessage] = [Parameter(n, value=v).to_parameter_msg() for n, v in values.items()]
        results = self.call(SetParameters, "set_parameters", SetParameters.Request(parameters=parameters)).results
        taken = {n: v for (n, v), result in zip(values.items(), results, strict=True) if result.successful}
        self.process.changed |= taken
        return results

    def only(self, **values: Any) -> None:
        """Set these parameters, and all others to what the node was started with."""
        process = self.process
        # undone in reverse, since one may need another
        wanted = {name: process.beginning[name] for name in reversed(process.changed)} | values
        new = {n: v for n, v in wanted.items() if (process.beginning | process.changed)[n] != v}
        refused = [result.reason for result in (self.set(**new) if new else []) if not result.successful]
        assert not refused, refused

    def begin(self, name: str) -> Future[Any]:
        """Ask for a lifecycle transition, and leave the answer to the future."""
        return self.ask(ChangeState, "change_state", ChangeState.Request(transition=Transition(id=TRANSITIONS[name])))

    def transition(self, name: str) -> bool:
        """Ask for a lifecycle transition; whether it succeeded."""
        future = self.begin(name)
        self.until(future.done, f"an answer to {name}")
        return future.result().success

    def state(self) -> str:
        """The node's lifecycle state."""
        return self.call(GetState, "get_state", GetState.Request()).current_state.label

    def close(self) -> None:
        """Leave the network."""
        self.executor_.shutdown()
        self.destroy_node()


@contextmanager
def network() -> Iterator[None]:
    """Be in a network that no other process uses: the one that this process has joined already, if it has."""
    if rclpy.ok():
        yield
        return
    # those of nodes that the package starts begin at 40, see depthpro_ros/node/network.py
    os.environ.update(local_domain(1 + os.getpid() % 39))
    rclpy.init()
    try:
        yield
    finally:
        rclpy.try_shutdown()


@contextmanager
def starting_nodes(folders: pytest.TempPathFactory) -> Iterator[Callable[..., Peer]]:
    """What starts nodes, each with its peer, that end with the context."""
    peers: list[Peer] = []

    def start(
        namespace: str,
        *arguments: str,
        parameters: dict[str, Any] | None = None,
        remaps: dict[str, str] | None = None,
        environment: dict[str, str] | None = None,
        **peer: Any,
    ) -> Peer:
        remaps = {"image": "camera/image"} | (remaps or {})
        parameters = {"diagnostics_period_s": 0.2} | (parameters or {})
        process = NodeProcess(namespace, folders.mktemp(namespace), arguments, parameters, remaps, environment)
        peers.append(Peer(process, **peer))
        return peers[-1]

    try:
        yield start
    finally:
        for peer in peers:
            peer.process.close()
            peer.close()
