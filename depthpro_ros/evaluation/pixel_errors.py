# SPDX-License-Identifier: Apache-2.0
"""Errors of the same pixels after several alignments, summed in one pass.

What a factor does to them follows from the ratios p / d and their logarithms, which are taken once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from depthpro_ros.evaluation.alignment import Alignment
from depthpro_ros.evaluation.blocks import BLOCK, aligned, blocks, dot
from depthpro_ros.evaluation.masks import BoolMap, FloatMap, middle, usable
from depthpro_ros.evaluation.sums import DELTAS, ErrorSums

Values = NDArray[np.float64]

LOG_DELTAS = tuple(math.log(limit) - 1e-12 for limit in DELTAS)
"""What |e| has to be below; a ratio at the limit stays at it, whatever the rounding of its logarithm."""


@dataclass(frozen=True)
class AlignedErrors:
    """Errors of pixels after one alignment.

    Attributes:
        sums: of the pixels.
        ratios: the two middle values of p / d (see `middle`).
    """

    sums: ErrorSums
    ratios: tuple[float, float]


def aligned_errors(p: FloatMap, d: FloatMap, alignments: Sequence[Alignment], invalid: int) -> list[AlignedErrors]:
    """Errors of predictions p [N] against ground truths d [N], all finite and above 0, after each alignment.

    Args:
        invalid: how many more pixels have a ground truth only. What an alignment leaves without a depth is added.
    """
    tallies = [_Tally(alignment, np.empty(0) if alignment.is_scale else aligned(len(p))) for alignment in alignments]
    some_scale = any(alignment.is_scale for alignment in alignments)
    plain = aligned(len(p) if some_scale else 0)
    memory = _Block.empty(min(BLOCK, len(p)))
    for taken in blocks(len(p)):
        block = memory.first(taken.stop - taken.start)
        np.copyto(block.d, d[taken])
        if some_scale:
            np.divide(p[taken], block.d, out=plain[taken])
        logs = block.take_logs(plain[taken], block.e) if some_scale else (0.0, 0.0)
        for tally in tallies:
            tally.add(p[taken], block, plain[taken], logs)
    middle_ratios = middle(plain, overwrite=True)
    return [tally.errors(len(p) + invalid, middle_ratios) for tally in tallies]


@dataclass(frozen=True)
class _Block:
    """A block of pixels, and memory for what comes of them.

    Attributes:
        d: ground truth.
        e: ln(p / d), without alignment.
        x, y, hits: to be overwritten.
    """

    d: Values
    e: Values
    x: Values
    y: Values
    hits: BoolMap

    @classmethod
    def empty(cls, size: int) -> _Block:
        """Memory for a block."""
        d, e, x, y = (aligned(size) for _ in range(4))
        return cls(d, e, x, y, np.empty(size, np.bool_))

    def first(self, count: int) -> _Block:
        """The beginning of it."""
        return _Block(self.d[:count], self.e[:count], self.x[:count], self.y[:count], self.hits[:count])

    def take_logs(self, ratio: Values, out: Values) -> tuple[float, float]:
        """Logarithms of ratios; their mean, and the sum of (e - mean)^2. Overwrites x."""
        np.log(ratio, out=out)
        mean = float(np.add.reduce(out)) / len(out)
        return mean, _squares(np.subtract(out, mean, out=self.x[: len(out)]))

    def sums(self, ratio: Values, e: Values, d: Values, logs: tuple[float, float]) -> tuple[float, ...]:
        """Sums over the block, in the order of `_Tally.errors`. Overwrites x and y, which may be `ratio` and `e`."""
        away, hits = np.abs(e, out=self.y[: len(e)]), self.hits[: len(e)]
        log_absolute = _absolute(away)
        right = [float(np.count_nonzero(np.less(away, limit, out=hits))) for limit in LOG_DELTAS]
        relative = np.subtract(ratio, 1, out=self.x[: len(e)])
        error = np.multiply(relative, d, out=away)
        return (
            len(e), *logs, log_absolute,
            _absolute(error), _squares(error), _absolute(relative), float(np.add.reduce(relative)),
            dot(error, relative), _squares(relative), *right,
        )  # fmt: skip


@dataclass
class _Tally:
    """Blocks of pixels after one alignment.

    Attributes:
        alignment: a factor, or an affine map.
        ratios: of an affine map, all of p / d.
        kept: of how many pixels it left a depth.
        blocks: sums of each.
    """

    alignment: Alignment
    ratios: Values
    kept: int = 0
    blocks: list[tuple[float, ...]] = field(default_factory=list)

    def add(self, p: FloatMap, block: _Block, plain: Values, logs: tuple[float, float]) -> None:
        """Add a block.

        Args:
            plain: p / d without alignment.
            logs: mean of block.e, and the sum of (e - mean)^2.
        """
        if not self.alignment.is_scale:
            self._add_affine(p, block)
            return
        scale, shift = self.alignment.scale, math.log(self.alignment.scale)
        ratio = plain if scale == 1 else np.multiply(plain, scale, out=block.x)
        e = block.e if scale == 1 else np.add(block.e, shift, out=block.y)
        self.blocks.append(block.sums(ratio, e, block.d, (logs[0] + shift, logs[1])))

    def _add_affine(self, p: FloatMap, block: _Block) -> None:
        count = len(block.d)
        ratio, d = self.ratios[self.kept : self.kept + count], block.d
        with np.errstate(divide="ignore"):
            self.alignment.affine_ratio(p, d, out=ratio)
        # one that was fitted elsewhere may leave no depth
        if not (ratio.min() > 0 and ratio.max() < math.inf):
            still = usable(ratio)
            count = int(np.count_nonzero(still))
            ratio[:count], d = ratio[still], d[still]
            ratio = ratio[:count]
        self.kept += count
        if count:
            e = block.y[:count]
            self.blocks.append(block.sums(ratio, e, d, block.take_logs(ratio, e)))

    def errors(self, pixels: int, plain: tuple[float, float]) -> AlignedErrors:
        """All blocks together.

        Args:
            pixels: how many have a ground truth.
            plain: the two middle values of p / d without alignment.
        """
        scale = self.alignment.scale
        ratios = (
            (scale * plain[0], scale * plain[1])
            if self.alignment.is_scale
            else middle(self.ratios[: self.kept], overwrite=True)
        )
        if not self.blocks:
            return AlignedErrors(ErrorSums(pixels, pixels), ratios)
        n, log_mean, log_m2, *sums = np.array(self.blocks).T
        usable_pixels = int(n.sum())
        mean = float(n @ log_mean) / usable_pixels
        # Chan, Golub and LeVeque 1979
        m2 = float(log_m2.sum() + n @ (log_mean - mean) ** 2)
        (
            log_absolute, absolute, squared, relative, signed, squared_by_truth, squared_by_truth2,
            *right,
        ) = (float(column.sum()) for column in sums)  # fmt: skip
        total = ErrorSums(
            pixels=pixels,
            invalid=pixels - usable_pixels,
            absolute=absolute,
            squared=squared,
            relative=relative,
            signed=signed,
            squared_by_truth=squared_by_truth,
            squared_by_truth2=squared_by_truth2,
            log_absolute=log_absolute,
            log_mean=mean,
            log_m2=m2,
            right=tuple(map(int, right)),
        )
        return AlignedErrors(total, ratios)


def _absolute(values: Values) -> float:
    """Sum of |x|, in float64 and without an array of |x|."""
    return float(cv2.norm(values, cv2.NORM_L1))


def _squares(values: Values) -> float:
    """Sum of x^2."""
    return float(cv2.norm(values, cv2.NORM_L2SQR))
