# SPDX-License-Identifier: Apache-2.0
"""docs/performance.md: hand-written text around tables from every results file."""

from __future__ import annotations

from pathlib import Path

from depthpro_ros.bench.parts import PARTS
from depthpro_ros.bench.results import DeviceResults, PartResult
from depthpro_ros.bench.tables import as_markdown, source
from depthpro_ros.errors import DataError

NOTES, DOCUMENT, RESULTS = Path("docs/performance_notes.md"), Path("docs/performance.md"), Path("benchmarks/results")
"""Relative to the repository."""
TABLES_HERE = "<!-- tables -->"
"""The line of the notes that the tables take the place of."""
WARNING = "<!-- Made by `depthpro bench --docs` from docs/performance_notes.md and benchmarks/results: edit those. -->"


def read_results(folder: Path) -> list[DeviceResults]:
    """All results of a folder, by file name.

    Raises:
        DataError: a file is not one of ours.
    """
    results = []
    for path in sorted(folder.glob("*.json")):
        try:
            results.append(DeviceResults.from_json(path.read_text(encoding="utf-8")))
        except DataError as error:
            raise DataError(f"{path}: {error}") from error
    return results


def document(notes: str, results: list[DeviceResults]) -> str:
    """The whole text.

    Raises:
        DataError: the notes have no place for the tables.
    """
    if notes.count(TABLES_HERE) != 1:
        raise DataError(f"{NOTES} must have one line {TABLES_HERE!r}, where the tables go")
    tables = "\n\n".join(map(_device, results)) or "Nothing has been measured yet."
    return f"{WARNING}\n{notes.replace(TABLES_HERE, tables)}"


def write_document(root: Path) -> Path:
    """Make docs/performance.md of a checkout anew; its path.

    Raises:
        DataError: a results file or the notes are not as they should be.
    """
    notes = (root / NOTES).read_text(encoding="utf-8")
    (root / DOCUMENT).write_text(document(notes, read_results(root / RESULTS)), encoding="utf-8")
    return root / DOCUMENT


def _device(results: DeviceResults) -> str:
    order = [part.name for part in PARTS]
    parts = sorted(results.parts, key=lambda result: order.index(result.part))
    return "\n\n".join([f"## {results.device}", *map(_part, parts)])


def _part(result: PartResult) -> str:
    about = next(part.help for part in PARTS if part.name == result.part)
    body = [f"Skipped: {result.skipped}."] if result.skipped else [as_markdown(table) for table in result.tables]
    origin = [f"<sub>{source(result.provenance)}</sub>"] if result.provenance else []
    return "\n\n".join([f"### {result.part}: {about}", *body, *origin])
