# SPDX-License-Identifier: Apache-2.0
"""Tables show what they hold, in every form."""

from __future__ import annotations

from html.parser import HTMLParser

from depthpro_ros.evaluation.report.table import Table, markdown_text

HOSTILE = "</td><script>alert(1)</script> | `x` *y*\nz"
TABLE = Table(("scene", "abs_rel"), (("hall", "0.1"), (HOSTILE, "12.25")))


class Cells(HTMLParser):
    """Texts of cells, and names of elements."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag in ("td", "th"):
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.texts and data.strip():
            self.texts[-1] += data


def test_text_has_figures_at_the_right() -> None:
    lines = Table(("scene", "abs_rel"), (("hall", "0.1"), ("corridor", "12.25"))).as_text().splitlines()
    assert lines == ["scene     abs_rel", "hall          0.1", "corridor    12.25"]


def test_text_has_one_line_for_each_row() -> None:
    assert len(TABLE.as_text().splitlines()) == 3


def test_markdown_has_as_many_cells_in_every_line() -> None:
    lines = TABLE.as_markdown().splitlines()
    assert {line.replace("\\|", "").count("|") for line in lines} == {3} and len(lines) == 4
    assert lines[1] == "| --- | ---: |"


def test_markdown_means_itself() -> None:
    assert markdown_text("<b> a_b [x](y) `c`") == "&lt;b&gt; a_b \\[x\\](y) \\`c\\`"


def test_html_shows_hostile_text_as_text() -> None:
    cells = Cells()
    cells.feed(TABLE.as_html())
    assert cells.tags == {"div", "table", "thead", "tbody", "tr", "th", "td"}
    assert cells.texts == ["scene", "abs_rel", "hall", "0.1", HOSTILE, "12.25"]
