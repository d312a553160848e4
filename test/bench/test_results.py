# SPDX-License-Identifier: Apache-2.0
"""Figures and their JSON form."""

from __future__ import annotations

import pytest

from depthpro_ros.bench.results import DeviceResults, Figure, PartResult, Provenance, Row, Table
from depthpro_ros.errors import DataError

ORIGIN = Provenance("2026-01-02T03:04:05+00:00", "depthpro bench", "3.11", "2.9", "", "1.0", "abc", 2, 0.5)
TABLE = Table("Title", "what", ("time", "why"), (Row("one", (Figure(1.5, 1.0, 2.0, 3, "ms"), "words")),), ("A note.",))


def test_results_survive_json():
    results = DeviceResults(
        "a machine", (PartResult("node", (TABLE,), "", ORIGIN), PartResult.skip("machine", "tired"))
    )
    assert DeviceResults.from_json(results.to_json()) == results


@pytest.mark.parametrize("text", ["", "[]", '{"device": "x"}', '{"device": "x", "parts": [{"part": "node"}]}'])
def test_a_foreign_file_is_refused(text):
    with pytest.raises(DataError, match="depthpro bench"):
        DeviceResults.from_json(text)


def test_a_part_measured_again_replaces_the_earlier_one_alone():
    old = DeviceResults("a machine", (PartResult("node", (TABLE,)), PartResult.skip("machine", "tired")))
    new = old.with_part(PartResult.skip("node", "no ROS"))
    assert {part.part: part.skipped for part in new.parts} == {"machine": "tired", "node": "no ROS"}


def test_median_and_range():
    assert Figure.median([3.0, 1.0, 2.0], "ms") == Figure(2.0, 1.0, 3.0, 3, "ms")


@pytest.mark.parametrize(("percent", "rank"), [(50, 50), (95, 95), (99, 99), (100, 100)])
def test_percentile_of_1_to_100_is_its_rank(percent, rank):
    assert Figure.percentile(list(range(100, 0, -1)), percent, "ms").value == rank


def test_a_ratio_is_made_of_neighbours():
    # the machine became twice as slow between the rounds, for both alike
    assert Figure.ratio([3.0, 6.0], [2.0, 4.0]) == Figure(1.5, 1.5, 1.5, 2, "x")


def test_a_ratio_of_different_rounds_is_refused():
    with pytest.raises(ValueError):
        Figure.ratio([1.0], [1.0, 2.0])


@pytest.mark.parametrize(("seconds", "value", "unit"), [(0.25, 250.0, "ms"), (9.9, 9900.0, "ms"), (12.0, 12.0, "s")])
def test_long_durations_are_told_in_seconds(seconds, value, unit):
    figure = Figure.duration([seconds])
    assert (figure.value, figure.unit) == (value, unit)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_figure_that_is_no_number_is_refused(value):
    with pytest.raises(ValueError):
        Figure.once(value, "ms")


def test_a_row_needs_a_cell_for_each_column():
    with pytest.raises(ValueError, match="row 'one'"):
        Table("Title", "what", ("time",), (Row("one", ()),))
