# SPDX-License-Identifier: Apache-2.0
"""Where errors are: by range, by image row, by distance from the middle, and ground truth against prediction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.evaluation.masks import BoolMap, FloatMap, usable, values_where

RANGE_EDGES_M = (0.0, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 20.0, 40.0, 80.0, np.inf)
ROWS = 16
RADII = 10
HISTOGRAM_EDGES_M: NDArray[np.float64] = np.geomspace(0.1, 100.0, 49)
SAMPLED = 2
"""Every second pixel of every second row is counted: enough for a plot, at a quarter of the time."""
RIGHT = 1.25
KINDS = 4
"""Of pixels: too far and wrong, too near and wrong, and both again for right ones."""

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

    @classmethod
    def of(cls, pixels: Sums, errors: Sums) -> Binned:
        """From the number of pixels and the sum of |p - d| / d of each kind, [N, KINDS]."""
        (too_far, too_near), (right_far, right_near) = errors[:, :2].T, errors[:, 2:].T
        far, near = too_far + right_far, too_near + right_near
        return cls(pixels.sum(axis=1), far + near, far - near, pixels[:, 2:].sum(axis=1))

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
        step = np.s_[::SAMPLED, ::SAMPLED]
        counted = mask[step] & usable(predicted_m[step])
        counted &= usable(truth_m[step])
        p, d, cell = values_where(counted, predicted_m[step], truth_m[step], _cells(*truth_m.shape))
        p, d = p.astype(np.float32, copy=False), d.astype(np.float32, copy=False)
        ratio = p / d
        right = ratio < RIGHT
        right &= d / p < RIGHT
        signed = np.subtract(ratio, 1, out=ratio)
        # one table of all bins, and of what is added up: each sum over some axes of it is one of the profiles
        kind = 2 * right.view(np.uint8) + (signed < 0)
        place = KINDS * (_range_bins(d) * (ROWS * RADII) + cell) + kind
        shape = len(RANGE_EDGES_M) - 1, ROWS, RADII, KINDS
        pixels, errors = (
            np.bincount(place, weights, math.prod(shape)).astype(np.float64).reshape(shape)
            for weights in (None, np.abs(signed))
        )
        by_range, by_row, by_radius = (
            Binned.of(pixels.sum(axes), errors.sum(axes)) for axes in ((1, 2), (0, 2), (0, 1))
        )
        return cls(by_range, by_row, by_radius, _histogram(p, d))

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
    row, column = _log_bins(d, bins), _log_bins(p, bins)
    return np.bincount(row * bins + column, minlength=bins * bins).reshape(bins, bins).astype(np.float64)


def _log_bins(values: NDArray[np.float32], bins: int) -> NDArray[np.intp]:
    first, last = np.log(HISTOGRAM_EDGES_M[[0, -1]]).tolist()
    place = np.log(values)
    place -= first
    place *= bins / (last - first)
    return np.clip(place, 0, bins - 1, out=place).astype(np.intp)


def _range_bins(d: NDArray[np.float32]) -> NDArray[np.intp]:
    """Which of the ranges each true depth is in."""
    # comparing all with each edge takes a fifth of the time of a binary search
    bins = np.zeros(len(d), np.uint8)
    for edge in RANGE_EDGES_M[1:-1]:
        bins += d >= edge
    return bins.astype(np.intp)


@lru_cache(maxsize=4)
def _cells(height: int, width: int) -> NDArray[np.intp]:
    """For each sampled pixel of an image, its row's bin times RADII plus its radius's; not to be written to."""
    v, u = np.arange(0, height, SAMPLED)[:, None], np.arange(0, width, SAMPLED)[None]
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    radius = np.hypot(u - centre_x, v - centre_y) / (math.hypot(centre_x, centre_y) or 1)
    return v * ROWS // height * RADII + np.minimum((radius * RADII).astype(np.intp), RADII - 1)


def row_centres() -> Sequence[float]:
    """Middle of each row bin, as a share of the height."""
    return [(k + 0.5) / ROWS for k in range(ROWS)]
