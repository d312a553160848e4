# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the node's tests: one network for the session, one node process for a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("rclpy", reason="no ROS: neither a sourced distribution nor the wheels")

from .harness import Peer, network, starting_nodes


@pytest.fixture(scope="session", autouse=True)
def ros() -> Iterator[None]:
    """A ROS context that no other process on this machine shares."""
    with network():
        yield


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory, ros: None) -> Iterator[Callable[..., Peer]]:
    """Starts nodes, each with its peer; they end with the module."""
    with starting_nodes(tmp_path_factory) as start_:
        yield start_


@pytest.fixture
def peer(running: Peer) -> Iterator[Peer]:
    """The node that a module's fixture `running` started, put back afterwards."""
    yield running
    running.only()
