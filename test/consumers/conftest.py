# SPDX-License-Identifier: Apache-2.0
"""One node for all consumers, whose model knows the depth of rendered scenes; and what it says of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

rclpy = pytest.importorskip("rclpy", reason="no ROS: neither a sourced distribution nor the wheels")

from depthpro_ros.node.parameters import TABLE  # noqa: E402

from ..node.harness import ROOT, NodeProcess, Peer, context_for_tests  # noqa: E402
from . import rendered  # noqa: E402

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
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """A camera and a listener to the node."""
    is_ours = not rclpy.ok()
    if is_ours:
        context_for_tests()
    folder: Path = tmp_path_factory.mktemp("consumers")
    np.save(folder / "depth.npy", np.ones((2, 2), np.float32))
    process = NodeProcess(
        "consumers",
        folder,
        ["--depth", str(folder / "depth.npy")],
        {"diagnostics_period_s": 0.2},
        {"image": "camera/image"},
    )
    peer = Peer(process)
    peer.listen(*TOPICS)
    peer.connected()
    yield peer
    process.close()
    peer.close()
    if is_ours:
        rclpy.try_shutdown()


@pytest.fixture(scope="package")
def say(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Say:
    """Shows scenes to the node."""
    defaults = {spec.name: spec.default for spec in TABLE}
    changed: dict[str, Any] = {}
    depth_file = next(tmp_path_factory.getbasetemp().glob("consumers*/depth.npy"))

    def say_(scene: rendered.Scene, **parameters: Any) -> dict[str, Any]:
        # every image's cloud is wanted here, however soon it comes after the last
        wanted = {name: defaults[name] for name in changed} | parameters | {"cloud_max_rate_hz": 0.0}
        assert all(r.successful for r in peer.set(**{n: v for n, v in wanted.items() if changed.get(n) != v}))
        changed.update(wanted)
        new = depth_file.with_suffix(".new.npy")
        np.save(new, scene.depth_m)
        os.replace(new, depth_file)
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
