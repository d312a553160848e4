# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import ctypes
import time
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="no ROS: neither a sourced distribution nor the wheels")

from depthpro_ros.bench import messages
from depthpro_ros.bench.messages_ways import Frame, cloud_ways, depth_ways
from depthpro_ros.bench.results import Figure
from depthpro_ros.bench.transport_ticks import BEFORE_S, Ticks
from depthpro_ros.node.cdr import SerialisedMessage

FRAME = Frame(7, 5)


def as_message(made: Any) -> Any:
    """What was made, as a ROS message."""
    from rclpy.serialization import deserialize_message

    return deserialize_message(bytes(made), type(made.message)) if isinstance(made, SerialisedMessage) else made


@pytest.mark.parametrize("way", cloud_ways(FRAME))
def test_every_way_makes_the_cloud_of_the_camera(way: str) -> None:
    message = as_message(cloud_ways(FRAME)[way]())
    points = np.frombuffer(message.data, np.float32).reshape(5, 7, 4)
    v, u = np.mgrid[:5, :7]
    z, f = FRAME.depth_m, 0.8 * 7
    np.testing.assert_allclose(points[..., 0], (u - 3) * z / f, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(points[..., 1], (v - 2) * z / f, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(points[..., 2], z)
    colours = points[..., 3].view(np.uint32)
    np.testing.assert_array_equal(np.stack([colours >> s & 255 for s in (16, 8, 0)], axis=-1), FRAME.rgb)
    assert [f.name for f in message.fields] == ["x", "y", "z", "rgb"] and message.point_step == 16


@pytest.mark.parametrize("way", depth_ways(FRAME))
def test_every_way_makes_the_same_depth_image(way: str) -> None:
    message = as_message(depth_ways(FRAME)[way]())
    assert (message.height, message.width, message.encoding, message.step) == (5, 7, "32FC1", 28)
    np.testing.assert_array_equal(np.frombuffer(message.data, np.float32).reshape(5, 7), FRAME.depth_m)


def test_a_row_compares_all_ways_and_the_fastest_other_with_ours() -> None:
    table = messages.making("depth", depth_ways, [FRAME], 0.01, "")
    assert [row.label for row in table.rows] == ["7x5"]
    figures = table.rows[0].cells
    assert all(isinstance(figure, Figure) for figure in figures)
    assert [f.unit for f in figures] == ["ms"] * 4 + ["x"]  # type: ignore[union-attr]


def test_ways_of_publishing_take_turns() -> None:
    order: list[str] = []

    def publish(how: str) -> float:
        order.append(how)
        return float(len(order))

    result = messages.in_turns(publish, 0.0)
    rounds = 1 + messages.LEAST_TURNS
    assert order == list(messages.HOWS) * rounds
    assert result["message"] == [1.0 + len(messages.HOWS) * n for n in range(1, rounds)], "the first round counts not"


def gap_during(action: Any) -> float:
    with Ticks.running() as ticks:
        time.sleep(BEFORE_S)
        began = time.perf_counter()
        action()
        ended = time.perf_counter()
        time.sleep(BEFORE_S)
        return ticks.longest_gap(began, ended)


def test_other_threads_are_seen_to_stand_still() -> None:
    held = ctypes.PyDLL(None).usleep  # calls with Python's lock
    assert gap_during(lambda: held(50_000)) >= 0.05


def test_other_threads_are_seen_to_run() -> None:
    released = ctypes.CDLL(None).usleep  # calls without
    assert min(gap_during(lambda: released(50_000)) for _ in range(3)) < 0.02
