# SPDX-License-Identifier: Apache-2.0
"""The node as other processes see it, with a model whose depth can be calculated by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from depthpro_ros.node.outputs import CONFIDENCE, DEPTH, DEPTH_INFO, ESTIMATED_INFO, POINTS

from .harness import Peer

HEIGHT, WIDTH = 24, 32
FX, FY, CX, CY = 1.25 * WIDTH, 1.5 * WIDTH, 0.4 * WIDTH, 0.6 * HEIGHT
"""The calibration that `Peer.info_for` makes."""
ALL = (DEPTH, DEPTH_INFO, POINTS)


def picture() -> np.ndarray:
    """Three channels that cannot be taken for each other, without depth edges."""
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([64 + u // 4, 255 - 5 * v, 3 * u + v], -1).astype(np.uint8)


def true_depth(rgb: np.ndarray, focal_px: float = FX) -> np.ndarray:
    """What the fake model says, see `FakeEstimator`."""
    return (1 + rgb[..., 0].astype(np.float32) / 64) * (focal_px / WIDTH)


def depth_of(image: Image) -> np.ndarray:
    assert image.encoding == "32FC1" and image.step == 4 * image.width
    return np.frombuffer(image.data, "<f4").reshape(image.height, image.width)


def points_of(cloud: PointCloud2) -> np.ndarray:
    assert [(f.name, f.offset, f.datatype, f.count) for f in cloud.fields] == [
        (n, 4 * i, 7, 1) for i, n in enumerate(("x", "y", "z", "rgb"))
    ]
    assert cloud.point_step == 16 and cloud.row_step == 16 * cloud.width
    return np.frombuffer(cloud.data, "<f4").reshape(cloud.height, cloud.width, 4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fake")


@pytest.fixture(scope="module")
def running(start: Callable[..., Peer], folder: Path) -> Peer:
    """An active node for the whole module."""
    peer = start("main", "--log", str(folder / "passes"), "--delay-file", str(folder / "delay"))
    peer.listen(*ALL)
    peer.connected()
    return peer


@pytest.fixture
def peer(running: Peer, folder: Path) -> Iterator[Peer]:
    """The node, put back afterwards."""
    yield running
    (folder / "delay").unlink(missing_ok=True)
    running.only()


def passes(folder: Path) -> int:
    """How often the network ran."""
    return len((folder / "passes").read_text().splitlines())


def test_headers_are_the_images_own_to_the_nanosecond(peer: Peer) -> None:
    image = peer.show(picture(), stamp=(1_700_000_001, 999_999_999), frame_id="left_optical")
    for name, answer in peer.answers(image).items():
        assert answer.header == image.header, name


def test_k_used_is_k_published_is_k_of_the_cloud(peer: Peer) -> None:
    rgb = picture()
    answers = peer.answers(peer.show(rgb))
    info, depth, points = answers[DEPTH_INFO], depth_of(answers[DEPTH]), points_of(answers[POINTS])
    assert list(info.k) == [FX, 0, CX, 0, FY, CY, 0, 0, 1], "published"
    assert list(info.p) == [FX, 0, CX, 0, 0, FY, CY, 0, 0, 0, 1, 0]
    assert (info.width, info.height) == (WIDTH, HEIGHT) == (answers[DEPTH].width, answers[DEPTH].height)
    np.testing.assert_allclose(depth, true_depth(rgb), rtol=1e-6, err_msg="used by the model")
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    np.testing.assert_allclose(points[..., 0], (u - info.k[2]) * depth / info.k[0], rtol=1e-5, err_msg="cloud")
    np.testing.assert_allclose(points[..., 1], (v - info.k[5]) * depth / info.k[4], rtol=1e-5)
    np.testing.assert_array_equal(points[..., 2], depth)


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8"])
def test_channels_are_not_exchanged(peer: Peer, encoding: str) -> None:
    rgb = picture()
    image = peer.image(rgb if encoding == "rgb8" else np.ascontiguousarray(rgb[..., ::-1]))
    image.encoding = encoding
    peer.infos.publish(peer.info_for(image, WIDTH, HEIGHT))
    peer.images.publish(image)
    answers = peer.answers(image)
    np.testing.assert_allclose(depth_of(answers[DEPTH]), true_depth(rgb), rtol=1e-6)
    cloud = answers[POINTS]
    assert (cloud.height, cloud.width, cloud.is_dense) == (HEIGHT, WIDTH, False)
    packed = np.ascontiguousarray(points_of(cloud)[..., 3]).view(np.uint32)
    colours = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], -1)
    np.testing.assert_array_equal(colours, rgb)


def test_best_effort_listeners_are_served_too(peer: Peer) -> None:
    received: list[Image] = []
    qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
    listener = peer.create_subscription(Image, DEPTH, received.append, qos)
    peer.until(lambda: peer.count_subscribers(listener.topic_name) == 2, "the second listener")

    def seen() -> bool:
        image = peer.show(picture())
        peer.answers(image)
        return any(m.header == image.header for m in received)

    peer.until(seen, "a message at the best-effort listener")
    peer.destroy_subscription(listener)


def test_confidence_has_the_images_header_and_is_0_where_there_is_no_depth(peer: Peer) -> None:
    received: list[Image] = []
    listener = peer.create_subscription(Image, CONFIDENCE, received.append, 10)
    peer.until(lambda: peer.count_publishers(listener.topic_name) == 1, "the node's publisher")
    peer.set(max_depth_m=2.6)

    def beside_a_depth() -> tuple[Image, Image] | None:
        image = peer.show(picture())
        depth = peer.answers(image)[DEPTH]
        return next(((depth, m) for m in received if m.header == image.header), None)

    depth, confidence = peer.until(beside_a_depth, "a confidence")
    peer.destroy_subscription(listener)
    assert confidence.header == depth.header
    known = np.isfinite(depth_of(depth))
    assert known.any() and not known.all()
    np.testing.assert_array_equal(depth_of(confidence) > 0, known)
    assert depth_of(confidence).max() < 1


def test_the_subscription_follows_its_publishers_reliability(peer: Peer) -> None:
    assert peer.diagnostics["image reliability"] == "reliable"
    qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
    reliable = peer.images
    peer.images = peer.create_publisher(Image, "camera/image", qos)
    peer.until(lambda: peer.diagnostics["image reliability"] == "best_effort", "best effort beside reliable")
    peer.destroy_publisher(reliable)
    peer.until(peer.images.get_subscription_count, "a subscription to the best-effort publisher")

    def answered() -> bool:
        image = peer.show(picture())
        for _ in range(10):
            peer.executor_.spin_once(0.1)
            if any(m.header == image.header for m in peer.received[DEPTH]):
                return True
        return False

    peer.until(answered, "an answer to a best-effort image")
    peer.destroy_publisher(peer.images)
    peer.images = peer.create_publisher(Image, "camera/image", peer.qos)
    peer.until(lambda: peer.diagnostics["image reliability"] == "reliable", "reliable again")
    peer.until(peer.images.get_subscription_count, "a subscription to the reliable publisher")
    peer.answers(peer.show(picture()))


def test_the_newest_frame_wins_and_services_answer_meanwhile(peer: Peer, folder: Path) -> None:
    before, dropped = passes(folder), peer.fresh("dropped")
    (folder / "delay").write_text("3.0")
    first = peer.show(picture())
    peer.until(lambda: passes(folder) == before + 1, "the first frame's pass to begin")
    shown = peer.fresh("images in")
    late = []
    for number in range(1, 4):
        late.append(peer.show(picture()))
        peer.until(lambda n=number: int(peer.diagnostics["images in"]) >= shown + n, "the image to be received")
    assert peer.state() == "active"
    assert peer.set(max_depth_m=70.0)[0].successful
    assert not any(m.header == first.header for m in peer.received[DEPTH]), "services answered after the frame"
    (folder / "delay").unlink()
    peer.answers(first)
    peer.answers(late[-1])
    for skipped in late[:-1]:
        assert not any(m.header == skipped.header for m in peer.received[DEPTH])
    peer.until(lambda: int(peer.diagnostics["dropped"]) == dropped + 2, "two drops to be counted")
    assert passes(folder) == before + 2


def test_runtime_parameters_hold_from_the_next_frame(peer: Peer) -> None:
    rgb = picture()
    limit = float(np.median(true_depth(rgb)))
    assert all(r.successful for r in peer.set(max_depth_m=limit, cloud_stride=3))
    answers = peer.answers(peer.show(rgb))
    depth, points = depth_of(answers[DEPTH]), points_of(answers[POINTS])
    too_far = true_depth(rgb) > limit
    assert 0 < too_far.sum() < too_far.size
    np.testing.assert_array_equal(np.isposinf(depth), too_far)
    assert points.shape == (HEIGHT // 3, -(-WIDTH // 3), 4)
    np.testing.assert_array_equal(np.isnan(points[..., 2]), too_far[::3, ::3])
    assert all(r.successful for r in peer.set(cloud_organised=False, cloud_stride=1))
    cloud = peer.answers(peer.show(rgb))[POINTS]
    assert (cloud.height, cloud.width, cloud.is_dense) == (1, (~too_far).sum(), True)


def test_millimetres(peer: Peer) -> None:
    peer.set(depth_encoding="16UC1", max_depth_m=2.6)
    rgb = picture()
    image = peer.answers(peer.show(rgb))[DEPTH]
    assert (image.encoding, image.step, len(image.data)) == ("16UC1", 2 * WIDTH, 2 * WIDTH * HEIGHT)
    expected = np.where(true_depth(rgb) > 2.6, 0, true_depth(rgb) * 1000)
    assert (expected == 0).any()
    error = np.frombuffer(image.data, "<u2").reshape(HEIGHT, WIDTH) - expected
    assert np.abs(error).max() <= 0.51


def test_bad_parameters_are_refused_with_the_reason(peer: Peer) -> None:
    far, edge, device, fixed = peer.set(min_depth_m=100.0, edge_filter="soft", device="cpu", focal_policy="fixed")
    assert not (far.successful or edge.successful or device.successful or fixed.successful)
    assert "0 <= min < max" in far.reason
    assert "one of off, cloud, all" in edge.reason
    assert "read-only" in device.reason
    assert "fixed_focal_px above 0" in fixed.reason
    peer.answers(peer.show(picture()))


def test_nothing_is_computed_for_nobody(peer: Peer, folder: Path) -> None:
    peer.deaf()
    peer.until(lambda: peer.diagnostics["subscribed outputs"] == "", "the node to see that nobody listens")
    before, idle = passes(folder), peer.fresh("not computed (no subscriber)")
    peer.show(picture())
    peer.until(lambda: int(peer.diagnostics["not computed (no subscriber)"]) > idle, "the image to arrive")
    assert passes(folder) == before
    peer.listen(*ALL)
    peer.connected()
    peer.answers(peer.show(picture()))


def test_an_estimated_focal_is_published_and_used(peer: Peer) -> None:
    peer.set(focal_policy="estimated")
    peer.listen(ESTIMATED_INFO)
    peer.connected()
    rgb = picture()
    answers = peer.answers(peer.show(rgb))
    for name in (ESTIMATED_INFO, DEPTH_INFO):
        expected = [WIDTH, 0, (WIDTH - 1) / 2, 0, WIDTH, (HEIGHT - 1) / 2, 0, 0, 1]
        np.testing.assert_allclose(answers[name].k, expected, rtol=1e-5, err_msg=name)
    np.testing.assert_allclose(depth_of(answers[DEPTH]), true_depth(rgb, WIDTH), rtol=1e-5)
    peer.set(focal_policy="auto", estimate="always")
    answers = peer.answers(peer.show(rgb))
    assert answers[ESTIMATED_INFO].k[0] == pytest.approx(WIDTH, rel=1e-5)
    assert answers[DEPTH_INFO].k[0] == FX
    np.testing.assert_allclose(depth_of(answers[DEPTH]), true_depth(rgb), rtol=1e-5)
    peer.destroy_subscription(peer.listeners.pop(ESTIMATED_INFO))


def test_images_of_another_frame_start_a_new_focal_estimate(peer: Peer) -> None:
    peer.set(focal_policy="estimated", focal_lock_after=2)
    for _ in range(2):
        peer.answers(peer.show(picture()))
    peer.until(lambda: peer.diagnostics["focal locked"] == "true", "the focal to be held")
    peer.answers(peer.show(picture(), frame_id="another_cam"))
    peer.until(lambda: peer.diagnostics["focal locked"] == "false", "the held focal to be forgotten")
    peer.set(focal_policy="auto", focal_lock_after=10)


def test_an_uncalibrated_camera_info_means_an_estimate(peer: Peer) -> None:
    image = peer.image(picture())
    peer.infos.publish(peer.info_for(image, WIDTH, HEIGHT, k=[0.0] * 9, p=[0.0] * 12))
    peer.images.publish(image)
    assert peer.answers(image)[DEPTH_INFO].k[0] == pytest.approx(WIDTH, rel=1e-5)


@pytest.mark.parametrize("stamp", [(0, 0), (1_600_000_000, 1)], ids=["zero", "earlier"])
def test_stamps_may_be_zero_or_go_back(peer: Peer, stamp: tuple[int, int]) -> None:
    image = peer.show(picture(), stamp=stamp)
    assert peer.answers(image)[DEPTH_INFO].k[0] == FX


def test_an_info_without_its_own_image_serves_the_next_ones(peer: Peer) -> None:
    image = peer.image(picture())
    peer.infos.publish(peer.info_for(image, WIDTH, HEIGHT, header=peer.image(picture()).header))
    peer.images.publish(image)
    assert peer.answers(image)[DEPTH_INFO].k[0] == FX


def test_diagnostics_tell_what_happens(peer: Peer) -> None:
    peer.answers(peer.show(picture()))
    peer.until(lambda: peer.diagnostics["focal source"] == "camera_info", "the focal's source")
    values = peer.diagnostics
    assert float(values["focal (px)"]) == FX
    assert float(values["latency from arrival p50 (ms)"]) > 0
    assert float(values["model p50 (ms)"]) > 0
    assert float(values["device memory (MiB)"]) > 10
    assert values["image topic"] == "/main/camera/image"
    assert values["model"] == "fake"
    peer.until(lambda: peer.status.level == DiagnosticStatus.WARN, "the fake's notice as a warning")
    assert "tests only" in peer.status.message


BAD_IMAGES: dict[str, tuple[Callable[[Image, CameraInfo], object], str]] = {
    "empty": (lambda i, c: (setattr(i, "height", 0), setattr(i, "width", 0)), "0x0 pixels"),
    "truncated": (lambda i, c: setattr(i, "data", i.data[: len(i.data) // 2]), "truncated"),
    "unknown encoding": (lambda i, c: setattr(i, "encoding", "rgb12"), "'rgb12' is not supported"),
    "short step": (lambda i, c: setattr(i, "step", WIDTH), "step is 32 bytes"),
    "info of another size": (lambda i, c: setattr(c, "width", 2 * WIDTH), "CameraInfo is for 64x24 images"),
    "info of another frame": (lambda i, c: setattr(c.header, "frame_id", "right"), "'right'"),
    "focal NaN": (lambda i, c: setattr(c, "k", [np.nan, *c.k[1:]]), "must be finite and above 0"),
    "focal negative": (lambda i, c: setattr(c, "k", [-9.0, *c.k[1:]]), "fx=-9.0"),
}


@pytest.mark.parametrize("name", BAD_IMAGES)
def test_a_bad_frame_is_refused_and_the_next_one_served(peer: Peer, name: str) -> None:
    spoil, reason = BAD_IMAGES[name]
    refused = peer.fresh("refused")
    image = peer.image(picture())
    header = type(image.header)(stamp=image.header.stamp, frame_id=image.header.frame_id)
    info = peer.info_for(image, WIDTH, HEIGHT, header=header)
    spoil(image, info)
    peer.infos.publish(info)
    peer.images.publish(image)
    peer.until(lambda: int(peer.diagnostics["refused"]) == refused + 1, "the bad frame to be counted")
    assert reason in peer.diagnostics["last error"]
    assert f"frame refused: {peer.diagnostics['last error']}" in peer.process.output
    peer.answers(peer.show(picture()))
    assert not any(m.header.stamp == image.header.stamp for m in peer.received[DEPTH]), "stale or made-up depth"
