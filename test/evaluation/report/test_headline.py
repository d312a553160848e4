# SPDX-License-Identifier: Apache-2.0
"""What a terminal and the markdown page show."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from depthpro_ros.evaluation.report.criteria import Criterion, check
from depthpro_ros.evaluation.report.headline import headline, markdown
from depthpro_ros.evaluation.report.lines import live_lines, made
from depthpro_ros.evaluation.report.sections import ordered
from depthpro_ros.evaluation.results.live import Percentiles
from test.evaluation.report.synthetic import Synthetic, error_of


def row(text: str, begins: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(begins)]
    return line.removeprefix(begins).split()


def test_a_row_for_each_alignment_has_the_known_figures(tmp_path: Path) -> None:
    """Each frame is too far by a share: abs_rel and bias are its mean, and the median scale undoes it."""
    text = headline(Synthetic(scenes=1).write(tmp_path).summary())
    mean = sum(error_of(k) for k in range(12) if k != 3) / 11
    none = row(text, "none (metres as predicted)")
    assert (none[0], none[-2]) == (f"{mean:.3f}", f"{mean:.3f}")
    assert float(none[1]) < mean < float(none[3])
    assert row(text, "median scale")[:4] == ["0.000", "0.000", "to", "0.000"]


def test_skipped_frames_are_counted_with_their_reasons(tmp_path: Path) -> None:
    skipped = {1: "too dark", 3: "no depth", 4: "no depth"}
    text = headline(Synthetic(skipped=skipped).write(tmp_path).summary())
    assert "9 of 12 frames evaluated, 3 skipped: 2 no depth; 1 too dark" in text


def test_boundaries_flicker_and_times_are_shown(tmp_path: Path) -> None:
    text = headline(Synthetic().write(tmp_path).summary())
    assert "boundary F1: 0.500 (0.500 to 0.500)" in text
    assert "flicker: 0.0120" in text  # 0, 1 and 2 hundredths in turn; the first frame and frame 3 have none
    assert row(text, "model")[-1] == "24.0"


def test_the_focal_length_is_that_of_the_records(tmp_path: Path) -> None:
    """All estimates are 10 % too long."""
    text = headline(Synthetic(error=lambda k: 0.1).write(tmp_path).summary())
    assert "estimated / true focal length: 1.100" in text and "100.0 % of frames within 25 %" in text


def test_a_live_run_shows_lost_frames_and_the_process(tmp_path: Path) -> None:
    text = headline(Synthetic(live=True).write(tmp_path).summary())
    assert "node (real time, rate 1): 12 frames sent, 11 answered, 1 dropped; 9.50 Hz out" in text
    assert "CPU 90 % of one core, 99 % at most; memory 500 MB at first, 519 MB at last" in text
    assert len(row(text, "latency")) == 4


def test_what_the_replay_itself_lost_is_said(tmp_path: Path) -> None:
    summary = Synthetic(live=True).write(tmp_path).summary()
    assert summary.live is not None and "sent" not in "".join(live_lines(summary)[1:])
    live = dataclasses.replace(summary.live, unscored=3, late_ms=Percentiles(0.1, 0.2, 1.5, 7.0))
    text = headline(dataclasses.replace(summary, live=live))
    assert "3 answered frames were not scored" in text
    assert "images were sent 0.1 ms late (50 %), 1.5 ms (99 %), 7.0 ms at most" in text


def test_without_ground_truth_there_is_no_table_of_scores(tmp_path: Path) -> None:
    text = headline(Synthetic(truth=False).write(tmp_path).summary())
    assert "alignment" not in text and "abs_rel" not in text
    assert "flicker: 0.0120" in text


def test_mattes_alone_give_boundary_recall(tmp_path: Path) -> None:
    text = headline(Synthetic(truth=False, alpha=True, skipped={}, frames=9).write(tmp_path).summary())
    assert "boundary recall: 0.440" in text  # mean of 0.40 to 0.48


def test_scales_are_as_the_frames_lack_them(tmp_path: Path) -> None:
    text = headline(Synthetic(error=lambda k: 0.25).write(tmp_path).summary())
    assert "scale that frames lack: mean 0.800, spread 0.0 %" in text


def test_markdown_holds_what_is_needed_to_do_it_again(tmp_path: Path) -> None:
    summary = Synthetic(live=True).write(tmp_path).summary()
    text = markdown(summary, check([Criterion.parse("delta1<0.99")], summary))
    for line in (
        "- FAILED delta1&lt;0.99: the mean of 11 frames is 0.909091",
        "- 2 messages of the bag are damaged",
        "- weights SHA-256: " + "ab" * 32,
        "- command: depthpro evaluate bag corridor.mcap -o out",
        "- versions: depthpro_ros 0.1.0",
        "- mask: 0.1 to 80 m",
        "- invalid predictions: penalise",
    ):
        assert line in text.splitlines()
    assert "| scene 1 |" in text and "## By true depth" in text


def test_markdown_tables_are_whole(tmp_path: Path) -> None:
    text = markdown(Synthetic(live=True, run={"source": "a|b"}).write(tmp_path).summary())
    for block in text.split("\n\n"):
        if block.startswith("|"):
            assert len({line.count("|") for line in block.splitlines()}) == 1


def test_bins_have_the_true_depths_of_the_surface(tmp_path: Path) -> None:
    """2 to 7 m: no pixel is nearer or farther."""
    text = markdown(Synthetic().write(tmp_path).summary())
    table = text.split("## By true depth\n\n")[1].split("\n\n")[0]
    names = [line.split("|")[1].strip() for line in table.splitlines()[2:]]
    assert names == ["2 to 3 m", "3 to 5 m", "5 to 7 m"]


@pytest.mark.parametrize("what", ["weights SHA-256", "parameters", "device"])
def test_recorded_predictions_have_no_weights(what: str, tmp_path: Path) -> None:
    pairs = dict(made(Synthetic(run={"model": None}).write(tmp_path).summary()))
    assert what not in pairs and pairs["model"] == "recorded predictions"


def test_figures_are_ordered_by_meaning_then_alignment() -> None:
    names = ["delta1", "abs_rel@median_scale", "abs_rel@affine_disparity", "abs_rel"]
    assert ordered(names, ("none", "affine_disparity", "median_scale")) == [
        "abs_rel",
        "abs_rel@affine_disparity",
        "abs_rel@median_scale",
        "delta1",
    ]
