# SPDX-License-Identifier: Apache-2.0
"""What a benchmark measures, as every part returns it, and its JSON form.

A part is a module of this package with `def run(context: RunContext) -> PartResult`, and one line in
`depthpro_ros.bench.parts.PARTS`. Its figures come from one run: things that are compared take turns, A B A B, and a
ratio is made from neighbours (`Figure.ratio`). A part that cannot run here returns `PartResult.skip(name, reason)`; it
never raises for that. Whatever takes long says so with `context.say`.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from depthpro_ros.errors import DataError

LONG_S = 10.0
"""Durations from here on are told in seconds, shorter ones in milliseconds."""


@dataclass(frozen=True)
class Figure:
    """One quantity that was measured `runs` times in one run of the benchmark.

    Attributes:
        value: the statistic, usually the median.
        low, high: the smallest and the largest measurement.
        runs: how many measurements.
        unit: such as "ms", "GB/s", "TFLOP/s", "MB", "%", "fps", or "x" for a ratio.
        statistic: "median", "p95", "total", ...
    """

    value: float
    low: float
    high: float
    runs: int
    unit: str
    statistic: str = "median"

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.value, self.low, self.high))) or self.runs < 1:
            raise ValueError(f"a figure needs finite measurements, at least one: {self}")

    @classmethod
    def median(cls, samples: Sequence[float], unit: str) -> Figure:
        """The median of measurements, with their range."""
        return cls(statistics.median(samples), min(samples), max(samples), len(samples), unit)

    @classmethod
    def duration(cls, seconds: Sequence[float]) -> Figure:
        """The median of durations, in milliseconds, or in seconds where it is at least `LONG_S`."""
        if statistics.median(seconds) >= LONG_S:
            return cls.median(seconds, "s")
        return cls.median([1e3 * second for second in seconds], "ms")

    @classmethod
    def percentile(cls, samples: Sequence[float], percent: float, unit: str) -> Figure:
        """The nearest-rank percentile of measurements, with their range."""
        ordered = sorted(samples)
        value = ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
        return cls(value, ordered[0], ordered[-1], len(ordered), unit, f"p{percent:g}")

    @classmethod
    def ratio(cls, above: Sequence[float], below: Sequence[float]) -> Figure:
        """How many times as large `above` is as `below`: the median over neighbouring pairs of one run.

        Raises:
            ValueError: not as many of one as of the other.
        """
        return cls.median([a / b for a, b in zip(above, below, strict=True)], "x")

    @classmethod
    def once(cls, value: float, unit: str, statistic: str = "total") -> Figure:
        """Something that was measured or counted once."""
        return cls(value, value, value, 1, unit, statistic)


Cell = Figure | str


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        label: what was measured; it stands in the first column.
        cells: one for each of the table's columns: a figure, or words where there is none ("" for nothing).
    """

    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """Figures that were measured together.

    Attributes:
        title: what they are, in a few words.
        label: heading of the first column.
        columns: headings of the others.
        rows: every row has as many cells as there are columns.
        notes: sentences that a reader needs beside it: conditions, what was left out and why.
    """

    title: str
    label: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row.cells) != len(self.columns):
                raise ValueError(f"row {row.label!r} of {self.title!r} needs a cell for each of {self.columns}")


@dataclass(frozen=True)
class Provenance:
    """Where figures come from.

    Attributes:
        date: UTC, ISO 8601 to the second.
        command: that measured them.
        python, torch, transformers, package: versions; transformers is empty where it is missing.
        commit: of the checkout, with "+" where files were changed; empty outside a checkout.
        threads: that torch uses on the CPU.
        load_before: how many processes wanted a core before the part began (1-minute average).
    """

    date: str
    command: str
    python: str
    torch: str
    transformers: str
    package: str
    commit: str
    threads: int
    load_before: float


@dataclass(frozen=True)
class PartResult:
    """What one part measured.

    Attributes:
        part: its name.
        tables: the figures.
        skipped: why the part could not run here; empty if it did.
        provenance: filled in by whoever ran the part.
    """

    part: str
    tables: tuple[Table, ...] = ()
    skipped: str = ""
    provenance: Provenance | None = None

    @classmethod
    def skip(cls, part: str, reason: str) -> PartResult:
        """A part that cannot run on this machine."""
        return cls(part, skipped=reason)


@dataclass(frozen=True)
class DeviceResults:
    """All parts that were measured on one kind of machine: one file of benchmarks/results.

    Attributes:
        device: the machine in words.
        parts: in any order, each at most once.
    """

    device: str
    parts: tuple[PartResult, ...] = ()

    def with_part(self, result: PartResult) -> DeviceResults:
        """These results with one part added or measured again."""
        return replace(self, parts=(*(p for p in self.parts if p.part != result.part), result))

    def to_json(self) -> str:
        """As text for a file."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> DeviceResults:
        """Read what `to_json` wrote.

        Raises:
            DataError: it is something else.
        """
        try:
            raw = json.loads(text)
            return cls(raw["device"], tuple(map(_part, raw["parts"])))
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"not a file that depthpro bench wrote ({type(error).__name__}: {error}): delete it, and measure again"
            ) from error


@dataclass(frozen=True)
class RunContext:
    """What a part needs to know.

    Attributes:
        device: "cpu", or "cuda:0" (or another number), already resolved.
        seconds: about how long the part may measure. One measurement of each thing is made even if it takes longer.
        folder: for files of this run; it is deleted afterwards.
        weights: Apple's weights, where the user gave them.
        say: prints a line about what is going on.
    """

    device: str
    seconds: float
    folder: Path
    weights: Path | None = None
    say: Callable[[str], None] = field(default=print)

    @property
    def on_cuda(self) -> bool:
        """The device is a CUDA GPU."""
        return self.device.startswith("cuda")


def _part(raw: dict[str, Any]) -> PartResult:
    provenance = raw["provenance"]
    return PartResult(
        raw["part"],
        tuple(map(_table, raw["tables"])),
        raw["skipped"],
        None if provenance is None else Provenance(**provenance),
    )


def _table(raw: dict[str, Any]) -> Table:
    rows = tuple(Row(row["label"], tuple(map(_cell, row["cells"]))) for row in raw["rows"])
    return Table(raw["title"], raw["label"], tuple(raw["columns"]), rows, tuple(raw["notes"]))


def _cell(raw: str | dict[str, Any]) -> Cell:
    return raw if isinstance(raw, str) else Figure(**raw)
