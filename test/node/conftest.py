# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the node's tests: one network for the session, one node process for a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

rclpy = pytest.importorskip("rclpy", reason="no ROS: neither a sourced distribution nor the wheels")

from .harness import NodeProcess, Peer, context_for_tests  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def ros() -> Iterator[None]:
    """A ROS context that no other process on this machine shares."""
    context_for_tests()
    yield
    rclpy.try_shutdown()


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory, ros: None) -> Iterator[Callable[..., Peer]]:
    """Starts nodes, each with its peer; they end with the module."""
    peers: list[Peer] = []

    def start_(
        namespace: str,
        *arguments: str,
        parameters: dict[str, Any] | None = None,
        remaps: dict[str, str] | None = None,
        **peer: Any,
    ) -> Peer:
        folder: Path = tmp_path_factory.mktemp(namespace)
        remaps = {"image": "camera/image"} | (remaps or {})
        process = NodeProcess(namespace, folder, arguments, {"diagnostics_period_s": 0.2} | (parameters or {}), remaps)
        peers.append(Peer(process, **peer))
        return peers[-1]

    yield start_
    for peer in peers:
        peer.process.close()
        peer.close()
