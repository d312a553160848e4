# SPDX-License-Identifier: Apache-2.0
"""The web page of an evaluation: one file that asks for nothing from anywhere."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from pathlib import Path

from depthpro_ros.evaluation.report import lines, sections
from depthpro_ros.evaluation.report.columns import Columns
from depthpro_ros.evaluation.report.criteria import CriterionResult
from depthpro_ros.evaluation.report.headline import READING
from depthpro_ros.evaluation.report.page_data import embedded, page_data
from depthpro_ros.evaluation.report.pictures import MOST_FRAMES, choose, encode
from depthpro_ros.evaluation.report.table import Table
from depthpro_ros.evaluation.results.folder import ResultsFolder
from depthpro_ros.evaluation.results.summary import Summary

WEB = Path(__file__).parent / "web"
LIBRARY = "plotly-gl3d.min.js"
SCRIPTS = ("pictures.js", "panels.js", "cloud.js", "charts.js", "page.js")
WIDE = 40
"""Values of more letters take the room of two."""
PLACE = re.compile(r"<!--(\w+)-->")


def write_page(
    folder: ResultsFolder, summary: Summary, columns: Columns, criteria: Sequence[CriterionResult] = ()
) -> None:
    """Write report.html, whole or not at all; pictures go through memory one at a time.

    Args:
        columns: of the same records as the summary.
        criteria: what became of the criteria.
    """
    kept = folder.pictured()
    choice = choose(columns, kept, sections.headline_alignment(summary))
    words = {
        "title": html.escape(f"Depth of {summary.run.source}"),
        "style": _web("page.css"),
        "verdict": _verdict(criteria),
        "lead": html.escape(f"{lines.subject(summary)}. {lines.frames_line(summary)}."),
        "notes": _list(summary.run.notes, "notes"),
        "made": _made(summary),
        "headline": _headline(summary),
        "pictures": html.escape(_pictures_line(len(kept), len(choice.places))),
        "aligned": html.escape(sections.profiles_alignment(summary).lower()),
        "scenes": _scenes(summary),
        "figures": sections.figures_table(summary).as_html(),
        "profiles": "".join(
            f"<h3>By {html.escape(name)}</h3>{table.as_html()}"
            for name, table in sections.profile_tables(summary).items()
        ),
        "data": embedded(page_data(summary, columns, choice)),
        "library": _web(LIBRARY),
        "script": "\n".join(_web(name) for name in SCRIPTS),
    }
    before, after = _web("page.html").split("<!--frames-->")
    path = folder.path / "report.html"
    unfinished = path.with_suffix(".part")
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(PLACE.sub(lambda place: words[place[1]], before))
        for place in choice.places:
            picture = folder.thumbnail(columns.index[place])
            if picture is not None:
                file.write(
                    f'<script type="text/plain" id="picture-{columns.index[place]}">{encode(picture)}</script>\n'
                )
        file.write(PLACE.sub(lambda place: words[place[1]], after))
    unfinished.replace(path)


def _web(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")


def _verdict(criteria: Sequence[CriterionResult]) -> str:
    if not criteria:
        return ""
    items = "".join(
        f'<li class="{"failed" if result.failed else "passed"}">{html.escape(result.text)}</li>' for result in criteria
    )
    return f'<ul class="criteria">{items}</ul>'


def _list(items: Sequence[str], kind: str) -> str:
    if not items:
        return ""
    return f'<ul class="{kind}">{"".join(f"<li>{html.escape(line)}</li>" for line in items)}</ul>'


def _made(summary: Summary) -> str:
    pairs = lines.made(summary)
    cells = [
        f'<div class="{"wide" if len(value) > WIDE else ""}"><dt>{html.escape(what)}</dt>'
        f"<dd>{html.escape(value)}</dd></div>"
        for what, value in pairs
    ]
    return f"<dl>{''.join(cells)}</dl>"


def _headline(summary: Summary) -> str:
    parts = []
    headline, pooled = sections.headline_table(summary), sections.pooled_table(summary)
    if headline is not None:
        parts += [headline.as_html(), f"<p class=small>{html.escape(READING)}</p>"]
    else:
        parts += ["<p>No frame has a ground truth: there are no scores.</p>"]
    if pooled is not None:
        parts += [_details("Over all pixels as if they were one frame's", pooled)]
    times = sections.times_table(summary)
    aside = _list([*lines.other_lines(summary), *lines.live_lines(summary)], "lines")
    aside += times.as_html() if times is not None else ""
    return f'<div class="columns"><div>{"".join(parts)}</div><div>{aside}</div></div>'


def _details(title: str, table: Table) -> str:
    return f"<details><summary>{html.escape(title)}</summary>{table.as_html()}</details>"


def _scenes(summary: Summary) -> str:
    table = sections.scenes_table(summary)
    if table is None:
        return ""
    count, shown = len(summary.scenes), len(table.rows)
    which = f"{count} scenes" if shown == count else f"the worst {shown} of {count} scenes"
    return (
        f"<section><h2>Scenes</h2><p class=small>Means over the frames of {which}; click a title to sort.</p>"
        f"{table.as_html(sortable=True)}</section>"
    )


def _pictures_line(kept: int, shown: int) -> str:
    if not kept:
        return "No pictures of frames were kept."
    line = f"{shown} frames have a picture here"
    if shown < kept:
        line += f", evenly chosen from the {kept} that were kept (at most {MOST_FRAMES})"
    return f"{line}. Pictures are small: one of their pixels is one of the frame's, not a mean."
