# SPDX-License-Identifier: Apache-2.0
"""Where errors are: by range, by image row, by distance from the middle, and ground truth against prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.evaluation.masks import BoolMap, FloatMap, usable

RANGE_EDGES_M = (0.0, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 20.0, 40.0, 80.0, np.inf)
ROWS = 16
RADII = 10
HISTOGRAM_EDGES_M: NDArray[np.float64] = np.geomspace(0.1, 100.0, 49)
SAMPLED = 2
"""Every second pixel of every second row is counted: enough for a plot, at a quarter of the time."""
RIGHT = 1.25

Sums = NDArray[np.float64]


@dataclass(frozen=True)
class Binned:
    """Errors of pixels in bins, as sums, so that frames can be added.

    Attributes:
        pixels: how many, [N].
        relative: sum of |p - d| / d, [N].
        signed: sum of (p - d) / d, [N].
        right: how many with max(p / d, d / p) < 1.25, [N].
    """

    pixels: Sums
    relative: Sums
    signed: Sums
    right: Sums

    @classmethod
    def empty(cls, bins: int) -> Binned:
        """No pixels yet."""
        return cls(*(np.zeros(bins) for _ in fields(cls)))

    def __add__(self, other: Binned) -> Binned:
        return Binned(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def abs_rel(self) -> Sums:
        """Mean of |p - d| / d in each bin; NaN of none."""
        return self._mean(self.relative)

    @property
    def bias(self) -> Sums:
        """Mean of (p - d) / d in each bin; NaN of none."""
        return self._mean(self.signed)

    @property
    def delta1(self) -> Sums:
        """Share of right pixels in each bin; NaN of none."""
        return self._mean(self.right)

    def _mean(self, total: Sums) -> Sums:
        with np.errstate(invalid="ignore", divide="ignore"):
            result: Sums = total / self.pixels
        return result


@dataclass(frozen=True)
class Profiles:
    """Errors of the pixels of one frame, or of several, without alignment.

    Attributes:
        by_range: by true depth, between `RANGE_EDGES_M`.
        by_row: by row, `ROWS` bins from the top.
        by_radius: by distance from the image's middle, `RADII` bins from 0 to the corner.
        histogram: pixels by true depth (first axis) and predicted depth, between `HISTOGRAM_EDGES_M`, [48, 48]; what
            lies beyond is in the outermost bins.
    """

    by_range: Binned
    by_row: Binned
    by_radius: Binned
    histogram: Sums

    @classmethod
    def empty(cls) -> Profiles:
        """No pixels yet."""
        bins = len(HISTOGRAM_EDGES_M) - 1
        return cls(
            Binned.empty(len(RANGE_EDGES_M) - 1), Binned.empty(ROWS), Binned.empty(RADII), np.zeros((bins, bins))
        )

    @classmethod
    def of(cls, predicted_m: FloatMap, truth_m: FloatMap, mask: BoolMap) -> Profiles:
        """Of one frame, from every second pixel of every second row.

        Args:
            predicted_m, truth_m: [H, W] metres.
            mask: bool [H, W], where the ground truth counts.
        """
        height, width = truth_m.shape
        step = np.s_[::SAMPLED, ::SAMPLED]
        p, d = predicted_m[step], truth_m[step]
        counted = mask[step] & usable(p)
        v, u = np.nonzero(counted)
        p, d = p[v, u].astype(np.float32), d[v, u].astype(np.float32)
        signed = p / d - 1
        relative = np.abs(signed)
        right = np.maximum(p / d, d / p) < RIGHT

        def binned(bins: NDArray[np.integer], count: int) -> Binned:
            return Binned(
                np.bincount(bins, minlength=count).astype(np.float64),
                *(np.bincount(bins, values, count).astype(np.float64) for values in (relative, signed, right)),
            )

        x, y = SAMPLED * u - (width - 1) / 2, SAMPLED * v - (height - 1) / 2
        radius = np.sqrt(x * x + y * y) / np.hypot((width - 1) / 2, (height - 1) / 2 or 1)
        return cls(
            binned(np.searchsorted(RANGE_EDGES_M, d, "right") - 1, len(RANGE_EDGES_M) - 1),
            binned(SAMPLED * v * ROWS // height, ROWS),
            binned(np.minimum((radius * RADII).astype(np.intp), RADII - 1), RADII),
            _histogram(p, d),
        )

    def __add__(self, other: Profiles) -> Profiles:
        return Profiles(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it; the histogram as pairs of cell and count."""
        cells = np.flatnonzero(self.histogram)
        counts = self.histogram.ravel()[cells]
        parts = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "histogram"}
        return {
            **{name: {f.name: getattr(part, f.name).tolist() for f in fields(part)} for name, part in parts.items()},
            "histogram": np.stack([cells, counts], axis=1).astype(np.int64).ravel().tolist(),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Profiles:
        """The reverse."""
        by_range, by_row, by_radius = (
            Binned(**{name: np.asarray(sums) for name, sums in value[key].items()})
            for key in ("by_range", "by_row", "by_radius")
        )
        histogram = cls.empty().histogram
        pairs = np.asarray(value["histogram"], np.int64).reshape(-1, 2)
        histogram.ravel()[pairs[:, 0]] = pairs[:, 1]
        return cls(by_range, by_row, by_radius, histogram)


def _histogram(p: NDArray[np.float32], d: NDArray[np.float32]) -> Sums:
    bins = len(HISTOGRAM_EDGES_M) - 1
    first, last = np.log(HISTOGRAM_EDGES_M[[0, -1]])
    row, column = (np.clip((np.log(x) - first) * (bins / (last - first)), 0, bins - 1).astype(np.intp) for x in (d, p))
    return np.bincount(row * bins + column, minlength=bins * bins).reshape(bins, bins).astype(np.float64)


def row_centres() -> Sequence[float]:
    """Middle of each row bin, as a share of the height."""
    return [(k + 0.5) / ROWS for k in range(ROWS)]
