# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator

import pytest
from rclpy.lifecycle import LifecycleNode

from depthpro_ros.node.outputs import (
    COMPRESSED_DEPTH,
    CONFIDENCE,
    DEPTH,
    DEPTH_INFO,
    POINTS,
    PREVIEW,
    RGB,
    SCALE,
    TOPICS,
    Outputs,
)
from depthpro_ros.pipeline import Wanted


@pytest.fixture
def remapped() -> Iterator[LifecycleNode]:
    rules = ["-r", "__ns:=/robot", "-r", "depth/image:=/front/depth", "-r", "front/depth/image:=moved"]
    node = LifecycleNode("outputs", cli_args=["--ros-args", *rules], enable_communication_interface=False)
    yield node
    node.destroy_node()


def topics(node: LifecycleNode) -> set[str]:
    return {publisher.topic_name for publisher in node.publishers}


def test_transports_follow_the_image_wherever_it_is_remapped_to(remapped: LifecycleNode) -> None:
    Outputs(remapped)
    names = {f"/robot/{name}" for name in TOPICS if not name.startswith(DEPTH)}
    assert topics(remapped) >= names | {"/front/depth", "/front/depth/compressed", "/front/depth/compressedDepth"}
    assert not any("depth/image" in name for name in topics(remapped))


def test_each_camera_has_its_own(remapped: LifecycleNode) -> None:
    Outputs(remapped, "front")
    assert topics(remapped) >= {"/robot/front/rgb/image", "/robot/moved", "/robot/moved/compressed"}


@pytest.mark.parametrize(
    ("subscribed", "wanted"),
    [
        ((), Wanted(depth=False, cloud=False, confidence=False, scale=False)),
        ((DEPTH,), Wanted(depth=True, cloud=False, confidence=False, scale=False)),
        ((COMPRESSED_DEPTH,), Wanted(depth=True, cloud=False, confidence=False, scale=False)),
        ((PREVIEW,), Wanted(depth=True, cloud=False, confidence=False, scale=False)),
        ((RGB, DEPTH_INFO), Wanted(depth=False, cloud=False, confidence=False, scale=False)),
        ((POINTS, CONFIDENCE), Wanted(depth=False, cloud=True, confidence=True, scale=False)),
        ((SCALE,), Wanted(depth=False, cloud=False, confidence=False, scale=True)),
    ],
)
def test_only_what_is_listened_to_is_computed(subscribed: tuple[str, ...], wanted: Wanted) -> None:
    assert Outputs.wanted(frozenset(subscribed)) == wanted
