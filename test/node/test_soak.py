# SPDX-License-Identifier: Apache-2.0
"""A short soak of the node with a fake model: the load is served, and each check has something to say."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from depthpro_ros.soak.checks import growth
from depthpro_ros.soak.document import CSV, JSON, PLOT, document, write_results
from depthpro_ros.soak.load import PHASES, REST, STEADY
from depthpro_ros.soak.run import Plan, soak

from .harness import FAKE_NODE, python_path

SHORT = Plan(
    seconds=0.0,
    transports=("raw",),
    command=(sys.executable, str(FAKE_NODE)),
    phase_s=0.2,
    rounds=3,
    steady_s=2.0,
    sample_s=0.2,
    parameters={"diagnostics_period_s": 0.1},
)


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package, for processes that are started elsewhere."""
    monkeypatch.setenv("PYTHONPATH", python_path())


def assert_it_holds(plan: Plan, folder: Path) -> None:
    said: list[str] = []
    legs = soak(plan, folder, said.append)
    assert [leg.transport for leg in legs] == list(plan.transports)
    for leg in legs:
        # in so short a time nothing can be said about what other processes disturb
        noisy = {"latency", "memory, serving the same image again and again", "memory, cleaned up", "end when told to"}
        assert not [check.text for check in leg.checks if not check.passed and check.name not in noisy], said
        assert growth("", [rest.clean_mib for rest in leg.rests], "MiB", 0.1).passed
        assert leg.phases == plan.rounds * (len(PHASES) + 2)
        assert {sample.phase for sample in leg.samples} <= {*PHASES, REST, STEADY, "start"}
    write_results(folder, plan, legs, "depthpro soak", "today")
    with (folder / CSV).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(len(leg.samples) for leg in legs)
    assert float(rows[-1]["private_mib"]) > 10 and int(rows[-1]["images_in"]) > 0
    assert (folder / PLOT).read_bytes().startswith(b"\x89PNG")
    page = document(json.loads((folder / JSON).read_text()))
    for check in legs[0].checks:
        assert f"| {check.name} | {check.figure} |" in page


def test_a_short_soak_finds_nothing_wrong(tmp_path: Path) -> None:
    assert_it_holds(SHORT, tmp_path)


@pytest.mark.slow
def test_a_short_soak_of_compressed_images_finds_nothing_wrong(tmp_path: Path) -> None:
    plan = Plan(**{**SHORT.__dict__, "transports": ("compressed",), "seed": 1})
    assert_it_holds(plan, tmp_path)


@pytest.mark.slow
def test_a_node_that_dies_is_said_to(tmp_path: Path) -> None:
    plan = Plan(**{**SHORT.__dict__, "command": (*SHORT.command, "--die-at", "20")})
    (leg,) = soak(plan, tmp_path, print)
    assert "exit code 7" in leg.ended
    (check,) = (check for check in leg.checks if check.name == "the node served")
    assert not check.passed and "exit code 7" in check.figure


@pytest.mark.slow
def test_it_may_be_ended_early(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "depthpro_ros.cli", "soak", "--transport", "raw", "-o", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert "MiB" in first
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        rest = process.stdout.read()
        assert process.wait(60) == 130, rest
    assert time.monotonic() - started < 60
    assert (tmp_path / JSON).exists() and (tmp_path / CSV).exists() and (tmp_path / PLOT).exists()
    assert json.loads((tmp_path / JSON).read_text())["legs"][0]["ended"] == "interrupted"
