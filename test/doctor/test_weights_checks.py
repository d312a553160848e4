# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from depthpro_ros.doctor.finding import Level
from depthpro_ros.doctor.weights_checks import check_weights


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("DEPTHPRO_WEIGHTS", raising=False)
    return tmp_path / "depthpro_ros"


def test_the_bundled_model_is_a_warning_that_says_where_was_looked(home: Path) -> None:
    finding, name = check_weights("auto")
    assert (finding.level, name) == (Level.WARNING, "depth_pro_nano")
    assert str(home) in finding.found and "rendered scenes" in finding.advice


def test_apples_weights_come_with_their_licence(home: Path) -> None:
    home.mkdir()
    (home / "depth_pro.pt").write_bytes(b"0" * 2_000_000)
    finding, name = check_weights("auto")
    assert (finding.level, name) == (Level.OK, "depth_pro")
    assert f"{home / 'depth_pro.pt'} (2 MB)" in finding.found and "research only" in finding.found


@pytest.mark.parametrize("model", ["depth_pro", "/no/such/file.pt"])
def test_weights_that_are_not_there(model: str) -> None:
    finding, _ = check_weights(model)
    assert finding.level is Level.PROBLEM and model in finding.found


def test_a_variable_that_names_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTHPRO_WEIGHTS", "/no/such/file")
    finding, _ = check_weights("auto")
    assert finding.level is Level.PROBLEM and "/no/such/file" in finding.found
