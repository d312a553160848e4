# SPDX-License-Identifier: Apache-2.0
"""Tables of figures as text for a terminal and as Markdown."""

from __future__ import annotations

from depthpro_ros.bench.results import Cell, Figure, PartResult, Provenance, Row, Table


def number(value: float) -> str:
    """Three significant digits, and never fewer than the whole part has."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 99.95:
        return f"{value:.0f}"
    if size >= 9.995:
        return f"{value:.1f}"
    if size >= 0.9995:
        return f"{value:.2f}"
    return f"{value:.3g}"


def words(cell: Cell) -> str:
    """A cell: the value, its unit, and in brackets the range if there is one."""
    if isinstance(cell, str):
        return cell
    unit = "" if not cell.unit else f" {cell.unit}"
    if cell.low == cell.high or cell.statistic.startswith("p"):
        return number(cell.value) + unit
    return f"{number(cell.value)}{unit} ({number(cell.low)}–{number(cell.high)})"


def as_text(table: Table) -> str:
    """For a terminal: columns aligned, notes below."""
    lines = [[table.label, *table.columns], *([row.label, *map(words, row.cells)] for row in table.rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = [table.title + ":"]
    for first, *rest in lines:
        aligned = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        text.append("  ".join(["  " + first.ljust(widths[0]), *aligned]).rstrip())
    return "\n".join([*text, *(f"  {note}" for note in table.notes)])


def as_markdown(table: Table) -> str:
    """For a document: title in bold, table, and what was measured how often below it."""
    head = [_line([table.label, *table.columns]), "|" + "---|" * (1 + len(table.columns))]
    rows = [_line([row.label, *map(words, row.cells)]) for row in table.rows]
    notes = " ".join(note for note in (_runs(table.rows), *table.notes) if note)
    return "\n".join([f"**{table.title}**", "", *head, *rows, *(["", notes] if notes else [])])


def source(provenance: Provenance) -> str:
    """One sentence: when, with what, from which version."""
    p = provenance
    versions = [
        f"package {p.package}" + (f" ({p.commit})" if p.commit else ""),
        f"Python {p.python}",
        f"torch {p.torch}",
    ]
    versions += [f"transformers {p.transformers}"] if p.transformers else []
    return (
        f"{p.date}, `{p.command}`; {', '.join(versions)}; {p.threads} threads; "
        f"load before it began: {p.load_before:.1f}"
    )


def part_as_text(result: PartResult) -> str:
    """All tables of a part, or why there are none."""
    return f"skipped: {result.skipped}" if result.skipped else "\n\n".join(map(as_text, result.tables))


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _runs(rows: tuple[Row, ...]) -> str:
    """How many measurements the figures of a table are made of, in words."""
    figures = [cell for row in rows for cell in row.cells if isinstance(cell, Figure) and cell.runs > 1]
    said = []
    for start, name in (("median", "Medians (and ranges)"), ("p", "Percentiles")):
        runs = [figure.runs for figure in figures if figure.statistic.startswith(start)]
        if runs:
            some = f"{min(runs)}" if min(runs) == max(runs) else f"{min(runs)} to {max(runs)}"
            said.append(f"{name} of {some} measurements.")
    return " ".join(said)
