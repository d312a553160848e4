# SPDX-License-Identifier: Apache-2.0
"""The ROS enhancement proposals that concern a depth camera, each on the messages of the real node.

REP 103 (units and axes), 105 (frames), 117 (special values of ranges), 118 (depth images), 2003 (quality of service).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, HistoryPolicy, ReliabilityPolicy

from .harness import Peer, at_once

HEIGHT, WIDTH = 24, 32
FX, FY, CX, CY = 1.25 * WIDTH, 1.5 * WIDTH, 0.4 * WIDTH, 0.6 * HEIGHT
"""The calibration that `Peer.info_for` makes."""
FRAME = "front_camera_optical_frame"
NEAR_M, FAR_M = 1.5, 6.0
OUTPUTS = ("depth/image", "depth/camera_info", "depth/points")


@pytest.fixture(scope="module")
def depth_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("depth") / "depth.npy"


@pytest.fixture(scope="module")
def running(start: Callable[..., Peer], depth_file: Path) -> Peer:
    peer = start("reps", "--depth", str(depth_file), parameters={"edge_filter": "off"})
    peer.listen(*OUTPUTS)
    peer.connected()
    return peer


def said(peer: Peer, depth_file: Path, depth_m: np.ndarray, **parameters: Any) -> dict[str, Any]:
    """What the node publishes of an image whose depth is this."""
    peer.only(**parameters)
    with at_once(depth_file) as file:
        np.save(file, depth_m.astype(np.float32))
    return peer.answers(peer.show(np.full((HEIGHT, WIDTH, 3), 90, np.uint8), frame_id=FRAME))


def values(image: Any) -> np.ndarray:
    return np.frombuffer(image.data, {"32FC1": "<f4", "16UC1": "<u2"}[image.encoding]).reshape(HEIGHT, WIDTH)


def points(cloud: Any) -> np.ndarray:
    return np.frombuffer(cloud.data, "<f4").reshape(cloud.height, cloud.width, 4)[..., :3]


def ramp() -> np.ndarray:
    """From 1 m at the left to 8 m at the right."""
    return np.broadcast_to(np.linspace(1, 8, WIDTH), (HEIGHT, WIDTH))


def test_rep_103_the_optical_frames_axes_and_metres(peer: Peer, depth_file: Path) -> None:
    cloud = points(said(peer, depth_file, np.full((HEIGHT, WIDTH), 2.0))["depth/points"])
    np.testing.assert_allclose(cloud[..., 2], 2.0, err_msg="z is forward, in metres")
    assert (np.diff(cloud[..., 0], axis=1) > 0).all(), "x is to the right of the image"
    assert (np.diff(cloud[..., 1], axis=0) > 0).all(), "y is down the image"
    np.testing.assert_allclose(cloud[0, -1, 0], (WIDTH - 1 - CX) * 2.0 / FX, rtol=1e-6)
    np.testing.assert_allclose(cloud[-1, 0, 1], (HEIGHT - 1 - CY) * 2.0 / FY, rtol=1e-6)
    x, y, z = cloud[0, 1] - cloud[0, 0], cloud[1, 0] - cloud[0, 0], np.array([0.0, 0.0, 1.0])
    assert np.dot(np.cross(x, y), z) > 0, "right-handed"


def test_rep_105_the_frame_is_the_cameras_and_none_is_invented(peer: Peer, depth_file: Path) -> None:
    assert {message.header.frame_id for message in said(peer, depth_file, ramp()).values()} == {FRAME}


def test_rep_105_tf_is_left_to_the_robot(peer: Peer, depth_file: Path) -> None:
    said(peer, depth_file, ramp())
    published = dict(peer.get_publisher_names_and_types_by_node("depth_pro", "/reps"))
    assert "/reps/depth/image" in published, "the node is seen"
    assert not [topic for topic, types in published.items() if "tf2_msgs/msg/TFMessage" in types]
    assert not peer.get_publishers_info_by_topic("/tf") and not peer.get_publishers_info_by_topic("/tf_static")


def test_rep_117_far_is_plus_infinity_near_is_minus_infinity(peer: Peer, depth_file: Path) -> None:
    depth = ramp().astype(np.float32)
    image = values(said(peer, depth_file, depth, min_depth_m=NEAR_M, max_depth_m=FAR_M)["depth/image"])
    np.testing.assert_array_equal(np.isposinf(image), depth > FAR_M)
    np.testing.assert_array_equal(np.isneginf(image), depth < NEAR_M)
    between = (depth >= NEAR_M) & (depth <= FAR_M)
    np.testing.assert_array_equal(image[between], depth[between])


def test_rep_117_what_is_not_trusted_is_nan(peer: Peer, depth_file: Path) -> None:
    depth = np.where(np.arange(WIDTH) < WIDTH // 2, 2.0, 5.0) * np.ones((HEIGHT, 1))
    image = values(said(peer, depth_file, depth, edge_filter="all")["depth/image"])
    unknown = np.isnan(image)
    columns = np.flatnonzero(unknown.any(0))
    assert len(columns) > 0 and np.abs(columns - (WIDTH - 1) / 2).max() <= 2, "at the depth edge, and only there"
    np.testing.assert_array_equal(image[~unknown], depth.astype(np.float32)[~unknown])


def test_rep_118_floats_are_metres_along_the_axis(peer: Peer, depth_file: Path) -> None:
    image = said(peer, depth_file, np.full((HEIGHT, WIDTH), 2.5))["depth/image"]
    assert (image.encoding, image.step, image.is_bigendian) == ("32FC1", 4 * WIDTH, 0)
    np.testing.assert_array_equal(values(image), np.float32(2.5), err_msg="not the distance along the ray")


def test_rep_118_integers_are_millimetres_with_0_for_none(peer: Peer, depth_file: Path) -> None:
    depth = ramp().astype(np.float32)
    image = said(peer, depth_file, depth, depth_encoding="16UC1", max_depth_m=FAR_M)["depth/image"]
    assert (image.encoding, image.step) == ("16UC1", 2 * WIDTH)
    expected = np.where(depth > FAR_M, 0.0, depth * 1000.0)
    assert (expected == 0).any() and np.abs(values(image) - expected).max() <= 0.51


def test_rep_118_the_calibration_is_beside_the_image_with_its_header(peer: Peer, depth_file: Path) -> None:
    messages = said(peer, depth_file, ramp())
    image, info = messages["depth/image"], messages["depth/camera_info"]
    assert info.header == image.header == messages["depth/points"].header
    assert (info.width, info.height) == (image.width, image.height)
    assert list(info.p) == [FX, 0, CX, 0, 0, FY, CY, 0, 0, 0, 1, 0]


def test_rep_2003_sensor_data_is_offered_reliably_and_not_kept(peer: Peer) -> None:
    for name in OUTPUTS:
        (endpoint,) = peer.get_publishers_info_by_topic(f"/reps/{name}")
        qos = endpoint.qos_profile
        assert qos.reliability == ReliabilityPolicy.RELIABLE, "serves reliable and best-effort readers alike"
        assert qos.durability == DurabilityPolicy.VOLATILE
        # discovery does not tell the history
        assert qos.history in (HistoryPolicy.KEEP_LAST, HistoryPolicy.UNKNOWN)
