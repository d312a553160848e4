# SPDX-License-Identifier: Apache-2.0
"""The part "node": what is made of the node's diagnostics."""

from __future__ import annotations

from depthpro_ros.bench.node import Measured, Model, breakdown, round_trips
from depthpro_ros.bench.results import Figure

MODEL = Model("a model", (), {})


def test_every_latency_that_the_node_tells_has_a_row():
    first = Measured(
        "640x480", [0.02] * 120, [0.01] * 120, {"model p50 (ms)": "1.5", "model p95 (ms)": "2.5", "x": "3"}
    )
    second = Measured("1280x720", [0.02] * 20, [0.01] * 20, {"model p50 (ms)": "4.5", "model p95 (ms)": "nan"})
    table = breakdown(MODEL, [first, second])
    assert table.columns == ("640x480, p50", "640x480, p95", "1280x720, p50", "1280x720, p95")
    (row,) = table.rows
    assert row.label == "model" and row.cells[3] == ""
    # the node's percentiles are of its last hundred frames
    assert row.cells[0] == Figure(1.5, 1.5, 1.5, 100, "ms", "p50")
    assert row.cells[2] == Figure(4.5, 4.5, 4.5, 20, "ms", "p50")


def test_round_trips_are_told_in_percentiles():
    seconds = [number / 1e3 for number in range(1, 101)]
    table = round_trips(MODEL, [Measured("640x480", seconds, [0.01] * 100, {})])
    assert [cell.value for cell in table.rows[0].cells[:3]] == [50.0, 95.0, 99.0]
