# SPDX-License-Identifier: Apache-2.0
"""Start, transitions and end of the node's process."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from sensor_msgs.msg import CompressedImage

from depthpro_ros.node.outputs import DEPTH, POINTS
from depthpro_ros.soak.run import slowness

from .harness import Peer

PICTURE = np.full((16, 24, 3), 100, np.uint8)


def assert_ended_well(peer: Peer, number: signal.Signals) -> None:
    """Signal the node: it must end within two seconds, in order and without a word of complaint.

    They are seconds of a machine that has time: what other processes take of it is added.
    """
    before = slowness()
    took_s = peer.process.interrupt(number)
    assert took_s < 2 * max(before, slowness())
    assert peer.process.process.returncode == 0, peer.process.output
    assert "Traceback" not in peer.process.output, peer.process.output


def test_a_lifecycle_manager_leads(start: Callable[..., Peer], tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    peer = start("managed", "--missing-until", str(weights), parameters={"autostart": False})
    peer.listen(DEPTH)
    assert peer.state() == "unconfigured"

    assert not peer.transition("configure")
    assert peer.state() == "unconfigured"
    assert "depthpro weights" in peer.process.output, "the message does not say how to get weights"
    peer.until(lambda: peer.status and peer.status.level == DiagnosticStatus.ERROR, "an error in diagnostics")
    assert "depthpro weights" in peer.status.message

    weights.touch()
    assert peer.transition("configure")
    assert peer.state() == "inactive"
    assert peer.images.get_subscription_count() == 0, "it subscribes before it is active"
    assert peer.transition("activate")
    peer.connected()
    peer.answers(peer.show(PICTURE))

    assert peer.transition("deactivate")
    peer.until(lambda: not peer.images.get_subscription_count(), "the node to unsubscribe")
    assert peer.transition("activate")
    peer.connected()
    peer.answers(peer.show(PICTURE))

    assert peer.transition("deactivate") and peer.transition("cleanup")
    assert peer.state() == "unconfigured"
    assert peer.transition("configure") and peer.transition("activate")
    peer.connected()
    peer.answers(peer.show(PICTURE))
    assert_ended_well(peer, signal.SIGTERM)


def test_a_message_is_not_written_to_while_it_is_published(start: Callable[..., Peer]) -> None:
    peer = start("slow", "--publishing-delay", "0.3", "--delay", "0.02")
    peer.listen(DEPTH, POINTS)
    peer.connected()
    pictures = [np.full((120, 160, 3), red, np.uint8) for red in (0, 40, 80, 120, 160, 200)]
    images = []
    for rgb in pictures:
        images.append(peer.show(rgb))
        # the next is computed while this one is published
        end = time.monotonic() + 0.15
        peer.until(lambda end=end: time.monotonic() >= end, "the next image's time")
    peer.answers(images[-1])
    served = [
        (i, rgb)
        for i, rgb in zip(images, pictures, strict=True)
        if any(m.header == i.header for m in peer.received[POINTS])
    ]
    assert len(served) >= 3
    for image, rgb in served:
        answers = peer.answers(image)
        expected = (1 + rgb[0, 0, 0] / 64) * 1.25
        np.testing.assert_allclose(np.frombuffer(answers[DEPTH].data, "<f4"), expected, rtol=1e-6)
        points = np.frombuffer(answers[POINTS].data, "<f4").reshape(-1, 4)
        np.testing.assert_allclose(points[:, 2], expected, rtol=1e-6)

    # deactivated while one is in publication and the next one is computed
    peer.show(pictures[1])
    peer.show(pictures[2])
    assert peer.transition("deactivate")
    peer.until(lambda: peer.diagnostics["state"] == "inactive", "diagnostics of an inactive node")
    before = [len(peer.received[name]) for name in (DEPTH, POINTS)]
    end = time.monotonic() + 0.8
    peer.until(lambda: time.monotonic() >= end, "frames that come too late")
    assert [len(peer.received[name]) for name in (DEPTH, POINTS)] == before
    assert "not activated" not in peer.process.output
    assert re.search(r"first depth \d+\.\d s after the process started: imports \d+\.\d s, model ", peer.process.output)
    assert_ended_well(peer, signal.SIGINT)


def test_missing_weights_leave_the_node_alive(start: Callable[..., Peer], tmp_path: Path) -> None:
    peer = start("poor", "--missing-until", str(tmp_path / "never"))
    peer.until(lambda: peer.status and peer.status.level == DiagnosticStatus.ERROR, "an error in diagnostics")
    assert "depthpro weights" in peer.status.message
    assert peer.state() == "unconfigured"
    assert_ended_well(peer, signal.SIGINT)


def test_compressed_images_and_services_while_the_model_loads(start: Callable[..., Peer]) -> None:
    peer = start("jpeg", "--load-delay", "5", parameters={"image_transport": "compressed"})
    peer.listen(DEPTH, POINTS)
    peer.logged("loading model")
    assert peer.state() == "unconfigured", "it answered only once the model was loaded"
    peer.images = peer.create_publisher(CompressedImage, "camera/image/compressed", peer.qos)
    peer.connected()

    def send(file: bytes) -> CompressedImage:
        message = CompressedImage(header=peer.image(PICTURE).header, format="jpeg")
        message.data.frombytes(file)
        peer.infos.publish(peer.info_for(message, 24, 16))
        peer.images.publish(message)
        return message

    good = cv2.imencode(".jpg", PICTURE)[1].tobytes()
    send(good[: len(good) // 4] if cv2.imdecode(np.frombuffer(good[:99], np.uint8), 1) is None else b"")
    peer.until(lambda: peer.diagnostics["refused"] == "1", "the corrupt JPEG to be refused")
    assert "compressed image" in peer.diagnostics["last error"]
    depth = peer.answers(send(good))[DEPTH]
    # canonical depth of red 100, and the focal length of `info_for`
    np.testing.assert_allclose(np.frombuffer(depth.data, "<f4"), (1 + 100 / 64) * 1.25, rtol=0.05)


def test_a_long_frame_does_not_delay_the_end(start: Callable[..., Peer], tmp_path: Path) -> None:
    peer = start("long", "--delay", "60", "--log", str(tmp_path / "passes"))
    peer.listen(DEPTH)
    peer.connected()
    peer.show(PICTURE)
    peer.until((tmp_path / "passes").exists, "the pass to begin")
    started = time.monotonic()
    assert_ended_well(peer, signal.SIGINT)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(("parameter", "value"), [("edge_filter", "soft"), ("max_depth_m", -1.0)])
def test_a_bad_parameter_at_the_start_ends_the_node(start: Callable[..., Peer], parameter: str, value: object) -> None:
    peer = start("wrong", parameters={parameter: value})
    assert peer.process.process.wait(30) == 1
    assert parameter in peer.process.output and str(value) in peer.process.output
    assert "Traceback" not in peer.process.output
