# SPDX-License-Identifier: Apache-2.0
"""Faults of the model, the camera, the clock, the listeners and the disk, injected into one node that lives on.

Each image is of one colour that says which one it is, and so does the depth that is made of it.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image

from depthpro_ros.node.outputs import DEPTH, DEPTH_INFO, POINTS

from .fake_node import RAISED, WRONG
from .harness import Peer, at_once

SIZE = (16, 24)
"""Height and width."""
CALIBRATED = 1.25
"""Focal length over width of the calibration that `Peer.info_for` makes."""


class FaultyNode:
    """The node, its fault, and images that can be told apart."""

    def __init__(self, peer: Peer, fault: Path) -> None:
        self.peer, self._fault = peer, fault
        self._red = 0

    def fault(self, text: str) -> None:
        """Let something go wrong from now on; nothing if the text is empty."""
        with at_once(self._fault) as file:
            file.write_text(text)

    def picture(self, size: tuple[int, int] = SIZE) -> np.ndarray:
        """An image of a colour that the last 240 did not have."""
        self._red = self._red % 240 + 1
        return np.full((*size, 3), self._red, np.uint8)

    def show(self, size: tuple[int, int] = SIZE, **image: object) -> tuple[Image, int]:
        """Publish an image; it, and its colour."""
        picture = self.picture(size)
        return self.peer.show(picture, **image), int(picture[0, 0, 0])  # type: ignore[arg-type]

    def is_answered(self, image: Image, red: int, focal: float = CALIBRATED) -> None:
        """Wait for the outputs of an image, which must be its own."""
        answers = self.peer.answers(image)
        assert all(answer.header == image.header for answer in answers.values())
        depth = np.frombuffer(answers[DEPTH].data, "<f4")
        assert depth.size == image.width * image.height
        np.testing.assert_allclose(depth, (1 + red / 64) * focal, rtol=1e-5)
        points = np.frombuffer(answers[POINTS].data, "<f4").reshape(-1, 4)
        np.testing.assert_allclose(points[:, 2], (1 + red / 64) * focal, rtol=1e-5)
        info = answers[DEPTH_INFO]
        assert (info.width, info.height) == (image.width, image.height)
        assert info.k[0] == pytest.approx(focal * image.width, rel=1e-5)

    def serves(self, **image: object) -> None:
        """It makes the right depth of a new image."""
        self.is_answered(*self.show(**image))  # type: ignore[arg-type]

    def refuses(self, reason: str, **image: object) -> Image:
        """It does not serve a new image, for this reason, and says so; the image."""
        before = int(self.peer.diagnostics["refused"])
        shown, _ = self.show(**image)  # type: ignore[arg-type]
        self.peer.until(lambda: int(self.peer.diagnostics["refused"]) > before, "a refusal")
        assert int(self.peer.diagnostics["refused"]) == before + 1
        assert self.peer.status.level == DiagnosticStatus.ERROR
        assert "1 frames refused" in self.peer.status.message and reason in self.peer.status.message
        return shown

    def is_not_answered(self, image: Image) -> None:
        """Nothing was published for an image; to be called once a later one is answered."""
        for messages in self.peer.received.values():
            assert not any(m.header.stamp == image.header.stamp for m in messages)

    def shows(self, level: bytes, *texts: str) -> DiagnosticStatus:
        """Wait for diagnostics of this level with these texts in the message."""

        def found() -> DiagnosticStatus | None:
            status = self.peer.status
            return status if status.level == level and all(t in status.message for t in texts) else None

        return self.peer.until(found, f"diagnostics with {texts}")

    def all_is_well(self) -> None:
        """Wait for diagnostics that complain of nothing but the fake."""
        self.peer.until(
            lambda: self.peer.status.message == "a fake, for tests only", "diagnostics without complaint", 60
        )


def started(start: Callable[..., Peer], folder: Path, name: str, *arguments: str, **parameters: object) -> FaultyNode:
    """A node that is active and listened to."""
    peer = start(name, "--fault-file", str(folder / "fault"), *arguments, parameters=parameters)
    peer.listen(DEPTH, DEPTH_INFO, POINTS)
    peer.connected()
    return FaultyNode(peer, folder / "fault")


@pytest.fixture(scope="module")
def running(start: Callable[..., Peer], tmp_path_factory: pytest.TempPathFactory) -> FaultyNode:
    """One node for the whole module, which reports hangs and lives on."""
    return started(start, tmp_path_factory.mktemp("fault"), "faulty", on_hang="report")


@pytest.fixture
def node(running: FaultyNode) -> Iterator[FaultyNode]:
    """That node, put back afterwards."""
    yield running
    running.fault("")
    running.peer.only()


REASONS = {
    "raise": "RuntimeError: a fault of the model",
    "host memory": "out of memory",
    "host allocator": "out of memory: DefaultCPUAllocator",
    "GPU memory": "out of device memory",
    "all NaN": "finite and above 0 at 0 of 384 pixels",
    "one NaN": "finite and above 0 at 383 of 384 pixels",
    "one infinite": "383 of 384",
    "one negative": "383 of 384",
    "all zero": "0 of 384",
    "wrong shape": "torch.float32 [15, 24], expected torch.float32 [16, 24]",
    "wrong dtype": "torch.float64",
    "focal NaN": "focal_px is nan",
    "another focal": "it was given 30.0 px",
}
assert set(REASONS) | {"GPU lost"} == {*RAISED, *WRONG}


@pytest.mark.parametrize("fault", REASONS)
def test_a_fault_of_the_model_costs_its_frame(node: FaultyNode, fault: str) -> None:
    node.fault(fault)
    bad = node.refuses(REASONS[fault])
    node.fault("")
    node.serves()
    node.is_not_answered(bad)


@pytest.mark.parametrize(
    ("stage", "function"),
    [
        ("pairing", "_calibration"),
        ("decoding", "begin"),
        ("model", "predict_many"),
        ("after the model", "finish"),
        ("publishing", "publish"),
    ],
)
def test_a_hang_is_located(node: FaultyNode, stage: str, function: str) -> None:
    node.peer.set(frame_limit_s=0.3)
    node.fault(f"hang {stage}")
    image, red = node.show()
    name = f"the frame of stamp {image.header.stamp.sec}.123456789"
    node.shows(DiagnosticStatus.ERROR, name, f"hangs in stage '{stage}'", "more than 0.3 s")
    assert "fake_node.py" in node.peer.diagnostics["hangs at"], "the innermost call"
    node.peer.logged(f"hangs in stage '{stage}'")
    log = node.peer.process.output
    assert f", in {function}\n" in log[log.rindex("its thread is at") :], "the stack"
    assert node.peer.set(max_depth_m=80.0)[0].successful, "services answer all the same"
    node.fault("")
    node.is_answered(image, red)
    node.peer.until(lambda: "hangs" not in node.peer.diagnostics, "the end of the alarm")
    node.peer.logged("it has gone on")
    node.serves()


@pytest.mark.slow
def test_time_in_which_the_process_is_stopped_is_no_hang(node: FaultyNode) -> None:
    pid = node.peer.process.process.pid
    node.peer.set(frame_limit_s=3.0)
    node.fault("hang model")
    image, red = node.show()
    node.peer.until(lambda: node.peer.diagnostics["in progress"] == "1", "the frame to be begun")
    os.kill(pid, signal.SIGSTOP)
    time.sleep(4)
    os.kill(pid, signal.SIGCONT)
    node.peer.fresh("images in")  # it has looked again
    node.fault("")
    node.is_answered(image, red)
    assert f"{image.header.stamp.sec}.123456789 hangs" not in node.peer.process.output


def test_what_is_not_published_is_counted_as_dropped(node: FaultyNode) -> None:
    peer = node.peer
    dropped = peer.fresh("dropped")
    node.fault("hang model")
    begun, _ = node.show()
    peer.until(lambda: peer.diagnostics["in progress"] == "1", "the frame to be begun")
    waits, _ = node.show()
    peer.until(lambda: peer.diagnostics["waiting"] == "1", "the image to wait")
    assert peer.transition("deactivate")
    peer.until(lambda: peer.diagnostics["waiting"] == "0", "the image to be thrown away")
    assert int(peer.diagnostics["dropped"]) == dropped + 1 and peer.diagnostics["in progress"] == "1"
    node.fault("")
    peer.until(lambda: peer.diagnostics["in progress"] == "0", "the frame to be given up")
    assert int(peer.diagnostics["dropped"]) == dropped + 2
    assert peer.transition("activate")
    peer.connected()
    node.serves()
    for stale in (begun, waits):
        node.is_not_answered(stale)
    peer.accounts_for_every_image()


def test_a_clock_that_stands_still_stops_nothing(node: FaultyNode) -> None:
    assert node.peer.set(use_sim_time=True)[0].successful
    node.peer.fresh("images in")
    node.serves()
    clock = node.peer.create_publisher(Clock, "/clock", 1)
    node.peer.until(clock.get_subscription_count, "the node to look at /clock")
    for second in (500, 20):  # there, and back
        message = Clock()
        message.clock.sec = second
        clock.publish(message)
        node.serves()
        node.peer.fresh("images in")
    node.peer.destroy_publisher(clock)


def test_a_bag_that_loops_starts_a_new_estimate(node: FaultyNode) -> None:
    node.peer.set(focal_policy="estimated", focal_lock_after=2)
    for _ in range(2):
        node.is_answered(*node.show(), focal=1.0)
    node.peer.until(lambda: node.peer.diagnostics["focal locked"] == "true", "the focal to be held")
    node.is_answered(*node.show(stamp=(1_600_000_000 + node._red, 5)), focal=1.0)
    node.peer.until(lambda: node.peer.diagnostics["focal locked"] == "false", "the held focal to be forgotten")
    node.peer.logged("time went back: forgetting")


def test_a_calibration_of_another_size_is_never_used(node: FaultyNode) -> None:
    peer, large = node.peer, (32, 48)
    node.serves()
    alone = node.refuses("CameraInfo is for 24x16 images, the image is 48x32", size=large, calibrated=False)
    node.serves(size=large)
    # the rectification's maps are of that size now
    assert all(r.successful for r in peer.set(fixed_focal_px=30.0, focal_policy="fixed", rectify=True))
    peer.answers(node.show(large)[0])
    small = node.refuses("CameraInfo is for 48x32 images, the image is 24x16", calibrated=False)
    peer.set(rectify=False, focal_policy="auto")
    node.serves()
    node.peer.logged("images are 24x16 now, they were 48x32: forgetting")
    for image in (alone, small):
        node.is_not_answered(image)


def test_a_calibration_that_stops_coming_is_used_and_told(node: FaultyNode) -> None:
    node.serves()
    for _ in range(3):  # of which the third is three seconds late
        image, red = node.show(calibrated=False)
        node.is_answered(image, red)
    node.shows(DiagnosticStatus.WARN, "CameraInfo has stopped coming")
    node.peer.logged("CameraInfo has stopped coming")


def test_two_cameras_on_one_topic_are_told(node: FaultyNode) -> None:
    peer = node.peer
    first, second = peer.images, peer.create_publisher(Image, "camera/image", peer.qos)
    peer.until(second.get_subscription_count, "the node to listen to the second camera")
    node.shows(DiagnosticStatus.WARN, "2 publishers share /faulty/camera/image")
    for number in range(6):
        peer.images = (first, second)[number % 2]
        node.serves(frame_id=("left", "right")[number % 2])
    node.shows(DiagnosticStatus.WARN, "images of frames 'cam', 'left', 'right' come in turns")
    peer.images = first
    peer.destroy_publisher(second)


def test_a_jump_of_the_estimated_focal_length_is_told(node: FaultyNode) -> None:
    node.peer.set(focal_policy="estimated", focal_lock_after=2, focal_check_every=1)
    before = node.peer.fresh("focal jumps")
    for _ in range(2):
        node.is_answered(*node.show(), focal=1.0)
    node.fault("another focal")
    for _ in range(4):
        # held: the network's depth, of another focal length, is brought back to it
        node.is_answered(*node.show(), focal=1.0)
    assert node.peer.fresh("focal jumps") == before
    node.is_answered(*node.show(), focal=1.5)
    node.shows(DiagnosticStatus.WARN, "the held focal length was given up and goes from 24.0 to 36.0 px (+50.0%)")
    assert node.peer.fresh("focal jumps") == before + 1
    node.peer.logged("the held focal length was given up")


READER = """
import sys, rclpy
from sensor_msgs.msg import Image
rclpy.init()
node = rclpy.create_node("stuck", namespace="/faulty")
node.create_subscription(Image, "depth/image", lambda m: print("got one", flush=True), 10)
rclpy.spin(node)
"""


def test_a_listener_that_is_stuck_holds_nobody_up(node: FaultyNode, tmp_path: Path) -> None:
    output = tmp_path / "reader"
    with output.open("w") as file:
        reader = subprocess.Popen([sys.executable, "-c", READER], stdout=file)
    try:

        def read() -> bool:
            node.serves()
            return bool(output.read_text()) and node.peer.count_subscribers(f"/faulty/{DEPTH}") == 2

        node.peer.until(read, "the reader to read")
        reader.send_signal(signal.SIGSTOP)
        for _ in range(10):  # more than any queue holds
            node.serves()
    finally:
        reader.kill()
        reader.wait()


def test_a_disk_that_is_full_costs_the_log_alone(node: FaultyNode) -> None:
    pid = node.peer.process.process.pid
    size = len(node.peer.process.output)
    limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    # as on a full disk, no file may become larger
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, limits[1]))
    try:
        node.fault("one NaN")
        node.refuses("383 of 384")
        node.fault("")
        node.serves()
        assert len(node.peer.process.output) == size
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
    node.serves()


def test_after_all_of_it_every_image_is_accounted_for(node: FaultyNode) -> None:
    node.serves()
    node.peer.accounts_for_every_image()
    assert node.peer.process.process.poll() is None


def test_a_hang_ends_the_process_so_that_it_is_started_anew(start: Callable[..., Peer], tmp_path: Path) -> None:
    node = started(start, tmp_path, "hanging", frame_limit_s=0.5)
    node.serves()
    node.fault("hang model")
    node.show()
    last_words = []
    while node.peer.process.process.poll() is None:
        node.peer.executor_.spin_once(0.05)
        last_words.append(node.peer.status.message)
    assert node.peer.process.process.returncode == 3
    assert "hangs in stage 'model'" in last_words[-1], "on /diagnostics"
    assert "hangs in stage 'model'" in node.peer.process.output
    assert "ending, so that launch can start a new process" in node.peer.process.output


def test_a_lost_gpu_ends_the_process_and_missing_weights_are_waited_for(
    start: Callable[..., Peer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "weights"
    # no log can be written either
    monkeypatch.setenv("ROS_LOG_DIR", os.devnull)
    peer = start(
        *("restarted", "--fault-file", str(tmp_path / "fault"), "--missing-until", str(weights), "--retry", "0.5")
    )
    peer.listen(DEPTH, DEPTH_INFO, POINTS)
    peer.until(lambda: peer.status and peer.status.level == DiagnosticStatus.ERROR, "an error in diagnostics")
    assert "depthpro weights" in peer.status.message and peer.diagnostics["state"] == "unconfigured"
    weights.touch()
    peer.connected()
    node = FaultyNode(peer, tmp_path / "fault")
    node.serves()
    assert f"no log file, since {os.devnull} cannot be written" in peer.process.output
    node.fault("GPU lost")
    node.show()
    assert peer.process.process.wait(30) == 1
    assert "the GPU does not answer any more: CUDA error: an illegal memory access" in peer.process.output
