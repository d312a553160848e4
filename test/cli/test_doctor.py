# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from depthpro_ros.cli.main import main
from depthpro_ros.doctor import run
from depthpro_ros.doctor.outside import Answer


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers of other processes, without the time that their imports take."""
    for checks in (run.python_checks, run.ros_checks, run.torch_facts):
        monkeypatch.setattr(checks, "ask", lambda module, _: Answer(failure="not asked", missing=True))


def test_problems_are_told_by_the_exit_code(quick: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    found = {f["check"]: f for s in report["sections"] for f in s["findings"]}
    assert found["torch"]["level"] == found["numpy"]["level"] == "problem"
    assert found["weights"]["found"] == "not looked for: torch: not asked"
    assert report["healthy"] is False


def test_a_graph_needs_ros(quick: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--topic", "/camera/image_raw"]) == 1
    assert "not looked at: ROS does not work here" in " ".join(capsys.readouterr().out.split())


def test_this_machine_is_well_enough_for_these_tests(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rclpy", reason="no ROS: neither a sourced distribution nor the wheels")
    main(["doctor", "--model", "depth_pro_nano"])
    output = capsys.readouterr().out
    lines = {line[11:30].strip(): line.split()[0] for line in output.splitlines() if line[:2] == "  "}
    assert all(lines[name] == "ok" for name in ("Python", "numpy", "cv2", "torch", "ROS", "middleware", "memory"))
