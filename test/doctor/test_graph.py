# SPDX-License-Identifier: Apache-2.0
"""Each judgement on a graph, on facts that are changed in one point."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from depthpro_ros.camera import CameraModel, Intrinsics
from depthpro_ros.doctor import graph
from depthpro_ros.doctor.finding import Finding, Level
from depthpro_ros.doctor.graph_facts import (
    DepthNodeFacts,
    Endpoint,
    ImageFacts,
    InfoFacts,
    Mismatch,
    Seen,
    TopicFacts,
)

NOW = 1_700_000_000_000_000_000
MS = 1_000_000
TOPIC = "/camera/image_raw"
CAMERA = CameraModel.from_intrinsics(Intrinsics(640, 480, 500.0, 500.0, 320.0, 240.0), "camera_optical_frame")
DRIVER = Endpoint("/driver", "sensor_msgs/msg/Image", False)
NODE = DepthNodeFacts("/depth_pro: depth", 0, "active, 9.8 fps", "active", "9.80", "depth/image")


def seen(age_ms: float = 20.0, count: int = 10, clock_age_ms: float | None = None) -> tuple[Seen, ...]:
    """Images at 10 Hz."""
    return tuple(
        Seen(
            NOW + i * 100 * MS,
            int(NOW + (i * 100 + age_ms) * MS),
            None if clock_age_ms is None else int(NOW + (i * 100 + clock_age_ms) * MS),
            0.1 * i,
        )
        for i in range(count)
    )


LAST = ImageFacts("rgb8", False, 640, 480, 1920, 921600, "camera_optical_frame", "")
INFO = InfoFacts("/camera/camera_info", 1, CAMERA, frozenset(s.stamp_ns for s in seen()))
WELL = TopicFacts(
    topic=TOPIC,
    seconds=1.0,
    publishers=(DRIVER,),
    others=(TOPIC,),
    mismatches=(),
    outputs=7,
    clock=False,
    images=seen(),
    last=LAST,
    info=INFO,
    depth_nodes=(NODE,),
    middleware="rmw_fastrtps_cpp",
)


def with_(**changes: Any) -> TopicFacts:
    return dataclasses.replace(WELL, **changes)


def last(**changes: Any) -> TopicFacts:
    return with_(last=dataclasses.replace(LAST, **changes))


def camera(**changes: Any) -> TopicFacts:
    return with_(info=dataclasses.replace(INFO, camera=dataclasses.replace(CAMERA, **changes)))


def node(**changes: Any) -> TopicFacts:
    return with_(depth_nodes=(dataclasses.replace(NODE, **changes),))


def test_a_healthy_graph_has_nothing_to_be_done() -> None:
    findings = graph.check_all(WELL)
    assert [f for f in findings if f.level is not Level.OK or f.advice] == []
    assert [f.check for f in findings] == [
        *("publishers", "QoS", "rate", "large images", "image", "frame", "stamps", "CameraInfo", "depth node")
    ]


def of(check: str, facts: TopicFacts) -> Finding:
    return next(f for f in graph.check_all(facts) if f.check == check)


@pytest.mark.parametrize(
    ("check", "facts", "level", "said"),
    [
        ("publishers", with_(publishers=()), Level.PROBLEM, "images are on /camera/image_raw"),
        ("publishers", with_(publishers=(), others=()), Level.PROBLEM, "no image topic is seen"),
        (
            "publishers",
            with_(publishers=(dataclasses.replace(DRIVER, type="std_msgs/msg/String"),)),
            Level.PROBLEM,
            "is std_msgs/msg/String",
        ),
        ("publishers", with_(publishers=(DRIVER, DRIVER)), Level.WARNING, "2 publishers"),
        (
            "QoS",
            with_(mismatches=(Mismatch(TOPIC, "/driver", "/rviz", "best effort and reliable"),)),
            Level.PROBLEM,
            "/rviz hears nothing from /driver (best effort and reliable)",
        ),
        ("rate", with_(images=()), Level.PROBLEM, "no image in 1 s"),
        ("rate", with_(images=seen(count=1)), Level.WARNING, "one image"),
        ("rate", with_(images=seen()[::9]), Level.OK, "1.1 images/s"),
        ("image", with_(last=None), Level.WARNING, "not seen"),
        ("image", last(refusal="encoding '32FC1' is not supported"), Level.PROBLEM, "'32FC1' is not supported"),
        ("image", last(compressed=True, encoding="jpeg"), Level.OK, "image_transport: compressed"),
        ("frame", last(frame_id=""), Level.PROBLEM, "empty"),
        ("frame", last(frame_id="camera_link"), Level.WARNING, "camera_link"),
        ("stamps", with_(images=(dataclasses.replace(seen()[0], stamp_ns=0),)), Level.PROBLEM, "zero"),
        ("stamps", with_(images=seen()[::-1]), Level.PROBLEM, "9 of 10 images are older"),
        ("stamps", with_(images=(seen()[0], seen()[0])), Level.PROBLEM, "1 of 2 images have the stamp"),
        ("stamps", with_(images=seen(age_ms=-200)), Level.PROBLEM, "0.20 s in the future"),
        ("stamps", with_(images=seen(age_ms=5000)), Level.WARNING, "5.0 s old on arrival"),
        ("stamps", with_(images=seen(age_ms=300)), Level.OK, "300 ms old"),
        (
            "stamps",
            with_(clock=True, images=seen(age_ms=9e8, clock_age_ms=30)),
            Level.OK,
            "use_sim_time: true",
        ),
        ("stamps", with_(clock=True, images=seen()), Level.PROBLEM, "does not tick"),
        (
            "stamps",
            with_(clock=True, images=seen(clock_age_ms=-9000)),
            Level.PROBLEM,
            "of the system's clock, while /clock says something else by -9.0 s",
        ),
        (
            "stamps",
            with_(clock=True, images=seen(age_ms=9000, clock_age_ms=7000)),
            Level.PROBLEM,
            "7.0 s away from /clock, 9.0 s from the system's clock",
        ),
        ("CameraInfo", with_(info=dataclasses.replace(INFO, publishers=0)), Level.WARNING, "nobody publishes"),
        ("CameraInfo", with_(info=dataclasses.replace(INFO, camera=None)), Level.PROBLEM, "no message came"),
        ("CameraInfo", camera(k=(0.0,) * 9), Level.WARNING, "not calibrated"),
        ("CameraInfo", camera(width=1280, height=960), Level.PROBLEM, "1280x960, focal length 500.0 px, but the image"),
        ("CameraInfo", camera(width=1280, height=960, binning_x=2, binning_y=2), Level.OK, "640x480"),
        ("CameraInfo", camera(frame_id="other"), Level.PROBLEM, "its frame is 'other'"),
        (
            "CameraInfo",
            with_(info=dataclasses.replace(INFO, stamps_ns=frozenset({1, 2}))),
            Level.WARNING,
            "no stamp equals an image's",
        ),
        ("CameraInfo", camera(d=(0.1, 0.0, 0.0, 0.0, 0.0)), Level.WARNING, "with lens distortion"),
        ("depth node", with_(depth_nodes=()), Level.WARNING, "none says on /diagnostics"),
        ("depth node", node(state="inactive"), Level.PROBLEM, "inactive"),
        ("depth node", node(level=2, message="no memory"), Level.PROBLEM, "no memory"),
        ("depth node", node(level=1, message="a notice"), Level.WARNING, "a notice"),
        ("depth node", node(subscribed=""), Level.WARNING, "nobody subscribes"),
    ],
)
def test_judgements(check: str, facts: TopicFacts, level: Level, said: str) -> None:
    finding = of(check, facts)
    assert finding.level is level and said in finding.found
    assert bool(finding.advice) == (level is not Level.OK)


def test_a_slow_topic_is_a_warning() -> None:
    images = tuple(dataclasses.replace(s, monotonic_s=2.0 * i) for i, s in enumerate(seen()))
    assert of("rate", with_(images=images)).level is Level.WARNING


def test_a_rectified_topic_may_have_distortion_in_its_camera_info() -> None:
    facts = dataclasses.replace(camera(d=(0.1, 0.0, 0.0, 0.0, 0.0)), topic="/camera/image_rect/compressed")
    assert of("CameraInfo", facts).level is Level.OK


@pytest.mark.parametrize(
    ("best_effort", "size", "middleware", "level"),
    [
        (True, 6_220_800, "rmw_fastrtps_cpp", Level.WARNING),
        (True, 100_000, "rmw_fastrtps_cpp", Level.OK),
        (False, 6_220_800, "rmw_fastrtps_cpp", Level.OK),
        (True, 6_220_800, "rmw_cyclonedds_cpp", Level.OK),
    ],
)
def test_large_images_best_effort_are_lost_by_fast_dds(
    best_effort: bool, size: int, middleware: str, level: Level
) -> None:
    facts = dataclasses.replace(
        last(size_bytes=size),
        publishers=(dataclasses.replace(DRIVER, best_effort=best_effort),),
        middleware=middleware,
    )
    assert of("large images", facts).level is level
