# SPDX-License-Identifier: Apache-2.0
"""What a check says, and all of it as text or JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum

WIDTH = 110
"""Columns of the text."""
INDENT = 30
"""Columns before what was found."""


class Level(str, Enum):
    """How bad a finding is: only a problem keeps the node from doing its work."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        check: what was looked at, in a word or two.
        level: how bad it is.
        found: what was seen.
        advice: what to do; empty where nothing is to be done.
    """

    check: str
    level: Level
    found: str
    advice: str = ""


def ok(check: str, found: str) -> Finding:
    """Nothing to be done."""
    return Finding(check, Level.OK, found)


def warning(check: str, found: str, advice: str) -> Finding:
    """It works, though not as well or as safely as it could."""
    return Finding(check, Level.WARNING, found, advice)


def problem(check: str, found: str, advice: str) -> Finding:
    """It does not work."""
    return Finding(check, Level.PROBLEM, found, advice)


@dataclass(frozen=True)
class Section:
    """Findings that belong together.

    Attributes:
        title: of the section.
        findings: in the order of the checks.
    """

    title: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Report:
    """All that the doctor found.

    Attributes:
        version: of the package.
        sections: in the order in which they are shown.
    """

    version: str
    sections: tuple[Section, ...]

    def count(self, level: Level) -> int:
        """How many findings are of this level."""
        return sum(f.level is level for s in self.sections for f in s.findings)

    @property
    def healthy(self) -> bool:
        """Whether there is no problem."""
        return self.count(Level.PROBLEM) == 0

    def text(self) -> str:
        """For people: a line for each finding, its advice below it, and a summary at the end."""
        lines = [f"depthpro doctor {self.version}"]
        for section in self.sections:
            lines += ["", section.title, *(line for f in section.findings for line in _lines(f))]
        counts = ", ".join(_counted(self.count(level), level) for level in Level)
        return "\n".join([*lines, "", counts])

    def json(self) -> str:
        """For programs: the same, with the counts."""
        summary = {level.value: self.count(level) for level in Level}
        return json.dumps({**asdict(self), "summary": summary, "healthy": self.healthy}, indent=2)


def _lines(finding: Finding) -> Sequence[str]:
    head = f"  {finding.level.value:<9}{finding.check:<{INDENT - 12}} "
    body = textwrap.wrap(finding.found, WIDTH - INDENT) or [""]
    lines = [f"{head:<{INDENT}}{body[0]}", *(" " * INDENT + line for line in body[1:])]
    advice = textwrap.wrap(finding.advice, WIDTH - INDENT - 3)
    return lines + [" " * INDENT + ("-> " if i == 0 else "   ") + line for i, line in enumerate(advice)]


def _counted(count: int, level: Level) -> str:
    return f"{count} ok" if level is Level.OK else f"{count} {level.value}{'' if count == 1 else 's'}"
