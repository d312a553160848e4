# SPDX-License-Identifier: Apache-2.0
"""How steady depth is over time: drift of scale and focal length, and flicker."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.alignment import MIN_PIXELS
from depthpro_ros.evaluation.masks import BoolMap, FloatMap, check_maps, median, middle, usable, values_where


@dataclass(frozen=True)
class Steadiness:
    """A positive value over a sequence, as shares: 0 is perfectly steady.

    Attributes:
        mean: of the value itself.
        spread: standard deviation / mean.
        peak_to_peak: (greatest - least) / mean.
        jitter: mean of |ln of the value - ln of the one before|; slow drift hardly shows in it.
        frames: how many have a value.
        missing: how many have none; they are left out, and no jitter is taken across them.
    """

    mean: float
    spread: float
    peak_to_peak: float
    jitter: float
    frames: int
    missing: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Steadiness:
        """From each frame's scale (`frame_scale`) or estimated focal length; NaN, infinite or <= 0 is missing."""
        series = np.asarray(values, np.float64)
        known = usable(series)
        there = series[known]
        if not len(there):
            return cls(math.nan, math.nan, math.nan, math.nan, 0, len(series))
        steps = np.abs(np.diff(np.log(np.where(known, series, np.nan))))
        steps = steps[np.isfinite(steps)]
        mean = float(there.mean())
        return cls(
            mean,
            float(there.std()) / mean,
            float(np.ptp(there)) / mean,
            float(steps.mean()) if len(steps) else math.nan,
            len(there),
            len(series) - len(there),
        )


def frame_scale(predicted_m: FloatMap, truth_m: FloatMap, mask: BoolMap | None = None) -> float:
    """The factor that a frame lacks, median(d / p), as alignment `median_ratio` fits; NaN of less than 10 pixels.

    Raises:
        InputError: the shapes differ.
    """
    check_maps(predicted_m, truth_m, mask)
    counts = usable(predicted_m) & usable(truth_m)
    if mask is not None:
        counts &= mask
    p, d = values_where(counts, predicted_m, truth_m)
    return median(np.divide(d, p, dtype=np.float64), overwrite=True) if len(p) >= MIN_PIXELS else math.nan


def flicker(before_m: FloatMap, after_m: FloatMap, static: BoolMap | None = None) -> float:
    """How much depth changes where nothing does: median of |ln p_t - ln p_(t-1)|; NaN if no pixel has both.

    Args:
        before_m, after_m: [H, W] predictions of consecutive frames.
        static: bool [H, W], what stands still (see `static_pixels`); None is all, for a camera that does too.

    Raises:
        InputError: the shapes differ.
    """
    check_maps(before_m, after_m, static)
    both = usable(before_m) & usable(after_m)
    if static is not None:
        both &= static
    before, after = values_where(both, before_m, after_m)
    # of the maps' own type, which rounds no more than the maps are rounded themselves
    change = after / before
    # |ln| and the greater of ratio and inverse put pixels into the same order, and need one logarithm, not N
    np.maximum(change, 1 / change, out=change)
    low, high = middle(change, overwrite=True)
    return (math.log(low) + math.log(high)) / 2


def static_pixels(before: NDArray[np.uint8], after: NDArray[np.uint8], max_change: int = 8) -> BoolMap:
    """Pixels of a camera at rest, bool [H, W], whose colour changes by at most `max_change` of 255 in each channel.

    Args:
        before, after: uint8 [H, W, 3].

    Raises:
        InputError: the shapes differ.
    """
    if before.shape != after.shape or before.ndim != 3:
        raise InputError(f"images of shape {list(before.shape)} and {list(after.shape)}: expected one [H, W, 3]")
    change = cv2.absdiff(before, after)
    static: BoolMap = cv2.inRange(change, (0, 0, 0), (max_change,) * 3) > 0
    return static
