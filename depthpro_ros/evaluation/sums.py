# SPDX-License-Identifier: Apache-2.0
"""Errors of pixels, summed so that images can be added up: every mean metric of any set of pixels follows from them."""

from __future__ import annotations

import math
from dataclasses import dataclass

DELTAS = (1.02, 1.03, 1.05, 1.1, 1.25, 1.25**2, 1.25**3)
"""Limits of max(p / d, d / p), below which a pixel is right."""


@dataclass(frozen=True)
class ErrorSums:
    """Sums over pixels, of prediction p and ground truth d; e = ln p - ln d.

    Attributes:
        pixels: with a ground truth.
        invalid: those of them without a prediction, which are in none of the sums.
        absolute, squared: |p - d| and (p - d)^2.
        relative, signed: |p - d| / d and (p - d) / d.
        squared_by_truth, squared_by_truth2: (p - d)^2 / d and / d^2.
        log_absolute: |e|.
        log_mean, log_m2: mean of e, and the sum of (e - mean)^2, which keeps its digits where a sum of e^2 does not.
        right: how many pixels are below each of `DELTAS`.
    """

    pixels: int = 0
    invalid: int = 0
    absolute: float = 0.0
    squared: float = 0.0
    relative: float = 0.0
    signed: float = 0.0
    squared_by_truth: float = 0.0
    squared_by_truth2: float = 0.0
    log_absolute: float = 0.0
    log_mean: float = 0.0
    log_m2: float = 0.0
    right: tuple[int, ...] = (0,) * len(DELTAS)

    @property
    def usable(self) -> int:
        """Pixels with ground truth and prediction."""
        return self.pixels - self.invalid

    def __add__(self, other: ErrorSums) -> ErrorSums:
        """The sums over both sets of pixels; variances by Chan, Golub and LeVeque 1979."""
        n, m = self.usable, other.usable
        apart = other.log_mean - self.log_mean
        share = m / (n + m) if n + m else 0.0
        return ErrorSums(
            self.pixels + other.pixels,
            self.invalid + other.invalid,
            self.absolute + other.absolute,
            self.squared + other.squared,
            self.relative + other.relative,
            self.signed + other.signed,
            self.squared_by_truth + other.squared_by_truth,
            self.squared_by_truth2 + other.squared_by_truth2,
            self.log_absolute + other.log_absolute,
            self.log_mean + share * apart,
            self.log_m2 + other.log_m2 + n * share * apart**2,
            tuple(a + b for a, b in zip(self.right, other.right, strict=True)),
        )

    def mean(self, total: float) -> float:
        """A sum over pixels as mean over those with a prediction; NaN of none."""
        return total / self.usable if self.usable else math.nan
