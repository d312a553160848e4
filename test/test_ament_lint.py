# SPDX-License-Identifier: Apache-2.0
"""The distribution's linters that agree with ruff's, for `colcon test`; and what the others would look at.

Left out: ament_flake8 wants lines of 99 characters and single quotes, where `ruff format` gives 120 and double quotes;
`ruff check` has its other rules. ament_copyright wants a notice with a year and a holder in each file; here a file
says its licence in its first line, as SPDX has it, which is tested below. ament_mypy has settings of its own; mypy runs
with those of pyproject.toml.
"""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
REASON = "comes with a ROS distribution: ament_lint_auto's packages are not installed here"
PEP257_OURS = ("D101", "D102", "D105", "D107", "D205", "D402", "D403", "D415", "D417")
"""Of Google's convention, which the docstrings follow: not every name needs one (ament's own set does not ask for D1),
an argument may be described in the first line, and names begin as they are written."""
SCHEMAS = "download.ros.org"
LINE = "SPDX-License-Identifier: Apache-2.0"


def test_ament_pep257() -> None:
    linter = pytest.importorskip("ament_pep257.main", reason=REASON)
    paths = [str(ROOT / name) for name in ("depthpro_ros", "launch")]
    assert linter.main(argv=["--convention", "google", "--add-ignore", *PEP257_OURS, "--", *paths]) == 0


def test_ament_xmllint() -> None:
    linter = pytest.importorskip("ament_xmllint.main", reason=REASON)
    try:
        socket.create_connection((SCHEMAS, 80), timeout=3).close()
    except OSError as error:
        pytest.skip(f"package.xml's schema is on {SCHEMAS}, which is not reached: {error}")
    assert linter.main(argv=[str(ROOT / "package.xml"), str(ROOT / "config" / "fastdds.xml")]) == 0


def tracked() -> list[Path]:
    """The repository's files of code and of XML."""
    try:
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    suffixes = {".py", ".sh", ".xml", ".rviz"}
    files = [ROOT / line for line in listed.splitlines()]
    return [f for f in files if f.suffix in suffixes and f.is_file() and f.stat().st_size]


def test_every_file_says_its_licence_at_the_top() -> None:
    def says_so(path: Path) -> bool:
        head = path.read_text(encoding="utf-8").splitlines()[:6]
        return any(LINE in line for line in head)

    assert [str(f.relative_to(ROOT)) for f in tracked() if not says_so(f)] == []
