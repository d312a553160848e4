# SPDX-License-Identifier: Apache-2.0
"""Told to end, by a signal or by its lifecycle, the node's process does so at once, whatever it is about."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState

from depthpro_ros.node.ending import END_S, leave
from depthpro_ros.node.outputs import DEPTH, POINTS
from depthpro_ros.soak.run import slowness

from .harness import Peer

PROMISED_S = 2.0
"""Within this the process ends, on a machine that has time for it."""
LONG_S = "20"
"""A frame, or the loading of a model, that nobody waits for."""
PICTURE = np.full((16, 24, 3), 100, np.uint8)
LARGE = np.full((480, 640, 3), 100, np.uint8)
SHARED_MEMORY = Path("/dev/shm")
SIGINT, SIGTERM = signal.SIGINT, signal.SIGTERM
WAYS = {"sigint": SIGINT, "sigterm": SIGTERM, "shutdown": None}
"""To end: a signal, or the transition to shut down."""
READER = """
import sys, rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import PointCloud2
rclpy.init()
node = rclpy.create_node("reader")
node.create_subscription(PointCloud2, sys.argv[1], lambda message: print("got", flush=True), 2)
print("ready", flush=True)
rclpy.spin(node)
"""
"""A reliable subscriber, to be stopped."""


@pytest.fixture(scope="module")
def witness(ros: None) -> Iterator[None]:
    """Our own participant, there before the nodes and after them, so that its files are not taken for theirs."""
    node = rclpy.create_node("witness")
    yield
    node.destroy_node()


class Ending:
    """A node that is about something, and how it ends.

    Args:
        start: of the tests' fixtures.
        namespace: of the node, and of whoever it is started with.
        arguments: of `fake_node.py`.
        parameters: of the node.
    """

    def __init__(self, start: Callable[..., Peer], namespace: str, *arguments: str, **parameters: object) -> None:
        self._before = set(SHARED_MEMORY.iterdir())
        self.peer = start(namespace, *arguments, parameters=parameters)

    def by(self, how: signal.Signals | None) -> None:
        """Tell the process to end, and assert that it does so in time and in order."""
        process = self.peer.process.process
        files = self._files(process.pid)
        before = slowness()
        started = time.monotonic()
        if how is not None:
            process.send_signal(how)
        else:
            assert self._shut_down(), "the transition was refused, or not answered"
            assert self.peer.state() == "finalized", "a manager that asks for the state gets no answer"
        process.wait(30)
        took_s = time.monotonic() - started
        assert process.returncode == 0, self.peer.process.output
        assert took_s < PROMISED_S * max(before, slowness())
        assert "Traceback" not in self.peer.process.output, self.peer.process.output
        assert files, "it used no shared memory: this proves nothing"
        assert not [f for f in files if f.exists()], "shared memory is left behind"

    def _files(self, pid: int) -> set[Path]:
        """What the process made in shared memory: segments, and the ports that are its own."""
        maps = Path(f"/proc/{pid}/maps").read_text().split()
        used = {Path(word) for word in maps if word.startswith(f"{SHARED_MEMORY}/fast")}
        return {f for f in used - self._before if re.search(r"_[0-9a-f]{16}$", f.name)}

    def _shut_down(self) -> bool:
        request = ChangeState.Request(transition=Transition(label="shutdown"))
        return bool(self.peer.call(ChangeState, "change_state", request).success)


def idle(start: Callable[..., Peer], folder: Path, name: str) -> Ending:
    """It waits for images."""
    ending = Ending(start, f"idle_{name}")
    ending.peer.listen(DEPTH)
    ending.peer.connected()
    ending.peer.answers(ending.peer.show(PICTURE))
    return ending


def computing(start: Callable[..., Peer], folder: Path, name: str) -> Ending:
    """It is amid a frame that takes long."""
    log = folder / "passes"
    ending = Ending(start, f"computing_{name}", "--delay", LONG_S, "--log", str(log))
    ending.peer.listen(DEPTH)
    ending.peer.connected()
    ending.peer.show(PICTURE)
    ending.peer.until(log.exists, "the frame to begin")
    return ending


def cleaning_up(start: Callable[..., Peer], folder: Path, name: str) -> Ending:
    """It waits for a frame that takes long, to give the model back."""
    ending = computing(start, folder, f"cleaning_up_{name}")
    assert ending.peer.transition("deactivate")
    ending.peer.begin("cleanup")
    asked = time.monotonic()
    ending.peer.until(lambda: time.monotonic() > asked + 0.5, "the transition to begin")
    return ending


def loading(start: Callable[..., Peer], folder: Path, name: str) -> Ending:
    """It loads a model by itself."""
    ending = Ending(start, f"loading_{name}", "--load-delay", LONG_S)
    ending.peer.logged("loading model")
    return ending


def configuring(start: Callable[..., Peer], folder: Path, name: str) -> Ending:
    """It loads a model since a lifecycle manager asked it to."""
    ending = Ending(start, f"configuring_{name}", "--load-delay", LONG_S, autostart=False)
    ending.peer.begin("configure")
    ending.peer.logged("loading model")
    return ending


def publishing(start: Callable[..., Peer], folder: Path, name: str) -> Ending:
    """It publishes to a reader that stands still."""
    namespace = f"publishing_{name}"
    with subprocess.Popen(
        [sys.executable, "-c", READER, f"/{namespace}/{POINTS}"], stdout=subprocess.PIPE, env=os.environ
    ) as reader:
        try:
            assert reader.stdout is not None and reader.stdout.readline() == b"ready\n"
            ending = Ending(start, namespace)
            ending.peer.listen(DEPTH)
            both = f"{DEPTH}, {POINTS}"
            ending.peer.until(lambda: ending.peer.diagnostics.get("subscribed outputs") == both, "the reader")
            ending.peer.until(ending.peer.images.get_subscription_count, "the node to subscribe")
            ending.peer.answers(ending.peer.show(LARGE))
            assert reader.stdout.readline() == b"got\n"
            reader.send_signal(signal.SIGSTOP)
            for _ in range(8):
                ending.peer.answers(ending.peer.show(LARGE))
            ending.by(WAYS[name])
        finally:
            reader.kill()
    return ending


@pytest.mark.parametrize(
    ("situation", "name"),
    [
        (computing, "sigterm"),
        (configuring, "sigterm"),
        (computing, "shutdown"),
        (publishing, "sigint"),
        *(
            pytest.param(situation, name, marks=pytest.mark.slow)
            for situation, name in (
                *((idle, name) for name in WAYS),
                (computing, "sigint"),
                (cleaning_up, "sigint"),
                (cleaning_up, "sigterm"),
                *((loading, name) for name in WAYS),
                (configuring, "sigint"),
                (publishing, "sigterm"),
                (publishing, "shutdown"),
            )
        ),
    ],
)
def test_it_ends_in_time_and_leaves_nothing_behind(
    start: Callable[..., Peer],
    witness: None,
    tmp_path: Path,
    situation: Callable[[Callable[..., Peer], Path, str], Ending],
    name: str,
) -> None:
    ending = situation(start, tmp_path, name)
    if situation is not publishing:  # which ends it while its reader is there
        ending.by(WAYS[name])


@pytest.mark.slow
@pytest.mark.parametrize("number", [SIGINT, SIGTERM])
def test_it_starts_again_after_each_end(start: Callable[..., Peer], witness: None, number: signal.Signals) -> None:
    for _ in range(3):
        ending = Ending(start, f"again_{number.name.lower()}")
        ending.peer.listen(DEPTH)
        ending.peer.connected()
        ending.peer.answers(ending.peer.show(PICTURE))
        ending.by(number)
        ending.peer.deaf()


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [0.05, 0.2, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
@pytest.mark.parametrize("number", [SIGINT, SIGTERM])
def test_it_ends_in_order_at_any_moment_of_its_start(after_s: float, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "depthpro_ros.node.depth_node", "--ros-args", "-r", "__ns:=/early"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    time.sleep(after_s * slowness())
    started = time.monotonic()
    process.send_signal(number)
    output, _ = process.communicate(timeout=30)
    assert time.monotonic() - started < PROMISED_S * slowness()
    # before the first line of ours Python itself is told
    assert process.returncode == 0 or (after_s < 0.5 and process.returncode in (-number, 130)), output
    assert process.returncode != 0 or "Traceback" not in output, output


def test_a_process_that_leaves_flushes_what_it_printed() -> None:
    script = f"from {leave.__module__} import leave; print('out', end=''); leave(5, 'why')"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (5, "out", "depth_node: why\n")


def test_an_end_that_does_not_come_is_brought_about() -> None:
    script = (
        "import time; from depthpro_ros.node.ending import limit_the_end; limit_the_end(4, spent_s=1.6); time.sleep(30)"
    )
    started = time.monotonic()
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=False).returncode == 4
    assert 0.1 < END_S - 1.6 < time.monotonic() - started < 20
