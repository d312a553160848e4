# SPDX-License-Identifier: Apache-2.0
"""`depthpro completion`, by what bash makes of its script."""

from __future__ import annotations

import builtins
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from depthpro_ros.cli.completion import SHELLS
from depthpro_ros.cli.main import main

ASK = """\
source {script}
words=({words})
COMP_WORDS=("${{words[@]}}") COMP_CWORD=$((${{#words[@]}} - 1)) COMPREPLY=()
function_=$(complete -p depthpro | sed 's/.*-F \\([^ ]*\\).*/\\1/')
"$function_" depthpro "${{words[-1]}}" "${{words[-2]}}"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
"""What bash does when the tab key is pressed after `words`."""


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.fixture
def completed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """What bash offers after some words."""
    file = tmp_path / "depthpro.bash"
    file.write_text(script("bash", capsys))

    def completed_(*words: str, folder: Path = tmp_path) -> set[str]:
        quoted = " ".join(f"'{word}'" for word in ("depthpro", *words))
        done = subprocess.run(
            ["bash", "--norc", "-c", ASK.format(script=file, words=quoted)],
            capture_output=True,
            text=True,
            timeout=30,
            cwd=folder,
        )
        assert done.returncode == 0, done.stderr
        return set(done.stdout.split())

    return completed_


def test_bash_completes_subcommands(completed: Any) -> None:
    assert completed("do") == {"doctor"}
    assert {"bag", "node", "compare"} <= completed("evaluate", "")


def test_bash_completes_options_and_their_choices(completed: Any) -> None:
    assert completed("image", "--prec") == {"--precision"}
    assert completed("image", "--precision", "b") == {"bfloat16"}
    assert completed("completion", "") == set(SHELLS)


def test_bash_completes_paths(completed: Any, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()
    assert "photo.jpg" in completed("image", "pho")


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_are_what_their_shell_reads(shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "script").write_text(text := script(shell, capsys))
    assert "depthpro" in text and "doctor" in text
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here to read it")
    done = subprocess.run([shell, "-n", str(tmp_path / "script")], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_shtab_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    load = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "shtab":
            raise ImportError(name)
        return load(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    assert main(["completion", "bash"]) == 2
    assert 'pip install "depthpro_ros[completion]"' in capsys.readouterr().err
