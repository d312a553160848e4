# SPDX-License-Identifier: Apache-2.0
"""Bags in real time into something that answers as it is told to, in a thread of this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

from depthpro_ros.errors import InputError
from depthpro_ros.node import real_time_replay
from depthpro_ros.node.bag_images import BagImages
from depthpro_ros.node.outputs import DEPTH, DEPTH_INFO, ESTIMATED_INFO, TOPICS
from depthpro_ros.node.pairing import stamp_ns
from depthpro_ros.node.real_time_replay import RealTimeReplay
from depthpro_ros.node.replayed_frame import ReplayedFrame
from test.bag_writer import BagWriter

S = 10**9
START_NS = 100 * S + 7
REQUIRED = (DEPTH, DEPTH_INFO)
FRAME = "camera"

Answers = Sequence[tuple[str, int, str]]
"""Output, what is added to the image's stamp (ns), and coordinate frame."""
GOOD: Answers = tuple((name, 0, FRAME) for name in REQUIRED)


class Puppet(Node):
    """Stands for the depth node.

    Args:
        namespace: of its topics.
        answers: for an image's number in the bag, what is published.
    """

    def __init__(self, namespace: str, answers: Callable[[int], Answers]) -> None:
        super().__init__("depth_pro", namespace=namespace)
        self.answers = answers
        self.images: list[int] = []
        self.infos: list[int] = []
        """Stamps, ns."""
        self.outputs = {name: self.create_publisher(type_, name, 10) for name, type_ in TOPICS.items()}
        self.create_subscription(Image, "cam/image", self.on_image, 10)
        self.create_subscription(CameraInfo, "cam/camera_info", lambda m: self.infos.append(stamp_ns(m.header)), 10)
        self.says = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self.create_timer(0.1, self.report)
        self.executor_ = SingleThreadedExecutor()
        self.executor_.add_node(self)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.spin)
        self.thread.start()

    def spin(self) -> None:
        while not self.stop.is_set():
            self.executor_.spin_once(0.05)

    def on_image(self, image: Any) -> None:
        number = len(self.images)
        self.images.append(number)
        for name, shift_ns, frame_id in self.answers(number):
            message = TOPICS[name]()
            message.header.stamp.sec = image.header.stamp.sec
            message.header.stamp.nanosec = image.header.stamp.nanosec + shift_ns
            message.header.frame_id = frame_id
            if name == DEPTH:
                message.data.frombytes(bytes(1000))
            self.outputs[name].publish(message)

    def report(self) -> None:
        count = str(len(self.images))
        values = {"images in": count, "frames out": count, "state": "active"}
        values["subscribed outputs"] = ", ".join([*REQUIRED, ESTIMATED_INFO])
        name = f"{self.get_fully_qualified_name()}: depth"
        pairs = [KeyValue(key=k, value=v) for k, v in values.items()]
        self.says.publish(DiagnosticArray(status=[DiagnosticStatus(name=name, values=pairs)]))

    def close(self) -> None:
        self.stop.set()
        self.thread.join()
        self.executor_.shutdown()
        self.destroy_node()


@pytest.fixture
def puppet(request: pytest.FixtureRequest, ros: None) -> Iterator[Callable[..., Puppet]]:
    """Makes a node that answers each image as a function says."""
    made: list[Puppet] = []

    def make(answers: Callable[[int], Answers] = lambda _: GOOD) -> Puppet:
        made.append(Puppet(f"puppet_{abs(hash(request.node.name))}", answers))
        return made[-1]

    yield make
    for node in made:
        node.close()


def write_bag(path: Path, times_s: Sequence[float]) -> Path:
    """Calibrations and images with these stamps after `START_NS`; the images are recorded 5 ms later."""
    with BagWriter(path) as bag:
        for time_s in times_s:
            stamp = START_NS + round(time_s * S)
            bag.info("/cam/camera_info", stamp, 20.0)
            bag.image("/cam/image", stamp, np.zeros((4, 6, 3), np.uint8), "rgb8")
    return path


def replayed(
    bag: Path, node: Puppet, on_frame: Callable[[ReplayedFrame], None] | None = None, **options: Any
) -> tuple[list[ReplayedFrame], RealTimeReplay]:
    """All frames of a bag, in the order in which they came."""
    frames: list[ReplayedFrame] = []

    def take(frame: ReplayedFrame) -> None:
        frames.append(frame)
        if on_frame is not None:
            on_frame(frame)

    namespace = node.get_namespace()
    replay = RealTimeReplay(
        image_topic=f"{namespace}/cam/image", namespace=namespace, required=REQUIRED, ready_s=20, **options
    )
    try:
        with BagImages(bag) as images:
            replay.run(images, take)
    finally:
        replay.close()
    return frames, replay


def numbers(frames: Sequence[ReplayedFrame], *, answered: bool) -> list[int]:
    return [number for number, frame in enumerate(frames) if frame.answered == answered]


TIMES_S = (0.0, 0.2, 0.3, 0.7, 0.8)


def test_images_are_sent_at_their_recorded_times_by_the_rate(puppet: Callable[..., Puppet], tmp_path: Path) -> None:
    frames, _ = replayed(write_bag(tmp_path / "bag", TIMES_S), puppet(), rate=2.0)
    sent_s = [(frame.sent_ns - frames[0].sent_ns) / S for frame in frames]
    late_s = [frame.late_s - frames[0].late_s for frame in frames]
    for sent, late, due in zip(sent_s, late_s, TIMES_S, strict=True):
        # never early, and what they are late is told
        assert sent - late == pytest.approx(due / 2, abs=0.01)
    assert all(frame.late_s >= 0 for frame in frames) and np.median(late_s) < 0.1


def test_what_was_not_answered_before_a_later_one_is_dropped(puppet: Callable[..., Puppet], tmp_path: Path) -> None:
    node = puppet(lambda number: GOOD if number % 3 == 2 else GOOD[:1] if number % 3 else ())
    frames, replay = replayed(write_bag(tmp_path / "bag", [0.02 * n for n in range(12)]), node)
    assert [(frame.stamp_ns - START_NS) // 10**7 for frame in frames] == list(range(0, 24, 2))
    assert numbers(frames, answered=True) == [2, 5, 8, 11]
    assert node.images == list(range(12))
    assert all(frame.latency_s > 0 for frame in frames if frame.answered)
    assert all(np.isnan(frame.latency_s) and not frame.answers for frame in frames if not frame.answered)
    assert (replay.strange_stamps, replay.strange_frames) == (0, 0)


def test_a_node_that_says_it_is_done_is_not_waited_for(puppet: Callable[..., Puppet], tmp_path: Path) -> None:
    started = time.monotonic()
    frames, _ = replayed(write_bag(tmp_path / "bag", [0.0, 0.02, 0.04]), puppet(lambda n: () if n else GOOD))
    assert (numbers(frames, answered=True), numbers(frames, answered=False)) == ([0], [1, 2])
    assert time.monotonic() - started < 20  # it waits for a minute otherwise


def test_other_stamps_and_frames_are_counted(puppet: Callable[..., Puppet], tmp_path: Path) -> None:
    def answers(number: int) -> Answers:
        return ((DEPTH, 1, FRAME), *GOOD) if number == 1 else tuple((n, 0, "map") for n in REQUIRED)

    frames, replay = replayed(write_bag(tmp_path / "bag", [0.0, 0.05, 0.1]), puppet(answers))
    assert numbers(frames, answered=True) == [0, 1, 2]
    assert (replay.strange_stamps, replay.strange_frames) == (1, 4)


def test_optional_outputs_are_waited_for_a_little(puppet: Callable[..., Puppet], tmp_path: Path) -> None:
    node = puppet(lambda number: (*GOOD, (ESTIMATED_INFO, 0, FRAME)) if number != 1 else GOOD)
    frames, _ = replayed(write_bag(tmp_path / "bag", [0.0, 0.2, 0.4]), node, grace_s=0.1)
    assert [ESTIMATED_INFO in frame.answers for frame in frames] == [True, False, True]


def test_a_slow_callback_disturbs_neither_sending_nor_times_nor_memory(
    puppet: Callable[..., Puppet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(real_time_replay, "BACKLOG_BYTES", 4000)
    frames, _ = replayed(
        write_bag(tmp_path / "bag", [0.05 * n for n in range(20)]), puppet(), lambda frame: time.sleep(0.2)
    )
    assert numbers(frames, answered=True) == list(range(20))
    assert np.median([frame.latency_s for frame in frames]) < 0.1
    assert frames[-1].sent_ns - frames[0].sent_ns < 2 * S
    # four messages of 1000 bytes may wait
    with_content = [bool(frame.answers[DEPTH].data) for frame in frames]
    assert with_content[:3] == [True] * 3 and 3 <= sum(with_content) < 20


def test_calibrations_are_sent_too(puppet: Callable[..., Puppet], tmp_path: Path) -> None:
    node = puppet()
    replayed(write_bag(tmp_path / "bag", [0.0, 0.05]), node)
    # images and calibrations are on topics of their own, so the last one may still be under way
    assert node.infos[:1] == [START_NS]


def test_a_clock_that_was_set_does_not_stop_the_replay(
    puppet: Callable[..., Puppet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(real_time_replay, "LONGEST_PAUSE_S", 0.2)
    frames, _ = replayed(write_bag(tmp_path / "bag", [0.0, 7200.0, 7200.1]), puppet())
    sent_s = [(frame.sent_ns - frames[0].sent_ns) / S for frame in frames]
    late_s = [frame.late_s - frames[0].late_s for frame in frames]
    assert [s - late for s, late in zip(sent_s, late_s, strict=True)] == pytest.approx([0, 0.2, 0.3], abs=0.01)


@pytest.mark.parametrize("where", ["callback", "watch"])
def test_an_error_ends_the_replay(puppet: Callable[..., Puppet], tmp_path: Path, where: str) -> None:
    def fail(_: Any = None) -> None:
        raise RuntimeError("enough")

    node = puppet()
    options: dict[str, Any] = {"watch": fail} if where == "watch" else {"on_frame": fail}
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="enough"):
        replayed(write_bag(tmp_path / "bag", [0.1 * n for n in range(100)]), node, **options)
    assert threading.active_count() == before and len(node.images) < 100


def test_a_rate_must_be_positive(ros: None) -> None:
    with pytest.raises(InputError, match="rate is 0, expected more than 0"):
        RealTimeReplay(rate=0.0)
