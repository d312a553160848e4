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
from depthpro_ros.evaluation.blocks import BLOCK, aligned, blocks, dot
from depthpro_ros.evaluation.masks import BoolMap, FloatMap, check_maps, median, usable, values_where

AlignmentMode = Literal[
    "none",
    "median_scale",
    "median_ratio",
    "weighted_median",
    "lsq_scale",
    "l1_scale",
    "affine_depth",
    "affine_disparity",
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
        if self.is_scale:
            return p if self.mode == "none" else self.scale * p
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(usable(p), self.affine_ratio(p, 1.0, np.empty_like(p)), np.nan)

    @property
    def is_scale(self) -> bool:
        """Whether it does no more than multiply by `scale`."""
        return self.mode not in ("affine_depth", "affine_disparity")

    def affine_ratio(
        self, p: FloatMap, d: NDArray[np.float64] | float, out: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Aligned prediction / d, of an affine map and where both are finite and above 0, written to `out`."""
        if self.mode == "affine_depth":
            np.multiply(p, self.scale, out=out, dtype=np.float64)
            out += self.shift
            return np.divide(_at_least(self.nearest_m, out), d, out=out)
        np.divide(self.scale, p, out=out, dtype=np.float64)
        out += self.shift
        _at_least(1 / self.farthest_m, out)
        out *= d
        return np.divide(1, out, out=out)


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
        p, d = (x.astype(np.float64) for x in values_where(counts, predicted, truth_m))
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


def fit_pixels(p: FloatMap, d: FloatMap, mode: AlignmentMode) -> Alignment:
    """Fit predictions p [N] to depths d [N], both finite and above 0, in float64.

    median_scale: median(d) / median(p). median_ratio: median(d / p), which is argmin_s sum |s - d / p|.
    weighted_median: argmin_s sum |s p - d|, the median of d / p with weights p. lsq_scale: sum(p d) / sum(p^2).
    l1_scale: argmin_s sum |s p - d| / d. affine_depth: argmin sum (s p + t - d)^2.
    affine_disparity: argmin sum (s / p + t - 1 / d)^2 (MiDaS, Ranftl et al. 2020).
    """
    if mode == "none":
        return Alignment(pixels=len(p))
    if len(p) < MIN_PIXELS:
        return Alignment(mode, flag="few_pixels", pixels=len(p))
    scale, shift, used, flag = 1.0, 0.0, mode, ""
    if mode == "median_ratio":
        scale = median(np.divide(d, p, dtype=np.float64), overwrite=True)
    elif mode == "lsq_scale":
        x, y = p.astype(np.float64, copy=False), d.astype(np.float64, copy=False)
        scale = dot(x, y) / dot(x, x)
    elif mode in ("l1_scale", "weighted_median"):
        x, y = p.astype(np.float64, copy=False), d.astype(np.float64, copy=False)
        scale = weighted_median(y / x, x if mode == "weighted_median" else x / y)
    elif mode in ("affine_depth", "affine_disparity"):
        scale, shift, flag = _line(p, d, inverse=mode == "affine_disparity")
    if flag:
        used, shift = "median_scale", 0.0
    if used == "median_scale":
        scale = median(d) / median(p)
    return Alignment(mode, used, scale, shift, flag, len(p), float(d.min()), float(d.max()))  # type: ignore[arg-type]


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """The least value at which the weights of all up to it reach half their sum: argmin_v sum w |v - value|."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(reached, reached[-1] / 2)]])


def _at_least(least: float, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values, those below the least made equal to it."""
    # to look takes a sixth of the time, and few predictions cross 0; NaN is not to be lost
    if not values.min(initial=least) >= least:
        np.maximum(values, least, out=values)
    return values


def _line(p: FloatMap, d: FloatMap, *, inverse: bool) -> tuple[float, float, AlignmentFlag]:
    """Least-squares slope and offset of d over p, or of 1 / d over 1 / p, and why they are of no use."""
    memory = aligned(min(BLOCK, len(p))), aligned(min(BLOCK, len(p)))
    rows = []
    for taken in blocks(len(p)):
        count = taken.stop - taken.start
        x, y = memory[0][:count], memory[1][:count]
        for values, into in ((p[taken], x), (d[taken], y)):
            np.copyto(into, values)
            if inverse:
                np.divide(1, into, out=into)
        mean_x, mean_y = float(np.add.reduce(x)) / count, float(np.add.reduce(y)) / count
        x -= mean_x
        y -= mean_y
        rows.append((count, mean_x, mean_y, dot(x, x), dot(x, y)))
    # put together as variances are (Chan, Golub and LeVeque 1979)
    n, means_x, means_y, squares, products = np.array(rows).T
    mean_x, mean_y = float(n @ means_x) / len(p), float(n @ means_y) / len(p)
    spread = float(squares.sum() + n @ (means_x - mean_x) ** 2)
    if spread <= len(p) * (CONSTANT * mean_x) ** 2:
        return 1.0, 0.0, "constant_prediction"
    slope = float(products.sum() + (n * (means_x - mean_x)) @ (means_y - mean_y)) / spread
    return slope, mean_y - slope * mean_x, "" if slope > 0 else "negative_scale"
