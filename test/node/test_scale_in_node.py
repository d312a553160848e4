# SPDX-License-Identifier: Apache-2.0
"""A model up to scale in the node, as other processes see it: metres only while somebody knows them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image, LaserScan

from depthpro_ros.node.outputs import CONFIDENCE, DEPTH, DEPTH_INFO, POINTS, RELATIVE, SCALE

from .harness import Peer

HEIGHT, WIDTH = 24, 32
FX, CX = 1.25 * WIDTH, 0.4 * WIDTH
"""The calibration that `Peer.info_for` makes."""
START_S = 1_700_000_000
PLACE = "[0.0, 0.0, 0.0, 0.5, -0.5, 0.5, 0.5]"
"""Of a scanner at the camera's centre, x forward."""
TRUE_M = 3.0
"""Metres that are one unit of the fake's relative depth."""


def picture() -> np.ndarray:
    """A surface without edges; its farthest pixels are in the last row."""
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([64 + u // 2 + 2 * v, 0 * u, 0 * u], -1).astype(np.uint8)


def relative_depth(rgb: np.ndarray) -> np.ndarray:
    """What the fake says."""
    depth = 1 + rgb[..., 0].astype(np.float32) / 64
    return depth / depth.max()


def pixels(image: Image) -> np.ndarray:
    assert image.encoding == "32FC1" and (image.height, image.width) == (HEIGHT, WIDTH)
    return np.frombuffer(image.data, "<f4").reshape(HEIGHT, WIDTH)


def values(status: DiagnosticStatus) -> dict[str, str]:
    return {v.key: v.value for v in status.values}


def scan(header: Any) -> LaserScan:
    """What a scanner at the camera's centre measures of the picture: the surface in the horizontal plane."""
    angles = np.linspace(-0.4, 0.25, 131)
    row = relative_depth(picture())[round(0.6 * HEIGHT)] * TRUE_M
    z = np.interp(CX - FX * np.tan(angles), np.arange(WIDTH), row)
    message = LaserScan(header=header, angle_min=angles[0], angle_increment=0.005, range_min=0.1, range_max=30.0)
    message.header.frame_id = "scanner"
    message.ranges = (z / np.cos(angles)).astype(np.float32).tolist()
    return message


@pytest.fixture(scope="module")
def nodes(start: Callable[..., Peer]) -> tuple[Peer, Peer]:
    """One node with a scanner, and one that assumes; started at the same time."""
    parameters = {"ranges_type": "laser_scan", "ranges_extrinsics": PLACE, "scale_timeout_s": 2.5}
    scanning = start("scanning", "--relative", parameters=parameters)
    assuming = start("assuming", "--relative", parameters={"scale_source": "assumed", "assumed_d98_m": 8.0})
    scanning.listen(RELATIVE, DEPTH, POINTS, SCALE)
    assuming.listen(RELATIVE, CONFIDENCE, DEPTH, DEPTH_INFO, POINTS, SCALE)
    return scanning, assuming


@pytest.fixture(scope="module")
def scanning(nodes: tuple[Peer, Peer]) -> Peer:
    nodes[0].connected()
    return nodes[0]


@pytest.fixture(scope="module")
def assuming(nodes: tuple[Peer, Peer]) -> Peer:
    nodes[1].connected()
    return nodes[1]


def came(peer: Peer, topic: str, image: Image) -> bool:
    return any(m.header.stamp == image.header.stamp for m in peer.received[topic])


def test_without_any_camera_info_there_is_relative_depth_and_confidence(assuming: Peer) -> None:
    image = assuming.show(picture(), calibrated=False)
    answers = assuming.answers(image, [RELATIVE, CONFIDENCE])
    np.testing.assert_allclose(pixels(answers[RELATIVE]), relative_depth(picture()), rtol=1e-6)
    np.testing.assert_allclose(pixels(answers[CONFIDENCE]), 0.8, rtol=1e-6)
    assert answers[RELATIVE].header == answers[CONFIDENCE].header == image.header
    assert not assuming.received[DEPTH_INFO] and not assuming.received[POINTS], "a camera was made up"


def test_an_assumed_scale_is_flagged_as_not_metric(assuming: Peer) -> None:
    image = assuming.show(picture(), calibrated=False)
    answers = assuming.answers(image, [DEPTH, SCALE])
    depth, expected = pixels(answers[DEPTH]), 8.0 * relative_depth(picture())
    np.testing.assert_allclose(depth[:-1], expected[:-1], rtol=1e-6)
    (status,) = answers[SCALE].status
    assert status.level == DiagnosticStatus.WARN and "NOT metric" in status.message
    assert (values(status)["metric"], values(status)["state"]) == ("false", "assumed")
    assuming.until(lambda: assuming.diagnostics.get("scale metric") == "false", "the frame on /diagnostics")
    assert assuming.status.level == DiagnosticStatus.WARN and "NOT metric" in assuming.status.message
    assert "NOT metric" in assuming.process.output, "nothing was said at the start"


def test_metres_are_published_only_while_ranges_give_a_scale(scanning: Peer) -> None:
    scans = scanning.create_publisher(LaserScan, "ranges", qos_profile_sensor_data)
    scanning.until(scans.get_subscription_count, "the node to hear the scanner")
    rgb = picture()

    before = scanning.show(rgb, stamp=(START_S, 5))
    answers = scanning.answers(before, [RELATIVE, SCALE])
    (status,) = answers[SCALE].status
    assert status.level == DiagnosticStatus.ERROR and values(status)["state"] == "none"
    assert "no ranges have arrived yet" in status.message

    scanned = scanning.image(rgb, stamp=(START_S + 1, 5))
    scans.publish(scan(type(scanned.header)(stamp=scanned.header.stamp)))
    scanning.until(lambda: scanning.diagnostics["ranges in"] == "1", "the scan to arrive")
    scanning.infos.publish(scanning.info_for(scanned, WIDTH, HEIGHT))
    scanning.images.publish(scanned)
    answers = scanning.answers(scanned)
    assert all(answer.header == scanned.header for answer in answers.values()), "stamps and frames are the image's"
    (status,) = answers[SCALE].status
    assert status.level == DiagnosticStatus.OK and values(status)["state"] == "ok"
    assert values(status)["source"] == "ranges" and values(status)["metric"] == "true"
    assert float(values(status)["scale"]) == pytest.approx(TRUE_M, rel=0.02)
    assert int(values(status)["inliers"]) > 100 and float(values(status)["spread"]) < 0.02
    depth, expected = pixels(answers[DEPTH]), TRUE_M * relative_depth(rgb)
    np.testing.assert_allclose(depth[:-1], expected[:-1], rtol=0.02)
    cloud = np.frombuffer(answers[POINTS].data, "<f4").reshape(HEIGHT, WIDTH, 4)
    v, u = 5, 20
    np.testing.assert_allclose(cloud[v, u, 0], (u - CX) / FX * expected[v, u], rtol=0.02)

    held = scanning.answers(scanning.show(rgb, stamp=(START_S + 3, 5)))
    assert values(held[SCALE].status[0])["state"] == "held" and "age (s)" in values(held[SCALE].status[0])
    np.testing.assert_array_equal(pixels(held[DEPTH])[:-1], depth[:-1])

    late = scanning.show(rgb, stamp=(START_S + 4, 5))
    answers = scanning.answers(late, [RELATIVE, SCALE])
    assert values(answers[SCALE].status[0])["state"] == "none" and math.isnan(
        float(values(answers[SCALE].status[0])["scale"])
    )
    scanning.until(lambda: "no valid scale" in scanning.status.message, "the error on /diagnostics")
    for image in (before, late):
        assert not came(scanning, DEPTH, image) and not came(scanning, POINTS, image)
    assert len(scanning.received[DEPTH]) == 2


def test_time_that_goes_back_takes_the_scale_with_it(scanning: Peer) -> None:
    image = scanning.show(picture(), stamp=(START_S - 1000, 5))
    (status,) = scanning.answers(image, [SCALE])[SCALE].status
    assert values(status)["state"] == "none"
    assert not came(scanning, DEPTH, image)
