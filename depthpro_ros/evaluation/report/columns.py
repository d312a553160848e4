# SPDX-License-Identifier: Apache-2.0
"""Figures of all frames in memory: numbers only, so that 10,000 frames take a few megabytes."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.evaluation.results.record import FrameRecord


@dataclass
class Columns:
    """One number for each frame and figure.

    Attributes:
        index, id, scene, skipped: of each frame (see `FrameRecord`).
        stamp_ns: of each frame; None without.
        figures: by name; NaN where a frame has none. Read them with `figure`.
        focal_used, focal_estimated, focal_true: pixels; NaN where unknown.
    """

    index: list[int] = field(default_factory=list)
    id: list[str] = field(default_factory=list)
    scene: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    stamp_ns: list[int | None] = field(default_factory=list)
    figures: dict[str, array[float]] = field(default_factory=dict)
    focal_used: array[float] = field(default_factory=lambda: array("d"))
    focal_estimated: array[float] = field(default_factory=lambda: array("d"))
    focal_true: array[float] = field(default_factory=lambda: array("d"))

    @classmethod
    def of(cls, records: Iterable[FrameRecord]) -> Columns:
        """Read all records."""
        columns = cls()
        for _ in columns.watch(records):
            pass
        return columns

    def watch(self, records: Iterable[FrameRecord]) -> Iterator[FrameRecord]:
        """Hand records on, and keep their numbers: one reading serves two."""
        scenes: dict[str, str] = {}
        reasons: dict[str, str] = {}
        for record in records:
            for name, value in record.figures.items():
                column = self.figures.setdefault(name, array("d"))
                column.extend([math.nan] * (len(self.index) - len(column)))
                column.append(value)
            self.index.append(record.index)
            self.id.append(record.id)
            self.scene.append(scenes.setdefault(record.scene, record.scene))
            self.skipped.append(reasons.setdefault(record.skipped, record.skipped))
            self.stamp_ns.append(record.stamp_ns)
            self.focal_used.append(_number(record.focal.used))
            self.focal_estimated.append(_number(record.focal.estimated))
            self.focal_true.append(_number(record.focal.true))
            yield record

    def __len__(self) -> int:
        return len(self.index)

    def figure(self, name: str) -> NDArray[np.float64]:
        """One figure of all frames, float64 [N]; NaN where there is none."""
        column = self.figures.get(name, array("d"))
        values = np.full(len(self), math.nan)
        values[: len(column)] = column
        return values


def _number(value: float | None) -> float:
    return math.nan if value is None else value
