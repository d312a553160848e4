# SPDX-License-Identifier: Apache-2.0
"""A table of words and figures, as plain text, as markdown and as HTML."""

from __future__ import annotations

import html
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Rows of text under titles.

    Attributes:
        columns: titles.
        rows: as many cells in each.
        words: how many columns from the left are words; the others are figures and stand at the right.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1

    def as_text(self) -> str:
        """For a terminal: columns of equal width, no lines."""
        lines = [[_one_line(cell) for cell in row] for row in (self.columns, *self.rows)]
        widths = [max(len(line[k]) for line in lines) for k in range(len(self.columns))]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if k < self.words else cell.rjust(width)
                for k, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )

    def as_markdown(self) -> str:
        """For a page: GitHub's tables."""
        rule = ["---" if k < self.words else "---:" for k in range(len(self.columns))]
        lines = [[markdown_text(cell) for cell in row] for row in (self.columns, *self.rows)]
        return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]])

    def as_html(self, *, sortable: bool = False) -> str:
        """For a web page.

        Args:
            sortable: marks the table for the page's script, which sorts it by a column that is clicked.
        """
        kinds = ["w" if k < self.words else "n" for k in range(len(self.columns))]
        head = "".join(f'<th class="{kind}">{html.escape(t)}</th>' for kind, t in zip(kinds, self.columns, strict=True))
        body = "".join(
            "<tr>"
            + "".join(f'<td class="{kind}">{html.escape(cell)}</td>' for kind, cell in zip(kinds, row, strict=True))
            + "</tr>\n"
            for row in self.rows
        )
        kind = ' class="sortable"' if sortable else ""
        return f'<div class="table"><table{kind}><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>'


def markdown_text(text: str) -> str:
    """Text that means itself in markdown, also within a table."""
    escaped = "".join(f"\\{c}" if c in "\\`*[]|" else c for c in _one_line(text))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _one_line(text: str) -> str:
    return " ".join(text.split())
