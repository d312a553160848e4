# SPDX-License-Identifier: Apache-2.0
"""Questions to another Python process, since the import of a broken library may end the one that asks."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

PATIENCE_S = 120.0
"""How long an import may take: that of torch takes a minute on a cold disk."""
MARK = "depthpro-doctor:"
"""Before the answer, since libraries print things of their own."""


@dataclass(frozen=True)
class Answer:
    """What came of some code.

    Attributes:
        value: what it told, from JSON; None if it failed.
        failure: why it failed, in one line; empty if it did not.
        missing: the module that was asked for is not installed.
    """

    value: Any = None
    failure: str = ""
    missing: bool = False


def ask(module: str, expression: str, *, patience_s: float = PATIENCE_S) -> Answer:
    """Import a module in a process of its own, and evaluate something there.

    Args:
        module: its name, which `expression` may use, too.
        expression: whose value JSON can hold.
        patience_s: after which the process is ended, seconds.
    """
    code = f"import json\nimport {module}\nprint({MARK!r} + json.dumps({expression}))"
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, errors="replace", timeout=patience_s
        )
    except subprocess.TimeoutExpired:
        return Answer(failure=f"did not finish within {patience_s:.0f} s")
    for line in done.stdout.splitlines():
        if line.startswith(MARK) and done.returncode == 0:
            return Answer(json.loads(line.removeprefix(MARK)))
    return _failure(module, done.returncode, done.stderr)


def _failure(module: str, status: int, stderr: str) -> Answer:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    if status < 0:
        name = signal.Signals(-status).name
        return Answer(failure=f"the import ended the process ({name})" + (f": {last}" if last else ""))
    root = module.split(".")[0]
    missing = last in (f"ModuleNotFoundError: No module named {name!r}" for name in (module, root))
    return Answer(failure=last or f"exit status {status}", missing=missing)
