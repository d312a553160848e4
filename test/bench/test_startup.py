# SPDX-License-Identifier: Apache-2.0
"""What is read off the node's own words about its start."""

from __future__ import annotations

from depthpro_ros.bench.startup import steps


def test_steps_that_every_launch_told_are_taken_with_their_median():
    said = [
        "imports 2.1 s, model 0.2 s, first frame 0.3 s",
        "imports 2.5 s, model 0.4 s, waiting to be configured 1.0 s, first frame 0.3 s",
        "imports 2.3 s, model 0.3 s, first frame 0.3 s",
    ]
    assert {row.label: row.cells[0].value for row in steps(said)} == {
        "- imports": 2.3,
        "- model": 0.3,
        "- first frame": 0.3,
    }


def test_a_node_that_tells_nothing_has_no_steps():
    assert steps(["", ""]) == []
