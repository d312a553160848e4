# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

from depthpro_ros.doctor.finding import WIDTH, Level, Report, Section, ok, problem, warning

LONG = "a sentence that is longer than any line of a terminal may be, " * 4
REPORT = Report(
    "1.2.3",
    (
        Section("First", (ok("Python", "3.12"), warning("GPU", LONG, "buy one"))),
        Section("Second", (problem("torch", "not installed", LONG), problem("numpy", "not installed", "pip"))),
    ),
)


def test_text_has_every_finding_its_advice_and_the_counts() -> None:
    text = REPORT.text()
    lines = text.splitlines()
    assert lines[0] == "depthpro doctor 1.2.3"
    assert lines[-1] == "1 ok, 1 warning, 2 problems"
    assert max(map(len, lines)) <= WIDTH
    words = " ".join(text.split())
    for section in REPORT.sections:
        assert section.title in lines
        for finding in section.findings:
            assert " ".join(f"{finding.level.value} {finding.check} {finding.found}".split()) in words
            assert not finding.advice or " ".join(f"-> {finding.advice}".split()) in words


def test_json_has_the_same() -> None:
    read = json.loads(REPORT.json())
    assert read["summary"] == {"ok": 1, "warning": 1, "problem": 2} and read["healthy"] is False
    first = read["sections"][0]["findings"][1]
    assert first == {"check": "GPU", "level": "warning", "found": LONG, "advice": "buy one"}


def test_warnings_alone_are_healthy() -> None:
    assert Report("1", (Section("", (ok("a", ""), warning("b", "", ""))),)).healthy
    assert not REPORT.healthy
    assert REPORT.count(Level.PROBLEM) == 2
