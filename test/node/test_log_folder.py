# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path

import pytest
from rclpy.logging import get_logging_directory

from depthpro_ros.node.log_folder import WITHOUT_FILE, log_folder, with_log_folder


@pytest.mark.parametrize(
    "environment", [{"ROS_LOG_DIR": "logs"}, {"ROS_HOME": "home"}, {"ROS_LOG_DIR": "", "ROS_HOME": ""}, {}]
)
def test_the_folder_is_the_one_that_ros_uses(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ROS_LOG_DIR", "ROS_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value and str(tmp_path / value))
    assert log_folder() == Path(get_logging_directory())


def test_a_folder_is_made_and_left_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "new" / "logs"
    monkeypatch.setenv("ROS_LOG_DIR", str(folder))
    assert with_log_folder(["node", "--ros-args", "-r", "a:=b"]) == ["node", "--ros-args", "-r", "a:=b"]
    assert list(folder.iterdir()) == []


def test_without_a_folder_there_is_no_log_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROS_LOG_DIR", os.devnull)
    assert with_log_folder(["node"]) == ["node", *WITHOUT_FILE]
    assert f"no log file, since {os.devnull} cannot be written" in capsys.readouterr().err
