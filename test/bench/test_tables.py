# SPDX-License-Identifier: Apache-2.0
"""Tables for eyes."""

from __future__ import annotations

import pytest

from depthpro_ros.bench.results import Figure, Row, Table
from depthpro_ros.bench.tables import as_markdown, as_text, number, words


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.01234, "0.0123"), (0.5, "0.5"), (1.0, "1.00"), (9.994, "9.99"), (9.996, "10.0"), (99.96, "100")]
    + [(123.4, "123"), (12345.6, "12346"), (-12.34, "-12.3")],
)
def test_numbers_have_three_digits(value, text):
    assert number(value) == text


def test_a_figure_shows_its_range_and_unit():
    assert words(Figure.median([1.0, 2.0, 4.0], "ms")) == "2.00 ms (1.00–4.00)"


def test_what_was_measured_once_has_no_range():
    assert words(Figure.once(2.0, "GB")) == "2.00 GB"


TABLE = Table("Speed", "what", ("time", "a|b"), (Row("long name", (Figure.median([1.0, 3.0], "s"), "")),), ("Noted.",))


def test_text_columns_are_aligned():
    title, head, row, note = as_text(TABLE).splitlines()
    assert title == "Speed:" and note == "  Noted."
    assert head.index("time") + len("time") == row.index(")") + 1


def test_markdown_has_a_cell_for_each_column_and_says_how_often_was_measured():
    lines = as_markdown(TABLE).splitlines()
    assert lines[0] == "**Speed**"
    assert lines[2:5] == ["| what | time | a\\|b |", "|---|---|---|", "| long name | 2.00 s (1.00–3.00) |  |"]
    assert lines[-1] == "Medians (and ranges) of 2 measurements. Noted."


def test_markdown_tells_percentiles_from_medians():
    row = Row("all", (Figure.percentile([1.0, 2.0, 3.0], 95, "ms"), Figure.median([1.0, 2.0], "ms")))
    last = as_markdown(Table("Latency", "what", ("p95", "median"), (row,))).splitlines()[-1]
    assert last == "Medians (and ranges) of 2 measurements. Percentiles of 3 measurements."
