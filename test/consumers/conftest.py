# SPDX-License-Identifier: Apache-2.0
"""One node for all consumers, whose model knows the depth of rendered scenes; and what it says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

pytest.importorskip("rclpy", reason="no ROS: neither a sourced distribution nor the wheels")

from depthpro_ros.node.network import fast_dds_environment

from ..node.harness import ROOT, Peer, at_once, free_shared_memory, network, starting_nodes
from . import rendered

TOPICS = (
    "depth/image",
    "depth/camera_info",
    "depth/points",
    "rgb/image",
    "rgb/camera_info",
    "depth/image/compressed",
    "depth/image/compressedDepth",
)
FRAME = "camera_optical_frame"
Say = Callable[..., dict[str, Any]]
"""A scene, and parameters of the node that are not the default, to what it publishes of it."""


def parameters_of(file: str, node: str) -> dict[str, Any]:
    """The parameters that one of our configuration files gives to a node."""
    sections = yaml.safe_load((ROOT / "config" / file).read_text())
    return sections[f"/**/{node}"]["ros__parameters"]


@pytest.fixture(scope="package")
def depth_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the node's model looks for the depth."""
    return tmp_path_factory.mktemp("depth") / "depth.npy"


@pytest.fixture(scope="package")
def peer(tmp_path_factory: pytest.TempPathFactory, depth_file: Path) -> Iterator[Peer]:
    """A camera and a listener to the node."""
    with network(), starting_nodes(tmp_path_factory) as start:
        # what finds no room in shared memory goes over UDP, where what is lost is sent again after seconds
        environment = fast_dds_environment() if free_shared_memory() > 1 << 30 else {}
        peer = start("consumers", "--depth", str(depth_file), environment=environment)
        peer.listen(*TOPICS)
        peer.connected()
        yield peer


@pytest.fixture(scope="package")
def say(peer: Peer, depth_file: Path) -> Say:
    """Shows scenes to the node."""

    def say_(scene: rendered.Scene, **parameters: Any) -> dict[str, Any]:
        # every image's cloud is wanted here, however soon it comes after the last
        peer.only(**parameters | {"cloud_max_rate_hz": 0.0})
        with at_once(depth_file) as file:
            np.save(file, scene.depth_m)
        image = peer.image(scene.rgb, frame_id=FRAME)
        fx, _, cx, _, fy, cy, *_ = scene.k
        p = [fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0]
        peer.infos.publish(peer.info_for(image, rendered.WIDTH, rendered.HEIGHT, k=scene.k, p=p))
        peer.images.publish(image)
        return peer.answers(image)

    return say_


@pytest.fixture(scope="package")
def corridor() -> rendered.Scene:
    """An empty corridor."""
    return rendered.corridor()


@pytest.fixture(scope="package")
def box() -> rendered.Scene:
    """A box on open ground."""
    return rendered.box_on_open_ground()
