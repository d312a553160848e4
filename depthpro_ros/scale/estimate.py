# SPDX-License-Identifier: Apache-2.0
"""One frame's scale from many samples of it: the weighted median, and what it must fulfil to be believed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import DepthProError, InputError

ScaleSource = Literal["fixed", "depth_pro", "ground_plane", "ranges", "assumed"]
"""What a scale was found from: a factor that is known, another model's metres, the camera's height, measured ranges, or
nothing at all."""

MIN_RELATIVE = 0.02
"""Relative depth below this is not used: so near, a step of the network's output is a large share of the value."""


class NoScale(DepthProError):
    """This frame gives no scale; the text says which value missed which gate."""


@dataclass(frozen=True)
class Gates:
    """What samples must fulfil so that their scale is believed.

    Attributes:
        min_inliers: samples that agree with the scale: are within `tolerance` of it.
        min_share: their share of all samples. Above a half, so that two contradicting halves are refused. The ground
            has a gate of its own (`GroundSettings.min_share`): it may well be a small part of the view.
        max_spread: largest spread, median absolute deviation over the median.

    Raises:
        InputError: a gate that nothing or everything would pass.
    """

    min_inliers: int = 50
    min_share: float = 0.55
    max_spread: float = 0.2

    def __post_init__(self) -> None:
        if self.min_inliers < 1:
            raise InputError(f"min_inliers is {self.min_inliers}, expected at least 1")
        if not 0 <= self.min_share <= 1:
            raise InputError(f"min_share is {self.min_share}, expected 0 to 1")
        if not (math.isfinite(self.max_spread) and self.max_spread > 0):
            raise InputError(f"max_spread is {self.max_spread}, expected a finite number above 0")

    @property
    def tolerance(self) -> float:
        """How far a sample's scale may be from the scale and agree with it, as a share of it.

        Of normally distributed samples with the largest spread, 60 % agree: within 0.6745 * 1.25 standard deviations.
        """
        return 1.25 * self.max_spread

    def check(self, inliers: int, samples: int, spread: float, what: str, *, min_share: float | None = None) -> None:
        """Let a scale pass.

        Args:
            inliers, samples: how many samples agree with the scale, of how many.
            spread: as in `ScaleEstimate`.
            what: what the samples are, for the error, such as "pixels of the reference".
            min_share: instead of the gate's own.

        Raises:
            NoScale: a gate is missed.
        """
        least = self.min_share if min_share is None else min_share
        if inliers < self.min_inliers:
            raise NoScale(f"only {inliers} of {samples} {what} agree on a scale, expected at least {self.min_inliers}")
        if inliers < least * samples:
            raise NoScale(
                f"{inliers / samples:.0%} of {samples} {what} agree on a scale, expected at least {least:.0%}"
            )
        if not spread <= self.max_spread:
            raise NoScale(f"scales of {samples} {what} spread by {spread:.2f}, expected at most {self.max_spread:g}")


@dataclass(frozen=True)
class ScaleEstimate:
    """The scale of one frame.

    Attributes:
        scale: metres per unit of relative depth.
        inliers: samples that agree with it; 0 of an assumed or fixed one.
        share: inliers over samples; 0 of an assumed or fixed one.
        spread: median absolute deviation of the samples' scales over their median; NaN of an assumed or fixed one.
        source: what it was found from.
    """

    scale: float
    inliers: int
    share: float
    spread: float
    source: ScaleSource

    @property
    def metric(self) -> bool:
        """Whether it was measured: depth times an assumed scale is no metres."""
        return self.source != "assumed"


def robust_scale(
    relative: NDArray[np.floating[Any]],
    metres: NDArray[np.floating[Any]],
    weights: NDArray[np.floating[Any]] | None = None,
    *,
    source: ScaleSource,
    gates: Gates,
    what: str = "samples",
) -> ScaleEstimate:
    """The weighted median of metres / relative: argmin_s sum w |metres / relative - s|.

    Args:
        relative: [N], relative depth; NaN, infinite and values up to `MIN_RELATIVE` are left out.
        metres: [N], depth of the same; NaN, infinite and values that are not above 0 are left out.
        weights: [N], those that are not finite and above 0 are left out; None weighs all alike.
        source: for the result.
        gates: what the scale must fulfil.
        what: what the samples are, for the error.

    Raises:
        InputError: arrays of different lengths.
        NoScale: a gate is missed.
    """
    shapes = {np.shape(values) for values in (relative, metres, weights) if values is not None}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        raise InputError(f"relative, metres and weights have shapes {sorted(shapes)}: expected [N] of one length")
    usable = np.isfinite(relative) & (relative > MIN_RELATIVE) & np.isfinite(metres) & (metres > 0)
    if weights is not None:
        usable &= np.isfinite(weights) & (weights > 0)
    heavy = None if weights is None else weights[usable].astype(np.float64)
    scales = metres[usable].astype(np.float64) / relative[usable]
    if len(scales) < gates.min_inliers:
        raise NoScale(f"only {len(scales)} {what} are usable, expected at least {gates.min_inliers}")
    scale = weighted_median(scales, heavy)
    return judged_scale(scale, scales, heavy, source=source, gates=gates, what=what)


def judged_scale(
    scale: float,
    scales: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
    *,
    source: ScaleSource,
    gates: Gates,
    what: str,
) -> ScaleEstimate:
    """A scale with the figures of the samples [N] that it stands for, if these pass the gates.

    Raises:
        NoScale: a gate is missed.
    """
    away = np.abs(scales - scale)
    inliers = int(np.count_nonzero(away <= gates.tolerance * scale))
    spread = weighted_median(away, weights) / scale
    gates.check(inliers, len(scales), spread, what)
    return ScaleEstimate(scale, inliers, inliers / len(scales), spread, source)


def assumed_scale(d98_m: float) -> ScaleEstimate:
    """The scale that would be right if the frame's 98th percentile of depth were `d98_m` metres; not metric.

    Raises:
        InputError: not finite and above 0.
    """
    if not (math.isfinite(d98_m) and d98_m > 0):
        raise InputError(f"assumed_d98_m is {d98_m}, expected a finite number of metres above 0")
    return ScaleEstimate(float(d98_m), 0, 0.0, math.nan, "assumed")


def fixed_scale(factor: float) -> ScaleEstimate:
    """The scale of depth in metres that is known to be off by a factor.

    Raises:
        InputError: not finite and above 0.
    """
    if not (math.isfinite(factor) and factor > 0):
        raise InputError(f"fixed_scale is {factor}, expected a finite factor above 0")
    return ScaleEstimate(float(factor), 0, 0.0, math.nan, "fixed")


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64] | None = None) -> float:
    """The least of `values` [N >= 1] at which the weights of all up to it reach half their sum."""
    if weights is None:
        middle = (len(values) - 1) // 2
        return float(np.partition(values, middle)[middle])
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(reached, reached[-1] / 2)]])
