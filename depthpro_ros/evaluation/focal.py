# SPDX-License-Identifier: Apache-2.0
"""How good estimated focal lengths are (arXiv 2410.02073, table 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from depthpro_ros.errors import InputError


@dataclass(frozen=True)
class FocalScores:
    """Scores of several images. Metric depth is proportional to the focal length, and so are its errors.

    Attributes:
        relative_errors: |f' - f| / f of each image.
    """

    relative_errors: tuple[float, ...]

    @property
    def within_25(self) -> float:
        """Share of images with an error below 25 %."""
        return self.share_within(0.25)

    @property
    def within_50(self) -> float:
        """Share of images with an error below 50 %."""
        return self.share_within(0.5)

    @property
    def median(self) -> float:
        """The median error."""
        return float(np.median(self.relative_errors))

    def share_within(self, limit: float) -> float:
        """Share of images with an error below `limit`."""
        return float(np.mean(np.asarray(self.relative_errors) < limit))


def score_focals(estimated_px: ArrayLike, true_px: ArrayLike) -> FocalScores:
    """Compare focal lengths [N] in pixels of the same width; an estimate that is not finite is wrong everywhere.

    Raises:
        InputError: no images, lengths that differ, or a true focal length that is not finite and above 0.
    """
    estimated, true = np.asarray(estimated_px, np.float64), np.asarray(true_px, np.float64)
    if estimated.ndim != 1 or estimated.shape != true.shape or not estimated.size:
        raise InputError(f"focal lengths {estimated.shape} and {true.shape}: expected two lists of one length above 0")
    if not (np.isfinite(true) & (true > 0)).all():
        raise InputError(f"true focal lengths must be finite and above 0 px, they are {true.tolist()}")
    errors = np.where(np.isfinite(estimated), np.abs(estimated - true) / true, np.inf)
    return FocalScores(tuple(errors.tolist()))
