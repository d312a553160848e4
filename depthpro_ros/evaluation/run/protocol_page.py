# SPDX-License-Identifier: Apache-2.0
"""A published table with one's own rows: on a terminal, as table.md and as table.json."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from depthpro_ros.evaluation.protocol import MetricName, Protocol
from depthpro_ros.evaluation.protocol_table import DIGITS, protocol_rows, protocol_table
from depthpro_ros.evaluation.report import Criterion, CriterionResult
from depthpro_ros.evaluation.report.table import Table, markdown_text
from depthpro_ros.evaluation.results.run_info import ModelInfo
from depthpro_ros.evaluation.results.summary import without_nan
from depthpro_ros.evaluation.run.protocol_results import PLANE_METRICS, MetricValue, SetResult
from depthpro_ros.evaluation.run.protocol_sets import MissingSet

SCHEMA_VERSION = 1
FILES = ("table.md", "table.json")


@dataclass(frozen=True)
class ProtocolPage:
    """Everything about a run of a protocol.

    Attributes:
        name: of the protocol.
        model, command: what was evaluated, and how to do it again.
        results: so far, in the order of evaluation.
        missing: sets whose data is not there.
        ahead: titles of sets that are there and have not been evaluated.
        criteria: what was asked of every set.
        interrupted: the user ended it; the last result is of what was done.
    """

    name: str
    protocol: Protocol
    model: ModelInfo
    command: str
    results: tuple[SetResult, ...]
    missing: tuple[MissingSet, ...] = ()
    ahead: tuple[str, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    interrupted: bool = False

    @property
    def evaluated(self) -> int:
        """How many images were evaluated, of all sets."""
        return sum(each.summary.evaluated for each in self.results)

    @property
    def unanswered(self) -> tuple[CriterionResult, ...]:
        """Criteria that no set has the figure for; they fail."""
        answered = {result.criterion for each in self.results for result in each.criteria}
        return tuple(
            CriterionResult(criterion, math.nan, True, f"no set has {criterion.name}")
            for criterion in self.criteria
            if criterion not in answered
        )

    @property
    def criteria_lines(self) -> tuple[str, ...]:
        """What became of the criteria."""
        lines = [f"{each.column.title}, {each.row}: {r.text}" for each in self.results for r in each.criteria]
        return (*lines, *(result.text for result in self.unanswered))

    @property
    def failed(self) -> bool:
        """Whether a criterion failed."""
        return bool(self.unanswered) or any(result.failed for each in self.results for result in each.criteria)

    def as_text(self) -> str:
        """For a terminal."""
        parts = [f"{self.protocol.title} ({self.protocol.source}); alignment {self.protocol.alignment}"]
        for metric in self.protocol.metrics:
            head, rows = protocol_rows(self.protocol, metric, self._own(metric))
            parts.append(Table(tuple(head), tuple(tuple(row) for row in rows)).as_text())
        values = self._values()
        if values is not None:
            parts.append(values.as_text())
        lines = [*self._notes(), *self._skipped()]
        return "\n\n".join([*parts, "\n".join(lines)] if lines else parts)

    def as_markdown(self) -> str:
        """The page table.md."""
        protocol = self.protocol
        parts = [f"# {markdown_text(protocol.title)}", f"Published values: {markdown_text(protocol.source)}."]
        parts += [
            f"## {metric}\n\n{protocol_table(protocol, metric, self._own(metric))}" for metric in protocol.metrics
        ]
        values = self._values()
        if values is not None:
            of = f"Published and expected values are of {protocol.headline_system}. {protocol.band_reason}"
            parts += ["## Own values", values.as_markdown(), markdown_text(of.strip())]
        if self.criteria_lines:
            parts += ["## Criteria", _list(self.criteria_lines)]
        if self._notes():
            parts += ["## Read with this", _list(self._notes())]
        if self._skipped():
            parts += ["## Not evaluated", _list(self._skipped())]
            parts += [f"{markdown_text(each.column.title)}:\n\n```text\n{each.reason}\n```" for each in self.missing]
        notes = [*protocol.notes, *(f"{each.title}: {each.note}" for each in protocol.sets if each.note)]
        if notes:
            parts += ["## The protocol", _list(notes)]
        model = self.model
        made = [
            f"model: {model.name}, weights SHA-256 {model.weights_sha256 or 'unknown'}, {model.device}, "
            f"{model.precision}",
            *(
                []
                if model.metric
                else ["depth up to scale: aligned to the ground truth of each image, never in metres"]
            ),
            *([f"decoding: {model.decoding}"] if model.decoding else []),
            f"alignment: {protocol.alignment}; focal length in the source: {protocol.focal}",
            *(f"{each.column.title}, {each.row}: {each.folder.name}/report.html" for each in self.results),
            f"command: {self.command}",
        ]
        return "\n\n".join([*parts, "## How it was made", _list(made)]) + "\n"

    def to_json(self) -> dict[str, Any]:
        """As table.json holds it; NaN becomes null."""
        return {
            "schema_version": SCHEMA_VERSION,
            "protocol": {
                "name": self.name,
                "title": self.protocol.title,
                "source": self.protocol.source,
                "alignment": self.protocol.alignment,
                "focal": self.protocol.focal,
                "metrics": dict(self.protocol.metrics),
            },
            "model": {
                "name": self.model.name,
                "weights_sha256": self.model.weights_sha256,
                "metric": self.model.metric,
                "decoding": self.model.decoding,
            },
            "command": self.command,
            "results": [_result_json(each) for each in self.results],
            "missing": [{"set": each.column.title, "reason": each.reason} for each in self.missing],
            "not_evaluated": list(self.ahead),
            "interrupted": self.interrupted,
            "unanswered_criteria": [result.to_json() for result in self.unanswered],
        }

    def write(self, folder: Path) -> None:
        """Write table.md and table.json, each whole or not at all."""
        contents = self.as_markdown(), json.dumps(self.to_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        for name, content in zip(FILES, contents, strict=True):
            part = folder / f"{name}.part"
            part.write_text(content, encoding="utf-8")
            os.replace(part, folder / name)

    def _own(self, metric: MetricName) -> dict[str, dict[str, float]]:
        own: dict[str, dict[str, float]] = {}
        for each in self.results:
            row = own.setdefault(each.row, {})
            if metric in each.values and not math.isnan(each.values[metric].value):
                row[each.column.title] = each.values[metric].value
        return {name: row for name, row in own.items() if row}

    def _values(self) -> Table | None:
        """Own values with their intervals, and whether they are what was expected; None without any."""
        head = "set", "row", "metric", "value", "95 % interval", "mean of", "published", "expected", "is"
        rows = tuple(
            (each.column.title, each.row, metric, *self._cells(metric, value))
            for each in self.results
            for metric, value in each.values.items()
        )
        return Table(head, rows, words=3) if rows else None

    def _cells(self, metric: MetricName, value: MetricValue) -> tuple[str, ...]:
        digits = DIGITS[self.protocol.metrics[metric]]
        published = "" if value.published is None else f"{value.published:.{digits}f}"
        expected = "" if value.band is None else _range(*value.band, digits)
        verdict = "" if value.inside is None else "inside" if value.inside else "outside"
        return (
            "-" if math.isnan(value.value) else f"{value.value:.{digits}f}",
            "-" if math.isnan(value.low) else _range(value.low, value.high, digits),
            f"{value.scored} {'planes' if metric in PLANE_METRICS else 'images'}",
            published,
            expected,
            verdict,
        )

    def _notes(self) -> list[str]:
        # rows that differ in the focal length share most of them
        return list(dict.fromkeys(note for each in self.results for note in each.notes))

    def _skipped(self) -> list[str]:
        lines = [f"{each.column.title}: {each.reason.partition('; expected in')[0]}" for each in self.missing]
        return [*lines, *(f"{title}: not reached" for title in self.ahead)]


def _result_json(result: SetResult) -> dict[str, Any]:
    summary = result.summary
    return {
        "set": result.column.title,
        "dataset": result.column.dataset,
        "root": str(result.root),
        "row": result.row,
        "folder": result.folder.name,
        "focal": summary.run.settings.focal,
        "mask": summary.run.settings.mask,
        "images": {
            "published": result.column.images,
            "total": summary.frames,
            "evaluated": summary.evaluated,
            "skipped": summary.skipped,
        },
        "values": {metric: _value_json(value) for metric, value in result.values.items()},
        "notes": list(result.notes),
        "criteria": [criterion.to_json() for criterion in result.criteria],
        "settings_sha256": summary.run.settings.sha256,
    }


def _value_json(value: MetricValue) -> dict[str, Any]:
    return without_nan(
        {
            "value": value.value,
            "low": value.low,
            "high": value.high,
            "scored": value.scored,
            "unscored": value.unscored,
            "published": value.published,
            "band": value.band,
            "inside": value.inside,
        }
    )


def _range(low: float, high: float, digits: int) -> str:
    return f"{low:.{digits}f} to {high:.{digits}f}"


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {markdown_text(line)}" for line in lines)
