# SPDX-License-Identifier: Apache-2.0
"""Named ways to bring a prediction to the scale of the ground truth before it is scored.

The headline of a metric model is `none`. A fit may be of one image, of a sequence, or of a whole data set; beyond one
image the pixels of all are fitted together.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.masks import BoolMap, FloatMap, check_maps, usable

AlignmentMode = Literal[
    "none", "median_scale", "median_ratio", "lsq_scale", "l1_scale", "affine_depth", "affine_disparity"
]
AlignmentFlag = Literal["", "few_pixels", "constant_prediction", "negative_scale"]
Scope = Literal["image", "sequence", "dataset"]

MIN_PIXELS = 10
CONSTANT = 1e-9
"""A prediction whose values differ by less than this share of their mean is constant."""


@dataclass(frozen=True)
class Alignment:
    """What was fitted, and what became of it.

    Attributes:
        asked: the mode that was asked for.
        mode: the one that was used: another one where `flag` says why.
        scale, shift: aligned = scale * p + shift metres; for `affine_disparity`, 1 / aligned = scale / p + shift per
            metre.
        flag: "few_pixels" (less than 10: not aligned), "constant_prediction" or "negative_scale" (median scale).
        pixels: how many were fitted.
        nearest_m, farthest_m: range of the fitted ground truth. An affine map may cross 0, so what `affine_depth`
            brings below `nearest_m` becomes it, and what `affine_disparity` brings beyond `farthest_m` becomes that.
    """

    asked: AlignmentMode = "none"
    mode: AlignmentMode = "none"
    scale: float = 1.0
    shift: float = 0.0
    flag: AlignmentFlag = ""
    pixels: int = 0
    nearest_m: float = 0.0
    farthest_m: float = float("inf")

    def apply(self, predicted: FloatMap) -> NDArray[np.float64]:
        """The aligned prediction, of the same shape, float64; what is invalid stays invalid. Not to be written to."""
        p = predicted.astype(np.float64, copy=False)
        if self.mode == "affine_depth":
            return np.where(usable(p), np.maximum(self.scale * p + self.shift, self.nearest_m), np.nan)
        if self.mode == "affine_disparity":
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.where(usable(p), 1 / np.maximum(self.scale / p + self.shift, 1 / self.farthest_m), np.nan)
        return p if self.mode == "none" else self.scale * p


@dataclass
class PixelPool:
    """Pixels of several images, to be fitted together.

    Attributes:
        max_pixels_per_image: of each image, evenly spaced in row-major order; 0 takes all.
    """

    max_pixels_per_image: int = 0
    _predicted: list[NDArray[np.float64]] = field(default_factory=list)
    _truth: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, predicted: FloatMap, truth_m: FloatMap, mask: BoolMap | None = None) -> None:
        """Add an image.

        Args:
            predicted: [H, W], any unit; NaN, infinite and <= 0 are left out.
            truth_m: [H, W] metres, left out likewise.
            mask: bool [H, W], where to fit.

        Raises:
            InputError: the shapes differ.
        """
        check_maps(predicted, truth_m, mask)
        counts = usable(predicted) & usable(truth_m)
        if mask is not None:
            counts &= mask
        p, d = predicted[counts].astype(np.float64), truth_m[counts].astype(np.float64)
        if 0 < self.max_pixels_per_image < len(p):
            places = np.linspace(0, len(p) - 1, self.max_pixels_per_image).round().astype(np.intp)
            p, d = p[places], d[places]
        self._predicted.append(p)
        self._truth.append(d)

    def fit(self, mode: AlignmentMode) -> Alignment:
        """Fit all pixels together.

        Raises:
            InputError: an unknown mode.
        """
        if mode not in get_args(AlignmentMode):
            raise InputError(f"alignment {mode!r} is unknown: use one of {', '.join(get_args(AlignmentMode))}")
        if not self._predicted:
            return Alignment(mode, flag="" if mode == "none" else "few_pixels")
        return fit_pixels(np.concatenate(self._predicted), np.concatenate(self._truth), mode)


def fit_alignment(
    predicted: FloatMap, truth_m: FloatMap, mode: AlignmentMode, mask: BoolMap | None = None
) -> Alignment:
    """Fit one image; see `PixelPool.add` for the arguments and errors."""
    pool = PixelPool()
    pool.add(predicted, truth_m, mask)
    return pool.fit(mode)


def fit_alignments(
    images: Sequence[tuple[FloatMap, FloatMap, BoolMap | None]],
    sequences: Sequence[Hashable],
    mode: AlignmentMode,
    scope: Scope,
    max_pixels_per_image: int = 0,
) -> list[Alignment]:
    """One alignment for each image: its own, or that of its sequence or of all.

    Args:
        images: prediction, ground truth and mask of each.
        sequences: which sequence each image belongs to.

    Raises:
        InputError: an unknown scope, lists of different lengths, maps that differ in shape.
    """
    if scope not in get_args(Scope):
        raise InputError(f"alignment scope {scope!r} is unknown: use one of {', '.join(get_args(Scope))}")
    if len(images) != len(sequences):
        raise InputError(f"{len(images)} images with {len(sequences)} names of sequences: expected one for each")
    groups: list[Hashable] = [
        {"image": index, "sequence": name, "dataset": 0}[scope] for index, name in enumerate(sequences)
    ]
    pools: dict[Hashable, PixelPool] = {}
    for group, (predicted, truth_m, mask) in zip(groups, images, strict=True):
        pools.setdefault(group, PixelPool(max_pixels_per_image)).add(predicted, truth_m, mask)
    fitted = {group: pool.fit(mode) for group, pool in pools.items()}
    return [fitted[group] for group in groups]


def fit_pixels(p: NDArray[np.float64], d: NDArray[np.float64], mode: AlignmentMode) -> Alignment:
    """Fit predictions p [N] to depths d [N], both finite and above 0.

    median_scale: median(d) / median(p). median_ratio: median(d / p). lsq_scale: sum(p d) / sum(p^2).
    l1_scale: argmin_s sum |s p - d| / d. affine_depth: argmin sum (s p + t - d)^2.
    affine_disparity: argmin sum (s / p + t - 1 / d)^2 (MiDaS, Ranftl et al. 2020).
    """
    if mode == "none":
        return Alignment(pixels=len(p))
    if len(p) < MIN_PIXELS:
        return Alignment(mode, flag="few_pixels", pixels=len(p))
    scale, shift, used, flag = 1.0, 0.0, mode, ""
    if mode == "median_ratio":
        scale = float(np.median(d / p))
    elif mode == "lsq_scale":
        scale = float(p @ d / (p @ p))
    elif mode == "l1_scale":
        scale = weighted_median(d / p, p / d)
    elif mode in ("affine_depth", "affine_disparity"):
        scale, shift, flag = _line(p, d) if mode == "affine_depth" else _line(1 / p, 1 / d)
        if flag:
            used, shift = "median_scale", 0.0
    if used == "median_scale":
        scale = float(np.median(d) / np.median(p))
    return Alignment(mode, used, scale, shift, flag, len(p), float(d.min()), float(d.max()))  # type: ignore[arg-type]


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """The least value at which the weights of all up to it reach half their sum: argmin_v sum w |v - value|."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(reached, reached[-1] / 2)]])


def _line(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float, AlignmentFlag]:
    """Least-squares slope and offset, and why they are of no use."""
    mean_x, mean_y = float(x.mean()), float(y.mean())
    dx = x - mean_x
    spread = float(dx @ dx)
    if spread <= len(x) * (CONSTANT * mean_x) ** 2:
        return 1.0, 0.0, "constant_prediction"
    slope = float(dx @ (y - mean_y)) / spread
    return slope, mean_y - slope * mean_x, "" if slope > 0 else "negative_scale"
