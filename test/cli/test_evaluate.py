# SPDX-License-Identifier: Apache-2.0
"""`depthpro evaluate bag|bags|compare|report`, as a user types it."""

from __future__ import annotations

import csv
import json
import sys

import pytest

pytest.importorskip("rosbags")

import depthpro_ros.models
from depthpro_ros.cli.main import main
from test.evaluation.run.world import ReadsDepth, write_bag


@pytest.fixture
def model(monkeypatch):
    """An estimator whose depth is wrong by a factor; set it before the command."""
    estimator = ReadsDepth(1.1)
    monkeypatch.setattr(depthpro_ros.models, "load_estimator", lambda *_, **__: estimator)
    return estimator


@pytest.fixture
def bag(tmp_path):
    return str(write_bag(tmp_path / "drive", 5, without_truth=[4]))


def run(*arguments: object) -> int:
    return main(["evaluate", *map(str, arguments)])


def test_a_bag_gives_a_table_and_all_files(model, bag, tmp_path, capsys):
    assert run("bag", bag, "-o", tmp_path / "out") == 0
    shown = capsys.readouterr()
    assert "4 of 5 frames" in shown.out and "0.100" in shown.out
    # what was chosen is shown, but not where programs read
    assert "truth (registered)" in shown.err and "truth (registered)" not in shown.out
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"report.html", "report.md", "summary.json", "per_frame.csv"} <= names
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["schema_version"] == 1
    assert summary["frames"] == {
        "total": 5,
        "evaluated": 4,
        "skipped": {"no ground truth within 20 ms": 1},
    }
    assert summary["figures"]["abs_rel"]["mean"] == pytest.approx(0.1, rel=1e-5)
    with (tmp_path / "out" / "per_frame.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5 and float(rows[0]["abs_rel"]) == pytest.approx(0.1, rel=1e-5)


def test_json_is_all_that_is_printed_with_json(model, bag, tmp_path, capsys):
    assert run("bag", bag, "-o", tmp_path / "out", "--json") == 0
    assert json.loads(capsys.readouterr().out)["frames"]["evaluated"] == 4


@pytest.mark.parametrize(
    ("criterion", "code"), [("abs_rel>0.12", 0), ("abs_rel>0.05", 1), ("delta1<0.9", 0), ("opw>1", 1)]
)
def test_criteria_decide_the_exit_code(model, bag, tmp_path, criterion, code):
    assert run("bag", bag, "-o", tmp_path / "out", "--fail-if", criterion) == code


def test_one_failed_criterion_of_several_is_enough(model, bag, tmp_path, capsys):
    assert run("bag", bag, "-o", tmp_path / "out", "--fail-if", "abs_rel>1", "--fail-if", "abs_rel>0.01") == 1
    assert "abs_rel" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--fail-if", "abs_rel"], ["--fail-if", "sharpness>1"], ["--image-topic", "/no"]]
)
def test_wrong_usage_is_told_before_anything_is_written(model, bag, tmp_path, arguments, capsys):
    assert run("bag", bag, "-o", tmp_path / "out", *arguments) == 2
    assert "depthpro: error:" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_an_option_that_does_not_exist_is_wrong_usage(bag):
    with pytest.raises(SystemExit) as stop:
        run("bag", bag, "--align", "guess")
    assert stop.value.code == 2


def test_no_bag_is_missing_data(model, tmp_path, capsys):
    assert run("bag", tmp_path / "nothing", "-o", tmp_path / "out") == 3
    assert "there is no" in capsys.readouterr().err


def test_nothing_evaluated_is_not_a_success(model, tmp_path, capsys):
    apart = write_bag(tmp_path / "apart", 2, truth_shift_ns=10**9)
    assert run("bag", apart, "-o", tmp_path / "out") == 4
    assert "no frame was evaluated" in capsys.readouterr().err
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["frames"]["evaluated"] == 0


def test_results_are_kept_unless_told_otherwise(model, bag, tmp_path, capsys):
    assert run("bag", bag, "-o", tmp_path / "out") == 0
    assert run("bag", bag, "-o", tmp_path / "out") == 2
    assert "--force" in capsys.readouterr().err
    model.factor = 1.3
    assert run("bag", bag, "-o", tmp_path / "out", "--force") == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["figures"]["abs_rel"]["mean"] == pytest.approx(0.3, rel=1e-5)


def test_ctrl_c_keeps_what_was_done_and_resume_goes_on(model, bag, tmp_path, capsys):
    model.fails_at = 2
    assert run("bag", bag, "-o", tmp_path / "out") == 130
    shown = capsys.readouterr()
    assert "2 of 2 frames" in shown.out and (tmp_path / "out" / "report.html").exists()
    model.fails_at = -1
    assert run("bag", bag, "-o", tmp_path / "out", "--resume") == 0
    assert "4 of 5 frames" in capsys.readouterr().out


def test_a_bag_that_was_cut_off_gives_what_can_be_read(model, tmp_path, capsys):
    path = write_bag(tmp_path / "drive", 30)
    file = next(path.glob("*.mcap"))
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])
    assert run("bag", path, "-o", tmp_path / "out") == 0
    shown = capsys.readouterr()
    assert "warning" in shown.err
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert 0 < summary["frames"]["evaluated"] < 30
    assert any("index" in note or "metadata" in note for note in summary["run"]["notes"])


def test_selection_and_masks_reach_the_results(model, bag, tmp_path):
    assert (
        run("bag", bag, "-o", tmp_path / "out", "--stride", 2, "--limit", 1, "--max-depth", 3, "--align", "none") == 0
    )
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["frames"]["total"] == 1
    settings = summary["run"]["settings"]
    assert settings["mask"] == "depth in ]0.001, 3] m" and settings["alignments"] == ["none"]
    assert settings["frames"] == "every 2., at most 1"


def test_recorded_depth_is_scored_without_a_model(tmp_path, bag, capsys):
    assert run("bags", bag, bag, "--depth-topic", "/camera/aligned_depth/image_raw", "-o", tmp_path / "out") == 0
    assert "4 of 4 frames" in capsys.readouterr().out
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["figures"]["abs_rel"]["mean"] == 0 and summary["run"]["model"] is None


def test_two_evaluations_are_compared_frame_by_frame(model, bag, tmp_path, capsys):
    assert run("bag", bag, "-o", tmp_path / "a") == 0
    model.factor = 1.25
    assert run("bag", bag, "-o", tmp_path / "b") == 0
    capsys.readouterr()
    assert run("compare", tmp_path / "a", tmp_path / "b", "--json") == 0
    text = capsys.readouterr().out
    assert "abs_rel" in text and json.loads(text)
    assert run("compare", tmp_path / "a", tmp_path / "nothing") == 3


def test_a_report_can_be_written_again(model, bag, tmp_path, capsys):
    assert run("bag", bag, "-o", tmp_path / "out") == 0
    (tmp_path / "out" / "report.html").unlink()
    assert run("report", tmp_path / "out", "--fail-if", "abs_rel>0.05") == 1
    assert (tmp_path / "out" / "report.html").exists()
    assert run("report", tmp_path / "nothing") == 3


def test_the_node_needs_ros_and_says_how_to_get_it(bag, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "rclpy", None)
    for module in ("live_evaluation", "private_node"):
        monkeypatch.delitem(sys.modules, f"depthpro_ros.node.{module}", raising=False)
    assert run("node", bag, "-o", tmp_path / "out") == 2
    assert "setup.bash" in capsys.readouterr().err


def test_an_output_bag_has_every_frame_that_was_scored(model, bag, tmp_path, capsys):
    from depthpro_ros.bag_messages import depth_metres
    from depthpro_ros.evaluation.bags.recording import Recording

    assert run("bag", bag, "-o", tmp_path / "out", "--output-bag") == 0
    with Recording(tmp_path / "out" / "bag") as recording:
        assert not recording.problems
        assert {recording.counts[t] for t in ("/depth/image", "/depth/points", "/truth/image", "/camera/image")} == {4}
        assert recording.counts["/evaluation/abs_rel"] == 4
        errors = [depth_metres(read.message) for read in recording.messages(["/error/image"])]
    # the error is 10 % everywhere; as a depth image it would be 0.1 m
    assert all(error == pytest.approx(0.1, abs=1e-5) for error in errors)
    assert run("bag", bag, "-o", tmp_path / "out", "--output-bag", "--resume") == 2


def test_ground_truth_of_another_camera_may_be_placed_by_hand(model, tmp_path, capsys):
    bag = write_bag(tmp_path / "drive", 2)
    pose = ["--truth-pose", 0, 0, 0.4, 0, 0, 0, 2]
    other = ["--truth-kind", "depth", "--truth-info-topic", "/camera/camera_info"]
    assert run("bag", bag, "-o", tmp_path / "out", *other, *pose) == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    # 1.1 d against d + 0.4 m, with d from 2 to 7.1 m: too near up to 4 m, too far beyond
    assert -0.1 < summary["figures"]["bias"]["mean"] < 0.1
    assert run("bag", bag, "-o", tmp_path / "out", "--force", *other, "--truth-pose", 0, 0, 0, 0, 0, 0, 0) == 2
    assert "quaternion" in capsys.readouterr().err
