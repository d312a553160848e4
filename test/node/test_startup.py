# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from depthpro_ros.node.startup import Startup

ROOT = Path(__file__).parents[2]


def test_the_stages_add_up_to_the_whole() -> None:
    startup = Startup(started_s=100.0)
    times = {
        "imports": 102.0,
        "model": 103.5,
        "waiting to be activated": 103.51,
        "waiting for the first image": 104.0,
        "first frame": 104.3,
    }
    assert all(startup.ended(stage, time_s) for stage, time_s in times.items())
    assert startup.text() == (
        "first depth 4.3 s after the process started: "
        "imports 2.0 s, model 1.5 s, waiting for the first image 0.5 s, first frame 0.3 s"
    )


def test_a_stage_ends_once() -> None:
    startup = Startup(started_s=0.0)
    assert startup.ended("imports", 1.0)
    assert not startup.ended("imports", 5.0)
    assert startup.text().startswith("first depth 1.0 s")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system does not tell when a process was started")
def test_the_process_start_is_before_its_imports() -> None:
    code = (
        "import time; time.sleep(0.3); from depthpro_ros.node.startup import process_started_s; "
        "print(time.monotonic() - process_started_s(), time.monotonic())"
    )
    before = time.monotonic()
    output = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    age, now = map(float, output.split())
    # the kernel counts in hundredths of a second
    assert 0.3 <= age <= now - before + 0.02
