# SPDX-License-Identifier: Apache-2.0
"""The parts of a report as tables, the same for the terminal, for markdown and for the web page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from depthpro_ros.evaluation.aggregate import Aggregate
from depthpro_ros.evaluation.report.table import Table
from depthpro_ros.evaluation.results.figures import FIGURES, HEADLINE, aligned, figure, shown
from depthpro_ros.evaluation.results.profiles import RADII, RANGE_EDGES_M, ROWS, Binned
from depthpro_ros.evaluation.results.summary import Summary

MOST_SCENES = 200
ALIGNMENT_NAMES = {"none": "none (metres as predicted)"}


def ordered(names: Iterable[str], alignments: Sequence[str]) -> list[str]:
    """Names of figures in the order of `FIGURES`, and within each in that of the alignments."""
    figures = {name: place for place, name in enumerate(FIGURES)}
    modes = {mode: place for place, mode in enumerate(alignments)}

    def place(name: str) -> tuple[int, int, str]:
        base, _, alignment = name.partition("@")
        return figures.get(base, len(figures)), modes.get(alignment or "none", len(modes)), name

    return sorted(names, key=place)


def headline_table(summary: Summary) -> Table | None:
    """A row for each alignment; None without scores."""
    modes = _alignments(summary)
    if not modes:
        return None
    columns = ("alignment", _column("abs_rel"), "95 % interval", *(_column(name) for name in HEADLINE[1:]))
    return Table(
        columns,
        tuple(
            (
                ALIGNMENT_NAMES.get(mode, mode.replace("_", " ")),
                _mean(summary, aligned("abs_rel", mode)),
                interval("abs_rel", summary.figures.get(aligned("abs_rel", mode))),
                *(_mean(summary, aligned(name, mode)) for name in HEADLINE[1:]),
            )
            for mode in modes
        ),
    )


def pooled_table(summary: Summary) -> Table | None:
    """Scores over the pixels of all frames as if they were one, a row for each alignment; None without scores."""
    modes = [mode for mode in summary.run.settings.alignments if mode in summary.pooled]
    names = ("abs_rel", "delta1", "delta2", "delta3", "rmse", "mae", "silog", "bias", "invalid_share")
    if not modes:
        return None
    return Table(
        ("alignment", "pixels", *(_column(name) for name in names)),
        tuple(
            (
                ALIGNMENT_NAMES.get(mode, mode.replace("_", " ")),
                f"{summary.pooled[mode].pixels:,}",
                *(bare(name, float(getattr(summary.pooled[mode], name))) for name in names),
            )
            for mode in modes
        ),
    )


def figures_table(summary: Summary) -> Table:
    """Every figure that any frame has."""
    return Table(
        ("figure", "mean", "95 % interval", "median", "mean of scenes", "better", "frames", "without"),
        tuple(
            (
                figure(name).title,
                shown(name, a.mean),
                interval(name, a),
                bare(name, a.median),
                bare(name, a.per_scene),
                "" if figure(name).better == "neither" else figure(name).better,
                str(a.images),
                str(a.missing),
            )
            for name in ordered(summary.figures, summary.run.settings.alignments)
            for a in [summary.figures[name]]
        ),
    )


def scenes_table(summary: Summary) -> Table | None:
    """Means over each scene, the worst first, at most `MOST_SCENES`; None of a single scene."""
    if len(summary.scenes) < 2:
        return None
    first = aligned("abs_rel", headline_alignment(summary))
    choice = [
        *(aligned(name, headline_alignment(summary)) for name in HEADLINE[:-1]),
        "abs_rel@median_scale",
        *("boundary_f1", "boundary_recall", "flicker", "frame_scale", "focal_error", "model_ms", "latency_ms"),
    ]
    names = [name for name in dict.fromkeys(choice) if name in summary.figures]

    def worst_first(scene: str) -> float:
        value = summary.scenes[scene].get(first, math.nan)
        return math.inf if math.isnan(value) else -value

    scenes = sorted(summary.scenes, key=worst_first)[:MOST_SCENES]
    return Table(
        ("scene", *(_column(name) for name in names)),
        tuple((scene, *(bare(name, summary.scenes[scene].get(name, math.nan)) for name in names)) for scene in scenes),
    )


def profile_tables(summary: Summary) -> dict[str, Table]:
    """Errors by range, row and radius; empty without ground truth."""
    if summary.profiles is None:
        return {}
    edges = [f"{a:g} to {b:g} m" for a, b in pairwise(RANGE_EDGES_M[:-1])]
    rows = [f"{k / ROWS:.0%} to {(k + 1) / ROWS:.0%}" for k in range(ROWS)]
    radii = [f"{k / RADII:.0%} to {(k + 1) / RADII:.0%}" for k in range(RADII)]
    profiles = summary.profiles
    return {
        "true depth": _binned("true depth", [*edges, f"{RANGE_EDGES_M[-2]:g} m and more"], profiles.by_range),
        "image row": _binned("rows from the top", rows, profiles.by_row),
        "image radius": _binned("from the middle (0 %) to the corner (100 %)", radii, profiles.by_radius),
    }


def times_table(summary: Summary) -> Table | None:
    """Percentiles of the times; None where none were taken."""
    rows = [(figure(name).title, times) for name, times in summary.times.items()]
    if summary.live is not None and "latency_ms" not in summary.times:
        rows.append(("latency", summary.live.latency_ms))
    if not rows:
        return None
    return Table(
        ("time [ms]", "50 %", "90 %", "99 %", "longest"),
        tuple((name, *(digits(v, 1) for v in (t.p50, t.p90, t.p99, t.largest))) for name, t in rows),
    )


def headline_alignment(summary: Summary) -> str:
    """The alignment that the headline is of: the first that there are scores of."""
    modes = _alignments(summary) or summary.run.settings.alignments
    return modes[0] if modes else "none"


def profiles_alignment(summary: Summary) -> str:
    """How the depth was aligned before errors were sorted by where they are."""
    return "Without alignment" if summary.metric else f"After {headline_alignment(summary).replace('_', ' ')}"


def interval(name: str, a: Aggregate | None) -> str:
    """The interval of a mean; `-` for none."""
    if a is None or math.isnan(a.low):
        return "-"
    return f"{bare(name, a.low)} to {bare(name, a.high)}"


def bare(name: str, value: float) -> str:
    """A value with its digits, without its unit."""
    return digits(value, figure(name).digits)


def digits(value: float, count: int) -> str:
    """A number with so many digits after the point; `-` for none."""
    return "-" if math.isnan(value) else f"{round(value, count) + 0.0:.{count}f}"


def _alignments(summary: Summary) -> tuple[str, ...]:
    return tuple(m for m in summary.run.settings.alignments if aligned("abs_rel", m) in summary.figures)


def _column(name: str) -> str:
    known = figure(name)
    return f"{known.title} [{known.unit}]" if known.unit else known.title


def _mean(summary: Summary, name: str) -> str:
    return bare(name, summary.figures[name].mean) if name in summary.figures else "-"


def _binned(title: str, names: Sequence[str], bins: Binned) -> Table:
    values = zip(names, bins.abs_rel, bins.bias, bins.delta1, bins.pixels, strict=True)
    return Table(
        (title, "abs_rel", "bias", "delta1", "pixels"),
        tuple((name, digits(a, 3), digits(b, 3), digits(d, 3), f"{int(n):,}") for name, a, b, d, n in values if n),
    )
