# SPDX-License-Identifier: Apache-2.0
"""Two evaluations of the same frames, side by side."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from depthpro_ros.evaluation.aggregate import Aggregate, paired_difference
from depthpro_ros.evaluation.report.columns import Columns
from depthpro_ros.evaluation.report.sections import interval, ordered
from depthpro_ros.evaluation.report.table import Table, markdown_text
from depthpro_ros.evaluation.results.figures import figure, shown
from depthpro_ros.evaluation.results.folder import ResultsFolder
from depthpro_ros.evaluation.results.run_info import RunInfo
from depthpro_ros.evaluation.results.summary import without_nan

SCHEMA_VERSION = 1
NAMED = 3
"""How many of the frames that only one has are named."""

FEWEST = 6
"""Frames, or scenes, below which no two-sided sign test could be clear at 95 %: 2 / 2^5 > 0.05."""

Verdict = Literal["a is better", "b is better", "they differ", "not clear", "the same", "too few"]


@dataclass(frozen=True)
class Difference:
    """One figure of both evaluations, over the frames where both have it.

    Attributes:
        name: see `figures`.
        a, b: means.
        change: b - a, frame by frame.
    """

    name: str
    a: float
    b: float
    change: Aggregate

    @property
    def verdict(self) -> Verdict:
        """Which is better: the same to all digits that are shown, not clear if the interval holds 0."""
        low, high = self.change.low, self.change.high
        digits = figure(self.name).digits
        if round(low, digits) == round(high, digits) == 0:
            return "the same"
        if self.change.scenes < FEWEST:
            return "too few"
        if not (low > 0 or high < 0):
            return "not clear"
        better = figure(self.name).better
        if better == "neither":
            return "they differ"
        return "b is better" if (high < 0) == (better == "lower") else "a is better"


@dataclass(frozen=True)
class Comparison:
    """Two evaluations.

    Attributes:
        a, b: how they were made.
        names: their folders.
        both, only_a, only_b: how many frames were evaluated in both, or in one only.
        warnings: why they are not alike.
        differences: of every figure that both have.
    """

    a: RunInfo
    b: RunInfo
    names: tuple[str, str]
    both: int
    only_a: int
    only_b: int
    warnings: tuple[str, ...]
    differences: tuple[Difference, ...]

    def table(self) -> Table:
        """A row for each figure."""
        return Table(
            ("figure", "a", "b", "b - a", "95 % interval", "frames", "verdict"),
            tuple(
                (
                    figure(d.name).title,
                    shown(d.name, d.a),
                    shown(d.name, d.b),
                    "-" if math.isnan(d.change.mean) else f"{d.change.mean:+.{figure(d.name).digits}f}",
                    interval(d.name, d.change),
                    str(d.change.images),
                    d.verdict,
                )
                for d in self.differences
            ),
        )

    def as_text(self) -> str:
        """For a terminal."""
        return "\n".join([*self._lines(), *(f"warning: {w}" for w in self.warnings), "", self.table().as_text()])

    def as_markdown(self) -> str:
        """For a page."""
        parts = ["# Comparison", "\n".join(f"- {markdown_text(line)}" for line in self._lines())]
        if self.warnings:
            warnings = "\n".join(f"- {markdown_text(warning)}" for warning in self.warnings)
            parts += ["## They are not alike", warnings]
        parts += ["## Paired differences", self.table().as_markdown()]
        parts += [
            "A difference is clear if 0 is outside the interval of b - a, which is drawn over frames or, where there "
            f"are several, scenes; of fewer than {FEWEST} nothing is clear."
        ]
        return "\n\n".join(parts) + "\n"

    def as_json(self) -> dict[str, Any]:
        """As JSON holds it; NaN becomes null."""
        value = {
            "schema_version": SCHEMA_VERSION,
            **{
                side: {"folder": name, "source": run.source, "model": _model(run), "settings": run.settings.sha256}
                for side, name, run in zip("ab", self.names, (self.a, self.b), strict=True)
            },
            "frames": {"both": self.both, "only_a": self.only_a, "only_b": self.only_b},
            "warnings": list(self.warnings),
            "differences": {
                d.name: {
                    "a": d.a,
                    "b": d.b,
                    "verdict": d.verdict,
                    **dataclasses.asdict(d.change),
                }
                for d in self.differences
            },
        }
        return without_nan(value)

    def _lines(self) -> list[str]:
        return [
            *(
                f"{side}: {_model(run)} on {run.kind} {run.source} ({name})"
                for side, name, run in zip("ab", self.names, (self.a, self.b), strict=True)
            ),
            f"{self.both} frames evaluated in both, {self.only_a} only in a, {self.only_b} only in b",
        ]


def compare(a: ResultsFolder, b: ResultsFolder) -> Comparison:
    """Compare the frames that both have, by their ids.

    Raises:
        InputError: a folder holds no evaluation.
    """
    run_a, run_b = a.run(), b.run()
    columns_a, columns_b = Columns.of(a.records()), Columns.of(b.records())
    place_a, place_b = _places(columns_a), _places(columns_b)
    both = [name for name in place_a if name in place_b]
    only_a = [name for name in place_a if name not in place_b]
    only_b = [name for name in place_b if name not in place_a]
    rows_a, rows_b = ([places[name] for name in both] for places in (place_a, place_b))
    scenes: Sequence[str] | None = [columns_a.scene[row] for row in rows_a]
    if len(set(scenes or ())) < 2:
        scenes = None
    names = ordered(columns_a.figures.keys() & columns_b.figures.keys(), run_a.settings.alignments)
    return Comparison(
        run_a,
        run_b,
        (str(a.path), str(b.path)),
        len(both),
        len(only_a),
        len(only_b),
        (*_settings(run_a, run_b), *_lists(only_a, only_b, columns_a, columns_b)),
        tuple(
            _difference(name, columns_a.figure(name)[rows_a], columns_b.figure(name)[rows_b], scenes)
            for name in (names if both else ())
        ),
    )


def _places(columns: Columns) -> dict[str, int]:
    """Where the evaluated frames are."""
    return {name: k for k, (name, skipped) in enumerate(zip(columns.id, columns.skipped, strict=True)) if not skipped}


def _difference(
    name: str, a: np.ndarray[Any, Any], b: np.ndarray[Any, Any], scenes: Sequence[str] | None
) -> Difference:
    known = ~np.isnan(a) & ~np.isnan(b)
    mean_a, mean_b = (float(x[known].mean()) if known.any() else math.nan for x in (a, b))
    return Difference(name, mean_a, mean_b, paired_difference(a.tolist(), b.tolist(), scenes))


def _settings(a: RunInfo, b: RunInfo) -> list[str]:
    """What is not alike in how the results were made."""
    warnings = []
    if a.source != b.source:
        warnings.append(f"the sources differ: {a.source} in a, {b.source} in b")
    if a.settings.sha256 != b.settings.sha256:
        for field in dataclasses.fields(a.settings):
            of_a, of_b = getattr(a.settings, field.name), getattr(b.settings, field.name)
            if of_a != of_b:
                warnings.append(f"{field.name} differs: {_words(of_a)} in a, {_words(of_b)} in b")
    return warnings


def _lists(only_a: list[str], only_b: list[str], a: Columns, b: Columns) -> list[str]:
    """Which frames only one has, and why the other has not."""
    warnings = []
    for here, there, only, columns in (("a", "b", only_a, b), ("b", "a", only_b, a)):
        if only:
            reasons = dict(zip(columns.id, columns.skipped, strict=True))
            named = [f"{name} ({reasons[name]})" if reasons.get(name) else name for name in only[:NAMED]]
            more = ", ..." if len(only) > NAMED else ""
            warnings.append(f"{len(only)} frames were evaluated in {here}, not in {there}: {', '.join(named)}{more}")
    return warnings


def _words(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {item}" for key, item in value.items()) or "nothing"
    return str(value) or "nothing"


def _model(run: RunInfo) -> str:
    return "recorded predictions" if run.model is None else run.model.name
