# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import platform
from pathlib import Path

import pytest

from depthpro_ros.doctor.outside import ask


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file `odd.py` that can be imported by new processes."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "odd.py"


def test_the_value_comes_back() -> None:
    assert ask("platform", "platform.python_version()").value == platform.python_version()


def test_what_the_library_prints_is_not_taken_for_the_answer(module: Path) -> None:
    module.write_text("print('hello')\nx = [1, None]\n")
    assert ask("odd", "odd.x").value == [1, None]


def test_a_library_that_is_not_there_is_missing() -> None:
    answer = ask("no_such_library.part", "1")
    assert answer.missing and "no_such_library" in answer.failure


def test_a_library_that_misses_another_is_not_missing_itself(module: Path) -> None:
    module.write_text("import no_such_library\n")
    answer = ask("odd", "1")
    assert not answer.missing and "no_such_library" in answer.failure


def test_a_crash_is_told_by_its_signal(module: Path) -> None:
    module.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    answer = ask("odd", "1")
    assert "SIGSEGV" in answer.failure and not answer.missing


def test_an_import_without_end_is_given_up(module: Path) -> None:
    module.write_text("import time\ntime.sleep(60)\n")
    assert ask("odd", "1", patience_s=0.5).failure == "did not finish within 0 s"
