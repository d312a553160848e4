# SPDX-License-Identifier: Apache-2.0
"""Compressed depth, the preview, the republished image and thinner clouds, as other processes get them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import PointCloud2

from depthpro_ros.compressed_depth import QUANTISATION_M, unpack_depth
from depthpro_ros.node.outputs import COMPRESSED_DEPTH, DEPTH, DEPTH_INFO, POINTS, PREVIEW, RGB, RGB_INFO
from depthpro_ros.visualise import colour_depth

from .harness import Peer

HEIGHT, WIDTH = 48, 64
ALL = (DEPTH, DEPTH_INFO, COMPRESSED_DEPTH, PREVIEW, RGB, RGB_INFO, POINTS)


def picture() -> np.ndarray:
    """Three channels that cannot be taken for each other; red, which makes depth, grows to the right."""
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([64 + 2 * u, 255 - 5 * v, 2 * u + v], -1).astype(np.uint8)


def true_depth(rgb: np.ndarray) -> np.ndarray:
    """What the fake model says with the calibration that `Peer.info_for` makes."""
    return (1 + rgb[..., 0].astype(np.float32) / 64) * 1.25


def points_of(cloud: PointCloud2) -> np.ndarray:
    return np.frombuffer(cloud.data, "<f4").reshape(cloud.height, cloud.width, 4)


@pytest.fixture(scope="module")
def running(start: Callable[..., Peer]) -> Peer:
    peer = start("extra")
    peer.listen(*ALL)
    peer.connected()
    return peer


def test_all_have_the_images_own_header_and_size(peer: Peer) -> None:
    image = peer.show(picture(), stamp=(1_700_000_001, 999_999_999), frame_id="left_optical")
    answers = peer.answers(image, ALL)
    for name, answer in answers.items():
        assert answer.header == image.header, name
    for name in (DEPTH, DEPTH_INFO, RGB, RGB_INFO):
        assert (answers[name].height, answers[name].width) == (HEIGHT, WIDTH), name
    for name in (COMPRESSED_DEPTH, PREVIEW):
        decoded = cv2.imdecode(_content(answers[name]), cv2.IMREAD_UNCHANGED)
        assert decoded.shape[:2] == (HEIGHT, WIDTH), name
    assert answers[RGB_INFO] == answers[DEPTH_INFO]


def test_the_republished_image_is_what_the_depth_was_made_of(peer: Peer) -> None:
    rgb = picture()
    image = peer.image(np.ascontiguousarray(rgb[..., ::-1]))
    image.encoding = "bgr8"
    peer.infos.publish(peer.info_for(image, WIDTH, HEIGHT))
    peer.images.publish(image)
    answer = peer.answers(image, [RGB])[RGB]
    assert (answer.encoding, answer.step) == ("rgb8", 3 * WIDTH)
    assert answer.data.tobytes() == rgb.tobytes()


def test_a_rectified_image_is_republished_rectified(peer: Peer) -> None:
    peer.set(rectify=True)
    image = peer.image(picture())
    info = peer.info_for(image, WIDTH, HEIGHT, d=[-0.3, 0.1, 0.0, 0.0, 0.0])
    peer.infos.publish(info)
    peer.images.publish(image)
    answers = peer.answers(image, [RGB, RGB_INFO])
    k, new_k = np.reshape(info.k, (3, 3)), np.reshape(info.p, (3, 4))[:, :3]
    maps = cv2.initUndistortRectifyMap(k, np.array(info.d), None, new_k, (WIDTH, HEIGHT), cv2.CV_32FC1)
    expected = cv2.remap(picture(), *maps, interpolation=cv2.INTER_LINEAR).astype(int)
    got = np.frombuffer(answers[RGB].data, np.uint8).reshape(HEIGHT, WIDTH, 3)
    assert np.abs(got - expected).max() <= 2
    assert np.abs(got.astype(int) - picture()).max() > 5, "nothing was undone"
    assert list(answers[RGB_INFO].k) == list(info.k) and not any(answers[RGB_INFO].d)


def test_compressed_depth_is_the_depth_image_within_its_quantisation(peer: Peer) -> None:
    limit = 3.0
    peer.set(max_depth_m=limit)
    answers = peer.answers(peer.show(picture()), [DEPTH, COMPRESSED_DEPTH])
    depth = np.frombuffer(answers[DEPTH].data, np.float32).reshape(HEIGHT, WIDTH)
    encoding, metres = unpack_depth(answers[COMPRESSED_DEPTH].format, answers[COMPRESSED_DEPTH].data)
    assert encoding == "32FC1"
    np.testing.assert_array_equal(np.isnan(metres), true_depth(picture()) > limit)
    finite = np.isfinite(depth)
    bound = depth[finite] ** 2 / (2 * QUANTISATION_M)
    assert (np.abs(metres - depth)[finite] <= 1.001 * bound + 1e-6).all()


def test_compressed_millimetres_equal_those_of_the_depth_image(peer: Peer) -> None:
    peer.set(depth_encoding="16UC1", max_depth_m=3.0)
    answers = peer.answers(peer.show(picture()), [DEPTH, COMPRESSED_DEPTH])
    assert answers[DEPTH].encoding == "16UC1"
    encoding, values = unpack_depth(answers[COMPRESSED_DEPTH].format, answers[COMPRESSED_DEPTH].data)
    assert encoding == "16UC1" and (values == 0).any()
    assert values.tobytes() == answers[DEPTH].data.tobytes()


def test_the_preview_is_small_and_in_the_colours_of_its_limits(peer: Peer) -> None:
    peer.set(preview_near_m=2.0, preview_far_m=5.0, max_depth_m=4.0)
    message = peer.answers(peer.show(picture()), [PREVIEW])[PREVIEW]
    assert message.format == "bgr8; jpeg compressed bgr8"
    assert len(message.data) < WIDTH * HEIGHT
    shown = cv2.imdecode(_content(message), cv2.IMREAD_COLOR)[..., ::-1].astype(int)
    depth = true_depth(picture())
    expected = np.where((depth > 4.0)[..., None], 0, colour_depth(depth, 2.0, 5.0)).astype(int)
    # JPEG halves the resolution of colour, which shows at the step to black
    inside = np.abs(depth - 4.0) > 0.2
    assert inside.any() and np.abs(shown - expected)[inside].mean() < 10
    assert shown[depth > 4.2].max() < 30, "too far is black"


def test_a_voxel_grid_has_one_point_in_each_occupied_cube(peer: Peer) -> None:
    edge = 0.25
    whole = points_of(peer.answers(peer.show(picture()), [POINTS])[POINTS]).reshape(-1, 4)
    peer.set(cloud_voxel_m=edge)
    cloud = peer.answers(peer.show(picture()), [POINTS])[POINTS]
    assert (cloud.height, cloud.is_dense) == (1, True)
    corners, inverse = np.unique(np.floor(whole[:, :3] / edge), axis=0, return_inverse=True)
    means = np.stack([np.bincount(inverse.reshape(-1), whole[:, i]) for i in range(3)], -1)
    means /= np.bincount(inverse.reshape(-1))[:, None]
    assert cloud.width == len(corners) < len(whole) / 4
    points = points_of(cloud)[0, :, :3]
    order = np.lexsort(corners.T)  # by z, then y, then x
    np.testing.assert_allclose(points, means[order], atol=1e-5)


def test_a_shell_stands_where_depth_is_too_far(peer: Peer) -> None:
    limit = 3.0
    peer.set(max_depth_m=limit, cloud_far="shell", edge_filter="off")
    answers = peer.answers(peer.show(picture()), [POINTS, DEPTH, DEPTH_INFO])
    points, k = points_of(answers[POINTS]), answers[DEPTH_INFO].k
    far = true_depth(picture()) > limit
    assert far.any() and not far.all()
    v, u = np.nonzero(far)
    expected = np.stack([(u - k[2]) * limit / k[0], (v - k[5]) * limit / k[4], np.full(len(u), limit)], -1)
    np.testing.assert_allclose(points[far][:, :3], expected, rtol=1e-5, atol=1e-5)
    depth = np.frombuffer(answers[DEPTH].data, np.float32).reshape(HEIGHT, WIDTH)
    assert np.isposinf(depth[far]).all(), "the depth image still says that it is too far"


def test_clouds_are_fewer_while_depth_goes_on(peer: Peer) -> None:
    peer.answers(peer.show(picture()), [POINTS])
    peer.set(cloud_max_rate_hz=0.01)
    last = peer.show(picture())
    peer.answers(last, [DEPTH])
    peer.received[POINTS].clear()
    for _ in range(3):
        peer.answers(peer.show(picture()), [DEPTH])
    peer.set(cloud_max_rate_hz=0.0)
    # clouds come in the order of their images: none of those three came before this one
    image = peer.show(picture())
    peer.answers(image, [POINTS])
    assert [m.header.stamp for m in peer.received[POINTS] if m.header.stamp != last.header.stamp] == [
        image.header.stamp
    ]


def test_images_beyond_the_rate_are_dropped_and_counted(peer: Peer) -> None:
    peer.answers(peer.show(picture()), [DEPTH])
    dropped, limited = peer.fresh("dropped"), peer.fresh("dropped by rate limit")
    peer.set(max_rate_hz=0.01)
    peer.answers(peer.show(picture()), [DEPTH])
    late = []
    for number in range(1, 4):
        late.append(peer.show(picture()))
        peer.until(
            lambda n=number: int(peer.diagnostics["dropped by rate limit"]) == limited + n, "the image to be counted"
        )
    assert peer.fresh("dropped") == dropped + 3
    peer.accounts_for_every_image()
    peer.set(max_rate_hz=0.0)
    peer.answers(peer.show(picture()), [DEPTH])
    assert not any(m.header.stamp == image.header.stamp for image in late for m in peer.received[DEPTH])


def _content(message: Any) -> np.ndarray:
    """The PNG or JPEG in a message."""
    data = np.frombuffer(message.data, np.uint8)
    return data[12:] if "compressedDepth" in message.format else data
