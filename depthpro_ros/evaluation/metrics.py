# SPDX-License-Identifier: Apache-2.0
"""Depth metrics, with the usual names (Eigen et al. 2014)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.alignment import Alignment, AlignmentMode, fit_pixels
from depthpro_ros.evaluation.masks import BoolMap, DepthMask, FloatMap, check_maps, usable, values_where
from depthpro_ros.evaluation.pixel_errors import aligned_errors
from depthpro_ros.evaluation.sums import ErrorSums

InvalidPolicy = Literal["penalise", "ignore", "error"]
"""What a pixel with ground truth but without a prediction is: a miss in every delta, nothing, or an error."""

NAN = math.nan


@dataclass(frozen=True)
class DepthScores:
    """Scores of one image, or of the pixels of several; p is the prediction, d the ground truth, e = ln p - ln d.

    Attributes:
        abs_rel: mean of |p - d| / d.
        delta1: share of pixels with max(p/d, d/p) < 1.25.
        scale: the factor that the prediction was multiplied by (1 without alignment).
        pixels: how many pixels have a ground truth.
        invalid: how many of them the prediction leaves without a finite positive depth. They are left out of every
            mean and, unless they are to be ignored, count as misses in every delta.
        sq_rel: mean of (p - d)^2 / d, metres (Eigen).
        sq_rel_kitti: mean of (p - d)^2 / d^2 (KITTI's development kit).
        rmse, mae: root mean square, and mean, of p - d, metres.
        rmse_log: root mean square of e, natural logarithm.
        log10: mean of |log10 p - log10 d|.
        silog: 100 times the standard deviation of e (KITTI's table; its kit prints the variance).
        delta2, delta3: as delta1, below 1.25^2 and 1.25^3.
        delta_102, delta_103, delta_105, delta_110: as delta1, below 1.02, 1.03, 1.05 and 1.10.
        median_log: 100 |median of e|.
        bias: mean of (p - d) / d: above 0 is too far.
        ratio: median of p / d.
        alignment: how the prediction was aligned (see `alignment`).
        alignment_flag: why another alignment was used than the one asked for; empty if it was not.

    Medians of several images' pixels are NaN: they do not follow from the images' own.
    """

    abs_rel: float
    delta1: float
    scale: float
    pixels: int
    invalid: int
    sq_rel: float = NAN
    sq_rel_kitti: float = NAN
    rmse: float = NAN
    mae: float = NAN
    rmse_log: float = NAN
    log10: float = NAN
    silog: float = NAN
    delta2: float = NAN
    delta3: float = NAN
    delta_102: float = NAN
    delta_103: float = NAN
    delta_105: float = NAN
    delta_110: float = NAN
    median_log: float = NAN
    bias: float = NAN
    ratio: float = NAN
    alignment: str = "none"
    alignment_flag: str = ""

    @property
    def invalid_share(self) -> float:
        """Share of pixels with a ground truth that have no prediction; NaN of none."""
        return self.invalid / self.pixels if self.pixels else NAN

    @property
    def delta1_complement(self) -> float:
        """1 - delta1, which some tables print as the share of outliers."""
        return 1 - self.delta1

    @classmethod
    def of_sums(
        cls,
        sums: ErrorSums,
        invalid: InvalidPolicy = "penalise",
        alignment: Alignment = Alignment(),  # noqa: B008 - frozen
        ratios: tuple[float, float] = (NAN, NAN),
    ) -> DepthScores:
        """From the sums over pixels and, for the medians, the two middle values of p / d where they are known."""
        counted = sums.usable if invalid == "ignore" else sums.pixels
        right = [count / counted if counted else NAN for count in sums.right]
        variance = sums.mean(sums.log_m2)
        return cls(
            abs_rel=sums.mean(sums.relative),
            delta1=right[4],
            scale=alignment.scale,
            pixels=sums.pixels,
            invalid=sums.invalid,
            sq_rel=sums.mean(sums.squared_by_truth),
            sq_rel_kitti=sums.mean(sums.squared_by_truth2),
            rmse=math.sqrt(sums.mean(sums.squared)),
            mae=sums.mean(sums.absolute),
            rmse_log=math.sqrt(variance + sums.log_mean**2),
            log10=sums.mean(sums.log_absolute) / math.log(10),
            silog=100 * math.sqrt(variance),
            delta2=right[5],
            delta3=right[6],
            delta_102=right[0],
            delta_103=right[1],
            delta_105=right[2],
            delta_110=right[3],
            median_log=100 * abs(math.log(ratios[0]) + math.log(ratios[1])) / 2,
            bias=sums.mean(sums.signed),
            ratio=sum(ratios) / 2,
            alignment=alignment.mode,
            alignment_flag=alignment.flag,
        )


@dataclass(frozen=True)
class ScoredImage:
    """One image: its scores, and the sums that make it part of a pool."""

    scores: DepthScores
    sums: ErrorSums


def score_depth(
    predicted_m: FloatMap,
    truth_m: FloatMap,
    *,
    align: bool | AlignmentMode | Alignment = False,
    min_depth_m: float = 1e-3,
    max_depth_m: float = 80.0,
    mask: BoolMap | None = None,
    invalid: InvalidPolicy = "penalise",
) -> DepthScores:
    """Score one prediction.

    Args:
        predicted_m: [H, W] metres (or any unit with `align`); NaN, infinite or <= 0 is invalid.
        truth_m: [H, W] metres; NaN, infinite, or outside ]min_depth_m, max_depth_m] is no ground truth.
        align: how to fit this image first (True is "median_scale"), or an alignment that was fitted elsewhere.
        mask: bool [H, W], where to score (see `DepthMask.of`).
        invalid: what invalid predictions are.

    Raises:
        InputError: the shapes differ, an unknown option, or invalid predictions that are an error.
    """
    return score_image(
        predicted_m, truth_m, align=align, mask=DepthMask(min_depth_m, max_depth_m).of(truth_m, mask), invalid=invalid
    ).scores


def score_image(
    predicted_m: FloatMap,
    truth_m: FloatMap,
    *,
    mask: BoolMap,
    align: bool | AlignmentMode | Alignment = False,
    invalid: InvalidPolicy = "penalise",
) -> ScoredImage:
    """As `score_depth`, with exactly the pixels of `mask`, in a form that can be pooled."""
    pixels = _Pixels.of(predicted_m, truth_m, mask, invalid)
    mode: AlignmentMode | Alignment = ("median_scale" if align else "none") if isinstance(align, bool) else align
    return pixels.scored([mode if isinstance(mode, Alignment) else pixels.fit(mode)], invalid)[0]


def score_alignments(
    predicted_m: FloatMap,
    truth_m: FloatMap,
    *,
    mask: BoolMap,
    alignments: Sequence[AlignmentMode],
    invalid: InvalidPolicy = "penalise",
) -> dict[AlignmentMode, ScoredImage]:
    """What `score_image` says of each alignment, in much less time than one after the other.

    Args:
        predicted_m, truth_m: [H, W] metres, as for `score_depth`.
        mask: bool [H, W], exactly the pixels to score.
        alignments: each is fitted to this image.
        invalid: what invalid predictions are.

    Raises:
        InputError: as for `score_depth`.
    """
    pixels = _Pixels.of(predicted_m, truth_m, mask, invalid)
    scored = pixels.scored([pixels.fit(mode) for mode in alignments], invalid)
    return dict(zip(alignments, scored, strict=True))


@dataclass(frozen=True)
class _Pixels:
    """The pixels of one image that count.

    Attributes:
        p, d: prediction and ground truth where both are known, [N] each.
        invalid: how many more pixels have a ground truth only.
    """

    p: FloatMap
    d: FloatMap
    invalid: int

    @classmethod
    def of(cls, predicted_m: FloatMap, truth_m: FloatMap, mask: BoolMap, invalid: InvalidPolicy) -> _Pixels:
        """Take them out of the maps."""
        check_maps(predicted_m, truth_m, mask)
        if invalid not in get_args(InvalidPolicy):
            policies = ", ".join(get_args(InvalidPolicy))
            raise InputError(f"policy {invalid!r} for invalid predictions: use one of {policies}")
        known = mask & usable(truth_m)
        inside = known & usable(predicted_m)
        p, d = values_where(inside, predicted_m, truth_m)
        pixels = int(np.count_nonzero(known))
        if invalid == "error" and len(p) < pixels:
            raise InputError(
                f"{pixels - len(p)} of {pixels} pixels with ground truth have no finite depth above 0: "
                "score with invalid predictions penalised or ignored"
            )
        return cls(p, d, pixels - len(p))

    def fit(self, mode: AlignmentMode) -> Alignment:
        """Fit the prediction to the ground truth."""
        if mode not in get_args(AlignmentMode):
            raise InputError(f"alignment {mode!r} is unknown: use one of {', '.join(get_args(AlignmentMode))}")
        return fit_pixels(self.p, self.d, mode)

    def scored(self, alignments: Sequence[Alignment], invalid: InvalidPolicy) -> list[ScoredImage]:
        """Scores after each alignment."""
        return [
            ScoredImage(DepthScores.of_sums(errors.sums, invalid, alignment, errors.ratios), errors.sums)
            for alignment, errors in zip(
                alignments, aligned_errors(self.p, self.d, alignments, self.invalid), strict=True
            )
        ]
