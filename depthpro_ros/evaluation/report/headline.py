# SPDX-License-Identifier: Apache-2.0
"""An evaluation on a terminal, and as markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from depthpro_ros.evaluation.report import lines, sections
from depthpro_ros.evaluation.report.criteria import CriterionResult
from depthpro_ros.evaluation.report.table import markdown_text
from depthpro_ros.evaluation.results.profiles import SAMPLED
from depthpro_ros.evaluation.results.summary import Summary

READING = (
    "abs_rel is the mean of |p - d| / d, bias that of (p - d) / d (above 0 is too far), and delta1 the share of pixels "
    "within 25 % of the true depth. Figures are means over frames. An interval is where the mean would lie 19 times of "
    "20 if the frames, or the scenes where there are several, were drawn anew."
)


def headline(summary: Summary) -> str:
    """The table and the lines that a terminal shows."""
    parts = [lines.subject(summary), lines.frames_line(summary)]
    table = sections.headline_table(summary)
    if table is not None:
        parts += ["", table.as_text()]
    others = lines.other_lines(summary)
    if others:
        parts += ["", *others]
    times = sections.times_table(summary)
    if times is not None:
        parts += ["", times.as_text()]
    live = lines.live_lines(summary)
    if live:
        parts += ["", *live]
    return "\n".join(parts)


def markdown(summary: Summary, criteria: Sequence[CriterionResult] = ()) -> str:
    """The page report.md."""
    run = summary.run
    parts = [f"# Evaluation of {markdown_text(run.source)}", f"{markdown_text(lines.frames_line(summary))}."]
    if criteria:
        parts += ["## Criteria", _list(result.text for result in criteria)]
    if run.notes:
        parts += ["## Notes", _list(run.notes)]
    table = sections.headline_table(summary)
    parts += ["## Figures"]
    if table is not None:
        parts += [table.as_markdown(), READING]
    others = [*lines.other_lines(summary), *lines.live_lines(summary)]
    if others:
        parts += [_list(others)]
    times = sections.times_table(summary)
    if times is not None:
        parts += ["## Times", times.as_markdown()]
    pooled = sections.pooled_table(summary)
    if pooled is not None:
        parts += ["## Over all pixels as if they were one frame's", pooled.as_markdown()]
    scenes = sections.scenes_table(summary)
    if scenes is not None:
        shown = f", the worst {len(scenes.rows)} of {len(summary.scenes)}" * (len(scenes.rows) < len(summary.scenes))
        parts += [f"## Scenes{shown}", scenes.as_markdown()]
    for name, binned in sections.profile_tables(summary).items():
        parts += [f"## By {name}", binned.as_markdown()]
    if summary.profiles is not None:
        parts += [f"{sections.profiles_alignment(summary)}, from every {SAMPLED}nd pixel of every {SAMPLED}nd row."]
    parts += ["## All figures", sections.figures_table(summary).as_markdown()]
    made = [f"{what}: {value}" for what, value in lines.made(summary)]
    parts += ["## How it was made", _list(made)]
    return "\n\n".join(parts) + "\n"


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {markdown_text(line)}" for line in items)
