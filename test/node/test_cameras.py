# SPDX-License-Identifier: Apache-2.0
"""Two cameras in one node: they share the network's time and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from sensor_msgs.msg import Image

from depthpro_ros.node.outputs import DEPTH, DEPTH_INFO, POINTS

from .fake_node import POISON
from .harness import Peer

FRONT, REAR = (16, 24), (20, 40)
"""Height and width of their images, by which the model's log tells them apart."""


def picture(size: tuple[int, int], red: int = 100) -> np.ndarray:
    return np.full((*size, 3), red, np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fake")


@pytest.fixture(scope="module")
def running(start: Callable[..., Peer], folder: Path) -> Iterator[tuple[Peer, Peer]]:
    front = start(
        "pair",
        "--log",
        str(folder / "passes"),
        "--delay-file",
        str(folder / "delay"),
        parameters={"cameras": "[front, rear]"},
        camera="front",
    )
    rear = Peer(front.process, camera="rear", beside=front)
    for peer in (front, rear):
        peer.listen(DEPTH, DEPTH_INFO, POINTS)
    for peer in (front, rear):
        peer.connected()
    yield front, rear
    rear.destroy_node()


@pytest.fixture
def pair(running: tuple[Peer, Peer], folder: Path) -> Iterator[tuple[Peer, Peer]]:
    """Both cameras' peers; the node is put back afterwards."""
    yield running
    (folder / "delay").unlink(missing_ok=True)
    running[0].only()


def passes(folder: Path) -> list[list[str]]:
    """The sizes of the images of each pass of the network."""
    log = folder / "passes"
    lines = log.read_text().splitlines() if log.exists() else []
    return [[image.partition("]")[0] + "]" for image in line.split("; ")] for line in lines]


SIZE = {FRONT: "[16, 24, 3]", REAR: "[20, 40, 3]"}


def occupied(peer: Peer, folder: Path, seconds: float, size: tuple[int, int] = FRONT) -> Image:
    """An image of the peer's that the network begins to compute, and is busy with for some time."""
    before = len(passes(folder))
    (folder / "delay").write_text(str(seconds))
    image = peer.show(picture(size))
    peer.until(lambda: len(passes(folder)) > before, "the pass to begin")
    return image


def arrived(peer: Peer, before: int) -> None:
    peer.until(lambda: int(peer.diagnostics["images in"]) > before, "the image to arrive")


def test_each_camera_has_its_own_topics_headers_and_calibration(pair: tuple[Peer, Peer]) -> None:
    for peer, (height, width), red in zip(pair, (FRONT, REAR), (90, 200), strict=True):
        image = peer.show(picture((height, width), red), frame_id=f"{peer.camera}_optical")
        answers = peer.answers(image)
        assert all(a.header == image.header for a in answers.values())
        # the focal length of `Peer.info_for` is 1.25 times the width
        depth = np.frombuffer(answers[DEPTH].data, "<f4").reshape(height, width)
        np.testing.assert_allclose(depth, (1 + red / 64) * 1.25, rtol=1e-6)
        assert answers[DEPTH_INFO].k[0] == 1.25 * width
        assert (answers[POINTS].height, answers[POINTS].width) == (height, width)


def test_each_camera_has_its_own_diagnostics(pair: tuple[Peer, Peer]) -> None:
    front, rear = pair
    before = [peer.fresh("frames out") for peer in pair]
    for _ in range(3):
        front.answers(front.show(picture(FRONT)))
    assert front.fresh("frames out") == before[0] + 3
    assert rear.fresh("frames out") == before[1]
    assert [peer.diagnostics["camera"] for peer in pair] == ["front", "rear"]
    assert rear.diagnostics["image topic"] == "/pair/rear/image"
    assert rear.diagnostics["camera_info topic"] == "/pair/rear/camera_info"


def test_the_network_is_warmed_up_for_all(pair: tuple[Peer, Peer]) -> None:
    assert "the fake was warmed up for 2" in pair[0].process.output


def test_images_that_wait_share_a_batch(pair: tuple[Peer, Peer], folder: Path) -> None:
    front, rear = pair
    busy = occupied(front, folder, 1.0)
    images = [peer.show(picture(size)) for peer, size in ((front, FRONT), (rear, REAR))]
    front.answers(busy)
    for peer, image in zip(pair, images, strict=True):
        peer.answers(image)
    assert sorted(passes(folder)[-1]) == sorted(SIZE.values())
    rear.until(lambda: float(rear.diagnostics["batch size"]) > 1, "the batch in diagnostics")


def test_with_one_at_a_time_a_fast_camera_does_not_starve_the_other(pair: tuple[Peer, Peer], folder: Path) -> None:
    front, rear = pair
    front.set(max_batch=1)
    before = int(rear.fresh("images in"))
    busy = occupied(front, folder, 0.5)
    begun = len(passes(folder))
    image = rear.show(picture(REAR))
    arrived(rear, before)

    def served() -> bool:
        front.show(picture(FRONT))  # at every pass the front camera has a newer image
        return any(m.header == image.header for m in rear.received[DEPTH])

    rear.until(served, "depth of the rear camera's image")
    front.answers(busy)
    after = passes(folder)[begun : begun + 3]
    assert all(len(images) == 1 for images in after)
    assert [SIZE[REAR]] in after[:2], "the rear camera had to wait for more than one other image"


def test_a_slow_camera_is_served_while_a_fast_one_drops(pair: tuple[Peer, Peer], folder: Path) -> None:
    front, rear = pair
    dropped = [peer.fresh("dropped") for peer in pair]
    (folder / "delay").write_text("0.15")
    slow = []
    for number in range(36):
        front.show(picture(FRONT))
        if number % 12 == 0:
            slow.append(rear.show(picture(REAR)))
        end = time.monotonic() + 0.04
        front.until(lambda end=end: time.monotonic() >= end, "the next image's time")
    for image in slow:
        rear.answers(image)
    assert rear.fresh("dropped") == dropped[1]
    assert front.fresh("dropped") > dropped[0]


def test_the_focal_length_is_held_for_each_camera_by_itself(pair: tuple[Peer, Peer]) -> None:
    front, rear = pair
    front.set(focal_policy="estimated", focal_lock_after=2)
    for _ in range(2):
        front.answers(front.show(picture(FRONT)))
    image = rear.show(picture(REAR))
    assert rear.answers(image)[DEPTH_INFO].k[0] == pytest.approx(REAR[1])
    front.until(lambda: front.diagnostics["focal locked"] == "true", "the front camera's focal to be held")
    front.until(lambda: float(rear.diagnostics["focal (px)"]) == pytest.approx(REAR[1], rel=1e-3), "the rear's focal")
    assert rear.diagnostics["focal locked"] == "false"
    assert float(front.diagnostics["focal (px)"]) == pytest.approx(FRONT[1], rel=1e-3)


def test_a_bad_calibration_costs_its_own_camera_alone(pair: tuple[Peer, Peer]) -> None:
    front, rear = pair
    refused = [peer.fresh("refused") for peer in pair]
    bad = rear.image(picture(REAR))
    rear.infos.publish(rear.info_for(bad, 2 * REAR[1], REAR[0]))
    rear.images.publish(bad)
    front.answers(front.show(picture(FRONT)))
    rear.until(lambda: int(rear.diagnostics["refused"]) == refused[1] + 1, "the refusal")
    assert "CameraInfo is for 80x20 images" in rear.diagnostics["last error"]
    assert "rear: frame refused: " in rear.process.output
    assert front.fresh("refused") == refused[0]
    rear.answers(rear.show(picture(REAR)))


def test_a_bad_image_in_a_batch_costs_itself_alone(pair: tuple[Peer, Peer], folder: Path) -> None:
    front, rear = pair
    refused = rear.fresh("refused")
    busy = occupied(front, folder, 1.0)
    poisoned = picture(REAR)
    poisoned[0, 0] = POISON
    good, bad = front.show(picture(FRONT)), rear.show(poisoned)
    (folder / "delay").write_text("0.2")
    front.answers(busy)
    front.answers(good)
    rear.until(lambda: int(rear.diagnostics["refused"]) == refused + 1, "the refusal")
    assert "poisoned" in rear.diagnostics["last error"]
    assert [len(images) for images in passes(folder)[-3:]] == [2, 1, 1]
    assert "2 images at once failed" in front.process.output
    assert not any(m.header == bad.header for m in rear.received[DEPTH])
    rear.answers(rear.show(picture(REAR)))


def test_an_image_that_waits_for_its_calibration_holds_nobody_up(pair: tuple[Peer, Peer], folder: Path) -> None:
    front, rear = pair
    rear.answers(rear.show(picture(REAR)))  # its calibrations come with its images' stamps
    front.set(camera_info_wait_s=10.0)
    late = rear.image(picture(REAR))
    before = rear.fresh("images in")
    rear.images.publish(late)
    arrived(rear, before)
    front.answers(front.show(picture(FRONT)))
    assert not any(m.header == late.header for m in rear.received[DEPTH]), "it did not wait"
    rear.infos.publish(rear.info_for(late, REAR[1], REAR[0], k=[30.0, 0, 20, 0, 30, 10, 0, 0, 1]))
    assert rear.answers(late)[DEPTH_INFO].k[0] == 30
    front.until(lambda: float(rear.diagnostics["pairing p95 (ms)"]) > 100, "the wait in diagnostics")
