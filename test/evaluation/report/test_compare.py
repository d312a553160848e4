# SPDX-License-Identifier: Apache-2.0
"""Comparisons pair frames by their ids, and say what is not alike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from depthpro_ros.evaluation.report.compare import Comparison, Difference, compare
from test.evaluation.report.synthetic import REASON, Synthetic, error_of


def both(tmp_path: Path, a: Synthetic, b: Synthetic) -> Comparison:
    return compare(a.write(tmp_path / "a"), b.write(tmp_path / "b"))


def difference(found: Comparison, name: str) -> Difference:
    (only,) = [d for d in found.differences if d.name == name]
    return only


def test_a_known_change_is_found_and_clear(tmp_path: Path) -> None:
    """b is 2 % of the depth worse in every frame, a thousandth more or less."""
    found = both(
        tmp_path,
        Synthetic(scenes=1, skipped={}),
        Synthetic(scenes=1, skipped={}, error=lambda k: error_of(k) + 0.02 + 0.001 * (k % 2)),
    )
    change = difference(found, "abs_rel")
    assert change.change.mean == pytest.approx(0.0205, abs=1e-6)
    assert 0.02 - 1e-6 <= change.change.low <= change.change.high <= 0.021 + 1e-6
    assert change.verdict == "a is better"
    assert change.b - change.a == pytest.approx(0.0205, abs=1e-6)
    assert difference(found, "bias").verdict == "they differ"
    assert found.warnings == ()


def test_an_evaluation_is_the_same_as_itself(tmp_path: Path) -> None:
    found = both(tmp_path, Synthetic(), Synthetic())
    assert {d.verdict for d in found.differences} == {"the same"}
    assert (found.both, found.only_a, found.only_b, found.warnings) == (11, 0, 0, ())


def test_two_scenes_are_too_few_to_be_clear(tmp_path: Path) -> None:
    found = both(tmp_path, Synthetic(scenes=2), Synthetic(scenes=2, error=lambda k: error_of(k) + 0.1))
    assert difference(found, "abs_rel").verdict == "too few"
    assert difference(found, "abs_rel").change.scenes == 2


def test_intervals_are_over_scenes(tmp_path: Path) -> None:
    found = both(
        tmp_path, Synthetic(frames=21, scenes=7), Synthetic(frames=21, scenes=7, error=lambda k: error_of(k) / 2)
    )
    assert difference(found, "abs_rel").change.scenes == 7
    assert difference(found, "abs_rel").verdict == "b is better"


def test_frames_of_one_only_are_counted_and_named(tmp_path: Path) -> None:
    found = both(tmp_path, Synthetic(frames=12), Synthetic(frames=10, skipped={5: "too dark"}))
    assert (found.both, found.only_a, found.only_b) == (8, 3, 1)
    assert found.warnings == (
        "3 frames were evaluated in a, not in b: frame_000005 (too dark), frame_000010, frame_000011",
        f"1 frames were evaluated in b, not in a: frame_000003 ({REASON})",
    )


def test_frames_are_paired_by_id_not_by_place(tmp_path: Path) -> None:
    """The same two frames, the other way round: no frame differs."""
    found = both(
        tmp_path,
        Synthetic(frames=2, scenes=1, skipped={}, ids={0: "x", 1: "y"}),
        Synthetic(frames=2, scenes=1, skipped={}, ids={0: "y", 1: "x"}, error=lambda k: error_of(1 - k)),
    )
    assert difference(found, "abs_rel").verdict == "the same"


def test_settings_that_differ_are_named(tmp_path: Path) -> None:
    found = both(
        tmp_path,
        Synthetic(),
        Synthetic(
            settings={"mask": "0.1 to 10 m", "alignments": ("none",), "extra": {"crop": "garg"}},
            run={"source": "yard.mcap"},
        ),
    )
    assert found.warnings == (
        "the sources differ: corridor.mcap in a, yard.mcap in b",
        "mask differs: 0.1 to 80 m in a, 0.1 to 10 m in b",
        "alignments differs: none, median_scale, affine_disparity in a, none in b",
        "extra differs: nothing in a, crop: garg in b",
    )


def test_only_figures_that_both_have_are_compared(tmp_path: Path) -> None:
    found = both(tmp_path, Synthetic(), Synthetic(truth=False, settings={"alignments": ()}))
    assert {d.name for d in found.differences} == {"flicker", "model_ms", "frame_ms"}


def test_nothing_in_common_is_no_difference(tmp_path: Path) -> None:
    found = both(tmp_path, Synthetic(frames=1, skipped={}, ids={0: "x"}), Synthetic(frames=1, skipped={}))
    assert found.both == 0 and found.differences == ()
    assert "0 frames evaluated in both" in found.as_text()


def test_json_holds_the_differences(tmp_path: Path) -> None:
    found = both(tmp_path, Synthetic(), Synthetic(error=lambda k: error_of(k) + 0.1))
    value = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert value["frames"] == {"both": 11, "only_a": 0, "only_b": 0}
    assert value["differences"]["abs_rel"]["mean"] == pytest.approx(0.1, abs=1e-6)
    assert value["a"]["settings"] == value["b"]["settings"]


def test_markdown_has_the_warnings_and_a_row_for_each_figure(tmp_path: Path) -> None:
    found = both(tmp_path, Synthetic(), Synthetic(error=lambda k: error_of(k) + 0.1, settings={"mask": "all"}))
    text = found.as_markdown()
    assert "- mask differs: 0.1 to 80 m in a, all in b" in text
    (row,) = [line for line in text.splitlines() if line.startswith("| abs_rel |")]
    assert [cell.strip() for cell in row.strip("|").split("|")][3] == "+0.100"
    assert sum(line.startswith("| ") for line in text.splitlines()) == len(found.differences) + 2
