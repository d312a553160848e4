# SPDX-License-Identifier: Apache-2.0
"""`depthpro evaluate fleet` with the bundled model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

pytest.importorskip("rosbags")

from depthpro_ros.cli.main import main
from depthpro_ros.evaluation.fleet.pool import Done, Event, SingleProcess
from depthpro_ros.evaluation.fleet.units import Unit
from depthpro_ros.evaluation.fleet.work import Task
from depthpro_ros.evaluation.results.folder import ResultsFolder
from test.evaluation.fleet.fleet_fixtures import FakeEstimator, write_bag

MODEL = ("--model", "depth_pro_nano", "--device", "cpu")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fleet")
    write_bag(root / "a", 2, seed=1)
    write_bag(root / "b", 2, seed=2)
    return root


def test_one_process_without_ray(fleet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "out"
    assert main(["evaluate", "fleet", str(fleet), *MODEL, "--no-ray", "-o", str(output), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["run"]["kind"] == "fleet"
    assert summary["run"]["model"]["weights_sha256"]
    assert summary["run"]["topics"]["image"] == "/c/image"
    assert summary["frames"] == {"total": 4, "evaluated": 4, "skipped": {}}
    assert set(summary["scenes"]) == {"a", "b"}
    assert (output / "report.html").exists()


def test_control_c_reports_what_is_complete(
    fleet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = SingleProcess.run

    def run_one_unit(self: SingleProcess, tasks: Sequence[Task]) -> Iterator[Event]:
        for event in run(self, tasks):
            yield event
            if isinstance(event, Done) and isinstance(event.task, Unit):
                raise KeyboardInterrupt

    monkeypatch.setattr("depthpro_ros.models.load_estimator", lambda *_, **__: FakeEstimator())
    stopped = pytest.MonkeyPatch()
    stopped.setattr(SingleProcess, "run", run_one_unit)
    command = ["evaluate", "fleet", str(fleet), *MODEL, "--jobs", "1", "-o", str(tmp_path / "out")]
    assert main(command) == 130
    assert [record.scene for record in ResultsFolder(tmp_path / "out").records()] == ["a", "a"]
    stopped.undo()
    assert main([*command, "--resume"]) == 0
    assert "4 frames in 2 units, 1 to do" in capsys.readouterr().err


def test_no_recordings_is_data_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "fleet", str(tmp_path)]) == 3
    assert "there are no recordings in" in capsys.readouterr().err


def test_nothing_that_can_be_read_is_nothing_evaluated(tmp_path: Path) -> None:
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet" / "a.bag").write_bytes(b"no recording")
    output = str(tmp_path / "out")
    assert main(["evaluate", "fleet", str(tmp_path / "fleet"), *MODEL, "--no-ray", "-o", output]) == 4
