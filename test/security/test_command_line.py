# SPDX-License-Identifier: Apache-2.0
"""`depthpro image` writes where it is told to, connects to nobody and starts nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

GUARDED = Path(__file__).with_name("guarded.py")
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """What a guarded process did.

    Attributes:
        home: the folder that holds all that it may think is its own: home, temporary files, current folder.
        output: where it was told to write.
        events: what the guard saw.
    """

    home: Path
    output: Path
    events: tuple[str, ...]


def guarded_environment(home: Path) -> dict[str, str]:
    """An environment in which every folder that programs write to by themselves is in `home`."""
    ours = ("XDG_", "DEPTHPRO", "HF_", "ROS_LOG")
    return {key: value for key, value in os.environ.items() if not key.startswith(ours)} | {
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    home = tmp_path_factory.mktemp("home")
    (home / "tmp").mkdir()
    (home / "here").mkdir()
    photo, output, log = (tmp_path_factory.mktemp("told") / name for name in ("photo.png", "out", "log"))
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 48, 3), np.uint8)).save(photo)
    command = [sys.executable, str(GUARDED), str(log), "cli", "image", str(photo), "-o", str(output)]
    done = subprocess.run(
        [*command, "--model", "depth_pro_nano"],
        env=guarded_environment(home),
        cwd=home / "here",
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return Run(home, output, tuple(log.read_text().splitlines()))


def test_results_are_where_they_were_asked_for(run: Run) -> None:
    assert {path.suffix for path in run.output.iterdir()} >= {".npy", ".png"}


def test_every_file_that_is_opened_for_writing_is_a_result(run: Run) -> None:
    written = [event for event in run.events if event.startswith(("write", "change"))]
    assert written, "the guard sees the results"
    assert [event for event in written if str(run.output) not in event] == []


def test_nothing_is_left_at_home_in_the_current_folder_or_among_temporary_files(run: Run) -> None:
    # also what is not opened by Python, which the guard does not see
    assert [path for path in run.home.rglob("*") if path.is_file()] == []


def test_no_connection_is_made_and_no_program_started(run: Run) -> None:
    assert [event for event in run.events if event.startswith(("connection", "program"))] == []
