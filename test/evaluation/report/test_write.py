# SPDX-License-Identifier: Apache-2.0
"""What is written beside the page says what the records say."""

from __future__ import annotations

import csv
import json
import math
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.report import write
from depthpro_ros.evaluation.report.criteria import Criterion, check
from depthpro_ros.evaluation.report.write import write_report
from depthpro_ros.evaluation.results.folder import ResultsFolder
from depthpro_ros.evaluation.results.record import FrameRecord
from test.evaluation.report.synthetic import REASON, Synthetic, error_of


def rows(folder: ResultsFolder) -> list[dict[str, str]]:
    with (folder.path / "per_frame.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_csv_has_a_row_for_every_frame_with_all_digits(tmp_path: Path) -> None:
    folder = Synthetic().write(tmp_path)
    write_report(folder)
    for row, record in zip(rows(folder), folder.records(), strict=True):
        assert (int(row["index"]), row["id"], row["scene"]) == (record.index, record.id, record.scene)
        assert row["skipped"] == record.skipped and int(row["stamp_ns"]) == (record.stamp_ns or 0)
        there = {name: float(row[name]) for name in record.figures}
        assert there == pytest.approx(record.figures, rel=0, abs=0, nan_ok=True)
        assert all(row[name] == "" for name in row if "abs_rel" in name and name not in record.figures)
        assert row["focal_true"] == ("" if record.focal.true is None else str(record.focal.true))


def test_csv_keeps_commas_quotes_and_lines_of_names(tmp_path: Path) -> None:
    hostile = 'a, "b"\nc'
    folder = Synthetic(ids={2: hostile}).write(tmp_path)
    write_report(folder)
    assert rows(folder)[2]["id"] == hostile


def test_summary_json_is_strict_and_has_the_known_mean(tmp_path: Path) -> None:
    folder = Synthetic().write(tmp_path)
    summary = write_report(folder, check([Criterion.parse("abs_rel>0.01")], folder.summary()))

    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is no JSON")

    text = (folder.path / "summary.json").read_text(encoding="utf-8")
    value = json.loads(text, parse_constant=refuse)
    expected = [error_of(k) for k in range(12) if k != 3]
    assert value["schema_version"] == 1
    assert value["figures"]["abs_rel"]["mean"] == pytest.approx(sum(expected) / 11, abs=1e-6)
    assert value["figures"]["abs_rel"]["mean"] == summary.figures["abs_rel"].mean
    assert value["frames"] == {"total": 12, "evaluated": 11, "skipped": {REASON: 1}}
    assert value["pooled"]["none"]["scale"] is None
    assert value["criteria"][0]["failed"] is True
    assert value["run"]["settings_sha256"] == summary.run.settings.sha256


def test_summary_is_that_of_the_folder(tmp_path: Path) -> None:
    folder = Synthetic(live=True).write(tmp_path)
    assert write_report(folder).to_json() == folder.summary().to_json()


def test_all_other_files_are_written_before_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(write, "write_page", fail)
    folder = Synthetic().write(tmp_path)
    with pytest.raises(OSError, match="disk full"):
        write_report(folder)
    assert {"summary.json", "per_frame.csv", "report.md"} <= {path.name for path in tmp_path.iterdir()}


def test_an_evaluation_in_which_all_was_skipped_has_a_report(tmp_path: Path) -> None:
    folder = Synthetic(frames=2, skipped={0: REASON, 1: REASON}).write(tmp_path)
    summary = write_report(folder)
    assert summary.evaluated == 0 and [row["skipped"] for row in rows(folder)] == [REASON, REASON]
    assert "0 of 2 frames evaluated, 2 skipped" in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert (tmp_path / "report.html").exists()


def test_a_folder_without_results_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no evaluation"):
        write_report(ResultsFolder(tmp_path))


def test_records_are_read_one_at_a_time(tmp_path: Path) -> None:
    """Of 30 frames, never more than three are in memory."""
    alive: list[weakref.ref[FrameRecord]] = []
    most = 0

    class Watched(ResultsFolder):
        def records(self) -> Iterator[FrameRecord]:
            nonlocal most
            for record in super().records():
                alive.append(weakref.ref(record))
                most = max(most, sum(reference() is not None for reference in alive))
                yield record
                del record

    write_report(Watched(Synthetic(frames=30).write(tmp_path).path))
    assert 1 <= most <= 3


def test_nan_is_not_printed_as_0(tmp_path: Path) -> None:
    folder = Synthetic(frames=1, skipped={}).write(tmp_path)
    write_report(folder)
    assert math.isnan(float(rows(folder)[0]["flicker"]))
    (line,) = [
        x for x in (tmp_path / "report.md").read_text(encoding="utf-8").splitlines() if x.startswith("| flicker")
    ]
    assert line.split("|")[2].strip() == "-"
