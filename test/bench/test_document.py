# SPDX-License-Identifier: Apache-2.0
"""docs/performance.md follows from the committed results."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthpro_ros.bench.document import DOCUMENT, NOTES, RESULTS, TABLES_HERE, document, read_results
from depthpro_ros.bench.results import DeviceResults, Figure, PartResult, Row, Table
from depthpro_ros.errors import DataError

ROOT = Path(__file__).resolve().parents[2]


def test_the_committed_document_is_made_of_the_committed_results():
    expected = document((ROOT / NOTES).read_text(encoding="utf-8"), read_results(ROOT / RESULTS))
    assert (ROOT / DOCUMENT).read_text(encoding="utf-8") == expected, "run: depthpro bench --docs"


def test_tables_stand_between_the_hand_written_texts_in_the_order_of_the_parts():
    table = Table("Rates", "what", ("rate",), (Row("copy", (Figure.once(3.0, "GB/s"),)),))
    results = DeviceResults("a machine", (PartResult.skip("node", "no ROS"), PartResult("machine", (table,))))
    text = document(f"Before.\n{TABLES_HERE}\nAfter.\n", [results])
    positions = [
        text.index(part) for part in ("Before.", "## a machine", "### machine", "### node", "no ROS", "After.")
    ]
    assert positions == sorted(positions)


def test_notes_without_a_place_for_the_tables_are_refused():
    with pytest.raises(DataError, match="tables"):
        document("Nothing.", [])


def test_a_foreign_results_file_is_named(tmp_path):
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(DataError, match=r"x\.json"):
        read_results(tmp_path)
