# SPDX-License-Identifier: Apache-2.0
"""From the frames' records to the figures of the whole."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from depthpro_ros.evaluation.aggregate import Aggregate, aggregate
from depthpro_ros.evaluation.metrics import DepthScores, InvalidPolicy
from depthpro_ros.evaluation.results.live import LiveSummary, Percentiles
from depthpro_ros.evaluation.results.profiles import Profiles
from depthpro_ros.evaluation.results.record import FrameRecord
from depthpro_ros.evaluation.results.run_info import RunInfo
from depthpro_ros.evaluation.sums import ErrorSums
from depthpro_ros.evaluation.temporal import Steadiness

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class FocalSummary:
    """Estimated focal lengths against true ones.

    Attributes:
        within_25, within_50: share of frames with an error below 25 and 50 %.
        ratio: percentiles of estimated / true.
        steadiness: of the estimate over the frames.
    """

    within_25: float
    within_50: float
    ratio_p5: float
    ratio_p50: float
    ratio_p95: float
    steadiness: Steadiness


@dataclass(frozen=True)
class Summary:
    """Figures of a whole evaluation.

    Attributes:
        run: how they were made.
        frames, evaluated: how many there were, and how many were evaluated.
        skipped: how many were not, by reason.
        figures: over the evaluated frames, by name (see `figures`).
        pooled: scores over the pixels of all frames as if they were one, by alignment.
        scenes: mean of the headline figures in each scene, by scene and name.
        scale: how steady the scale is that frames lack; None without ground truth.
        focal: None where no focal length was estimated, or none is known.
        profiles: where errors are; None without ground truth.
        times: of `model_ms`, `frame_ms` and `latency_ms`, where they are known.
        live: None unless a node ran.
    """

    run: RunInfo
    frames: int
    evaluated: int
    skipped: dict[str, int]
    figures: dict[str, Aggregate]
    pooled: dict[str, DepthScores]
    scenes: dict[str, dict[str, float]]
    scale: Steadiness | None = None
    focal: FocalSummary | None = None
    profiles: Profiles | None = None
    times: dict[str, Percentiles] = field(default_factory=dict)
    live: LiveSummary | None = None

    @property
    def metric(self) -> bool:
        """Whether the depth was in metres; else up to scale, and every figure is after an alignment."""
        return self.run.model is None or self.run.model.metric

    def to_json(self) -> dict[str, Any]:
        """As summary.json holds it: NaN and infinite become null."""
        value = {
            "schema_version": SCHEMA_VERSION,
            "run": self.run.to_json(),
            "frames": {"total": self.frames, "evaluated": self.evaluated, "skipped": self.skipped},
            "figures": {name: dataclasses.asdict(figure) for name, figure in self.figures.items()},
            "pooled": {name: dataclasses.asdict(scores) for name, scores in self.pooled.items()},
            "scenes": self.scenes,
            "scale": None if self.scale is None else dataclasses.asdict(self.scale),
            "focal": None if self.focal is None else dataclasses.asdict(self.focal),
            "times": {name: dataclasses.asdict(times) for name, times in self.times.items()},
            "profiles": None if self.profiles is None else self.profiles.to_json(),
            "live": None if self.live is None else self.live.to_json(),
        }
        return without_nan(value)


@dataclass
class _Series:
    """What is kept of each frame in memory: numbers only."""

    figures: dict[str, list[float]] = field(default_factory=dict)
    scenes: list[int] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)

    def add(self, record: FrameRecord) -> None:
        for name, value in record.figures.items():
            column = self.figures.setdefault(name, [])
            column.extend([math.nan] * (len(self.scenes) - len(column)))
            column.append(value)
        self.scenes.append(self.names.setdefault(record.scene, len(self.names)))

    def column(self, name: str) -> list[float]:
        values = self.figures.get(name, [])
        return values + [math.nan] * (len(self.scenes) - len(values))


def summarise(run: RunInfo, records: Iterable[FrameRecord], live: LiveSummary | None = None) -> Summary:
    """Read the records once; only numbers are kept of each."""
    series, skipped = _Series(), Counter[str]()
    frames, sums, profiles = 0, dict[str, ErrorSums](), None
    focal_estimated: list[float] = []
    focal_true: list[float] = []
    for record in records:
        frames += 1
        if record.skipped:
            skipped[record.skipped] += 1
            continue
        series.add(record)
        for name, part in record.sums.items():
            sums[name] = sums.get(name, ErrorSums()) + part
        if record.profiles is not None:
            profiles = record.profiles if profiles is None else profiles + record.profiles
        focal_estimated.append(record.focal.estimated or math.nan)
        focal_true.append(record.focal.true or math.nan)
    scenes = series.scenes if len(series.names) > 1 else None
    invalid: InvalidPolicy = run.settings.invalid  # type: ignore[assignment]
    return Summary(
        run=run,
        frames=frames,
        evaluated=len(series.scenes),
        skipped=dict(skipped),
        figures={name: aggregate(series.column(name), scenes) for name in series.figures},
        pooled={
            name: dataclasses.replace(DepthScores.of_sums(total, invalid), scale=math.nan, alignment=name)
            for name, total in sums.items()
        },
        scenes=_scene_means(series),
        scale=Steadiness.of(series.column("frame_scale")) if "frame_scale" in series.figures else None,
        focal=_focal(np.array(focal_estimated), np.array(focal_true)),
        profiles=profiles,
        times={
            name: Percentiles.of([value for value in series.column(name) if not math.isnan(value)])
            for name in ("model_ms", "frame_ms", "latency_ms")
            if name in series.figures
        },
        live=live,
    )


def _scene_means(series: _Series) -> dict[str, dict[str, float]]:
    """Mean of every figure over the frames of each scene."""
    place = np.array(series.scenes)
    means: dict[str, dict[str, float]] = {scene: {} for scene in series.names}
    for name in series.figures:
        column = np.array(series.column(name))
        for scene, number in series.names.items():
            values = column[place == number]
            values = values[~np.isnan(values)]
            means[scene][name] = float(values.mean()) if len(values) else math.nan
    return means


def _focal(estimated: np.ndarray[Any, Any], true: np.ndarray[Any, Any]) -> FocalSummary | None:
    ratio = estimated / true
    known = ratio[~np.isnan(ratio)]
    if not len(known):
        return None
    error = np.abs(known - 1)
    p5, p50, p95 = np.percentile(known, [5, 50, 95]).tolist()
    return FocalSummary(
        float((error < 0.25).mean()), float((error < 0.5).mean()), p5, p50, p95, Steadiness.of(estimated.tolist())
    )


def without_nan(value: Any) -> Any:
    """A value for JSON, in which NaN and infinite become None; tuples become lists."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
