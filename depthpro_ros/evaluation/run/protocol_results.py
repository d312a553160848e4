# SPDX-License-Identifier: Apache-2.0
"""What one's own run says of a protocol's metrics, in the units of the published table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from depthpro_ros.evaluation.aggregate import Aggregate, aggregate
from depthpro_ros.evaluation.protocol import MetricName, Protocol, ProtocolSet
from depthpro_ros.evaluation.report import CriterionResult
from depthpro_ros.evaluation.results.figures import aligned
from depthpro_ros.evaluation.results.folder import ResultsFolder
from depthpro_ros.evaluation.results.record import FrameRecord
from depthpro_ros.evaluation.results.summary import Summary

FOCAL_LIMITS: dict[MetricName, float] = {"focal_within_25": 0.25, "focal_within_50": 0.5}
PLANE_METRICS: tuple[MetricName, ...] = ("pe_fla", "pe_ori")
BOUNDARY_METRICS: tuple[MetricName, ...] = ("boundary_f1", "boundary_recall")


@dataclass(frozen=True)
class MetricValue:
    """One's own value of a metric on one set, in the protocol's unit.

    Attributes:
        value: NaN where no image has a score.
        low, high: 95 % interval of it.
        scored: how many images (planes, for the plane metrics) it is the mean of.
        unscored: how many images were evaluated but have no score.
        published: the headline system's; None where the source has none.
        band: what may be expected of the headline system; None where nothing is known.
    """

    value: float
    low: float
    high: float
    scored: int
    unscored: int
    published: float | None
    band: tuple[float, float] | None

    @property
    def inside(self) -> bool | None:
        """Whether it is in the band; None without a value or a band."""
        if self.band is None or math.isnan(self.value):
            return None
        return self.band[0] <= self.value <= self.band[1]


@dataclass(frozen=True)
class SetResult:
    """One set, evaluated with one choice of the focal length.

    Attributes:
        column: what the protocol says of it.
        row: name of one's own row in the table.
        folder: with the report.
        root: of the data set.
        summary: everything.
        values: by metric, of those that any image has.
        criteria: what became of those that this set can answer.
        estimated: how many images' depth was made with an estimated focal length although it was to be the camera's.
    """

    column: ProtocolSet
    row: str
    folder: Path
    root: Path
    summary: Summary
    values: dict[MetricName, MetricValue]
    criteria: tuple[CriterionResult, ...] = ()
    estimated: int = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know beside the values."""
        title, summary = self.column.title, self.summary
        warning = self.column.count_warning(summary.evaluated)
        lines = [] if warning is None else [warning]
        lines += [f"{title}: {count} skipped: {reason}" for reason, count in summary.skipped.items()]
        for metric, value in self.values.items():
            if value.unscored:
                total = summary.evaluated
                lines.append(f"{title}: {value.unscored} of {total} images have no {metric}{_why(metric)}")
        lines += [f"{title}: no image has {metric}" for metric in self.absent]
        invalid = summary.figures.get("invalid_share")
        if invalid is not None and invalid.mean > 0:
            lines.append(f"{title}: {invalid.mean:.2%} of the pixels with ground truth have no prediction")
        if self.estimated:
            total = summary.evaluated
            lines.append(f"{title}: the focal length of {self.estimated} of {total} images is unknown and estimated")
        return tuple(lines)

    @property
    def absent(self) -> tuple[MetricName, ...]:
        """Metrics that the protocol has of this set and no image has."""
        known = (*self.column.published.values(), *(each.values for each in self.column.measured))
        return tuple(dict.fromkeys(metric for values in known for metric in values if metric not in self.values))


def measure(
    protocol: Protocol, column: ProtocolSet, folder: ResultsFolder, summary: Summary
) -> dict[MetricName, MetricValue]:
    """The protocol's metrics from an evaluation: means over images, but over planes for the plane metrics."""
    values: dict[MetricName, MetricValue] = {}
    for metric, unit in protocol.metrics.items():
        over = _over_images(metric, protocol, folder, summary)
        if over is None:
            continue
        found, unscored = over
        factor = 100.0 if unit == "percent" else 1.0
        values[metric] = MetricValue(
            found.mean * factor,
            found.low * factor,
            found.high * factor,
            found.images,
            unscored,
            column.value(protocol.headline_system, metric),
            protocol.band(column.title, metric),
        )
    return values


def unknown_focals(records: Iterable[FrameRecord]) -> int:
    """How many images were evaluated whose focal length is not known."""
    return sum(not record.skipped and record.focal.true is None for record in records)


def _over_images(
    metric: MetricName, protocol: Protocol, folder: ResultsFolder, summary: Summary
) -> tuple[Aggregate, int] | None:
    """Mean and interval, and how many images have no score; None where none has the figure."""
    if metric in FOCAL_LIMITS:
        errors = list(_figure("focal_error", folder.records()))
        if all(math.isnan(error) for error in errors):
            return None
        within = [math.nan if math.isnan(error) else float(error < FOCAL_LIMITS[metric]) for error in errors]
        shares = aggregate(within)
        return shares, shares.missing
    if metric in PLANE_METRICS:
        if metric not in summary.figures:
            return None
        counts = list(_figure("pe_planes", folder.records()))
        means = list(_figure(metric, folder.records()))
        # an image's mean once for each of its planes; planes of one image resemble each other
        planes = [(mean, image) for image, mean in enumerate(means) for _ in range(_whole(counts[image]))]
        over = aggregate([mean for mean, _ in planes], [image for _, image in planes])
        return over, sum(_whole(count) == 0 for count in counts)
    if metric == "delta1_complement":
        found = summary.figures.get(aligned("delta1", protocol.alignment))
        return None if found is None else (_complement(found), found.missing)
    figure = summary.figures.get(metric if metric in BOUNDARY_METRICS else aligned(metric, protocol.alignment))
    return None if figure is None else (figure, figure.missing)


def _complement(share: Aggregate) -> Aggregate:
    """Of 1 minus the figure."""
    return replace(
        share,
        mean=1 - share.mean,
        median=1 - share.median,
        low=1 - share.high,
        high=1 - share.low,
        per_scene=1 - share.per_scene,
    )


def _figure(name: str, records: Iterable[FrameRecord]) -> Iterator[float]:
    for record in records:
        if not record.skipped:
            yield record.figures.get(name, math.nan)


def _whole(count: float) -> int:
    return 0 if math.isnan(count) else round(count)


def _why(metric: MetricName) -> str:
    if metric in FOCAL_LIMITS:
        return ": their focal length is unknown"
    if metric in PLANE_METRICS:
        return ": no plane is large enough"
    if metric in BOUNDARY_METRICS:
        return ": nothing in them is an edge"
    return ": no ground truth in range"
