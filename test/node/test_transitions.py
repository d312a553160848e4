# SPDX-License-Identifier: Apache-2.0
"""The lifecycle's transitions in any order, those that a state does not allow among them, in one process."""

from __future__ import annotations

import gc
import random
import signal
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

from depthpro_ros.node.lifecycle import DepthNode
from depthpro_ros.node.outputs import DEPTH, POINTS

from .fake_node import FakeEstimator
from .harness import TRANSITIONS, Peer

WARM_UP, COUNTED = 30, 100
"""Transitions that are asked for before and while the process is watched."""
PICTURE = np.full((16, 24, 3), 100, np.uint8)
ALLOWED = {
    ("unconfigured", "configure"): "inactive",
    ("inactive", "activate"): "active",
    ("active", "deactivate"): "inactive",
    ("inactive", "cleanup"): "unconfigured",
    ("unconfigured", "shutdown of an unconfigured node"): "finalized",
    ("inactive", "shutdown of an inactive node"): "finalized",
    ("active", "shutdown of an active node"): "finalized",
}
"""By https://design.ros2.org/articles/node_lifecycle.html; whatever is not here is refused."""


@dataclass(frozen=True)
class Footprint:
    """What a process holds. Memory is that of its own, MiB."""

    threads: int
    files: int
    memory_mib: float

    @staticmethod
    def of(pid: int) -> Footprint:
        process = psutil.Process(pid)
        return Footprint(process.num_threads(), process.num_fds(), process.memory_full_info().uss / 2**20)


class Manager:
    """Asks a node for transitions, and knows in which state it should be.

    Args:
        peer: of the node.
        weights: the file without which the fake node cannot be configured; None for the real one.
    """

    def __init__(self, peer: Peer, weights: Path | None = None) -> None:
        self.peer, self.state, self.weights = peer, "unconfigured", weights
        self.tried: set[tuple[str, str]] = set()

    def ask(self, name: str) -> None:
        """Ask for a transition, and assert that the answer and the state are as they must be."""
        self.tried.add((self.state, name))
        expected = ALLOWED.get((self.state, name))
        if name == "configure" and self.weights is not None and not self.weights.exists():
            expected = None
        assert self.peer.transition(name) == (expected is not None), f"{name} in {self.state}"
        self.state = expected or self.state
        assert self.peer.state() == self.state, f"after {name}"

    def wander(self, choices: random.Random, steps: int) -> None:
        """Ask for so many transitions at random, none that ends the process; images arrive all the time."""
        for _ in range(steps):
            safe = [name for name in TRANSITIONS if ALLOWED.get((self.state, name)) != "finalized"]
            self.peer.show(PICTURE)
            if missing := self.weights is not None and choices.random() < 0.15:
                self.weights.unlink()
            self.ask(choices.choice(safe))
            if missing:
                self.weights.touch()

    def go(self, state: str) -> None:
        """Bring the node to a state by transitions that are allowed."""
        ways = {
            ("unconfigured", "active"): ("configure", "activate"),
            ("inactive", "active"): ("activate",),
            ("inactive", "unconfigured"): ("cleanup",),
            ("active", "unconfigured"): ("deactivate", "cleanup"),
        }
        for name in ways.get((self.state, state), ()):
            self.ask(name)

    def footprint(self) -> Footprint:
        """What the process holds once it is active and has published a frame; memory once it is cleaned up thereafter.

        What the heap of an active node keeps of freed memory depends on where that happened to lie.
        """
        self.go("active")
        self.peer.connected()
        self.peer.answers(self.peer.show(PICTURE))
        active = Footprint.of(self.peer.process.process.pid)
        self.go("unconfigured")
        clean = Footprint.of(self.peer.process.process.pid)
        self.go("active")
        self.peer.connected()
        return replace(active, memory_mib=clean.memory_mib)


def wander(manager: Manager, choices: random.Random) -> tuple[Footprint, Footprint]:
    """What the process holds before and after `COUNTED` transitions, having taken some already."""
    manager.wander(choices, WARM_UP)
    before = manager.footprint()
    manager.wander(choices, COUNTED)
    return before, manager.footprint()


def assert_no_leak(before: Footprint, after: Footprint, memory: float) -> None:
    """Assert that nothing has grown, and memory by no more than a share."""
    assert (after.threads, after.files) == (before.threads, before.files)
    assert after.memory_mib <= before.memory_mib * (1 + memory), (
        f"{before.memory_mib:.1f} -> {after.memory_mib:.1f} MiB"
    )


@pytest.fixture
def manager(start: Callable[..., Peer], tmp_path: Path, request: pytest.FixtureRequest) -> Manager:
    """Of a node that waits to be configured."""
    weights = tmp_path / "weights"
    weights.touch()
    name = f"wandering_{''.join(c for c in request.node.name if c.isalnum())}"
    peer = start(name, "--missing-until", str(weights), parameters={"autostart": False})
    peer.listen(DEPTH, POINTS)
    return Manager(peer, weights)


def test_a_hundred_transitions_in_any_order_leave_nothing_behind(manager: Manager) -> None:
    before, after = wander(manager, random.Random(7))
    assert_no_leak(before, after, memory=0.01)
    states, names = ("unconfigured", "inactive", "active"), set(TRANSITIONS)
    all_but_the_ends = {(s, n) for s in states for n in names if ALLOWED.get((s, n)) != "finalized"}
    assert manager.tried >= all_but_the_ends, "the seed does not try every transition in every state"
    assert "Traceback" not in manager.peer.process.output
    manager.ask("shutdown of an active node")
    assert manager.peer.process.process.wait(30) == 0


def test_cleaning_up_frees_the_model_at_once(ros: None) -> None:
    loaded: list[weakref.ref[FakeEstimator]] = []

    def load(model: str, **options: object) -> FakeEstimator:
        estimator = FakeEstimator()
        loaded.append(weakref.ref(estimator))
        return estimator

    autostart = Parameter("autostart", value=False)
    node = DepthNode(load=load, namespace="freed", parameter_overrides=[autostart])
    gc.disable()  # else it may be freed by chance
    try:
        for _ in range(2):
            for trigger in (node.trigger_configure, node.trigger_activate, node.trigger_deactivate):
                assert trigger() == TransitionCallbackReturn.SUCCESS
            assert loaded[-1]() is not None
            assert node.trigger_cleanup() == TransitionCallbackReturn.SUCCESS
            assert loaded[-1]() is None
    finally:
        gc.enable()
        node.destroy_node()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_no_order_of_transitions_matters(manager: Manager, seed: int) -> None:
    before, after = wander(manager, random.Random(seed))
    assert_no_leak(before, after, memory=0.01)
    manager.go("unconfigured")
    manager.ask("shutdown of an unconfigured node")
    assert manager.peer.process.process.wait(30) == 0


@pytest.mark.slow
def test_the_bundled_network_is_loaded_and_given_back_without_leak(start: Callable[..., Peer]) -> None:
    parameters = {"autostart": False, "model": "depth_pro_nano", "device": "cpu"}
    peer = start("wandering_nano", "--real", parameters=parameters)
    peer.listen(DEPTH, POINTS)
    manager = Manager(peer)
    before, after = wander(manager, random.Random(11))
    assert_no_leak(before, after, memory=0.01)
    assert peer.process.interrupt(signal.SIGTERM) < 30
    assert peer.process.process.returncode == 0
