# SPDX-License-Identifier: Apache-2.0
"""How the scale changed from frame to frame, from the relative depths alone."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from depthpro_ros.errors import InputError
from depthpro_ros.scale.estimate import MIN_RELATIVE, weighted_median
from depthpro_ros.scale.samples import MAX_SAMPLES, check_map, sample_grid

MIN_PIXELS = 500
MAX_SPREAD = 0.1
"""Of the ratios: a camera that turned sees other things at the same pixels, and their ratios are of anything."""


def scale_change(before: Tensor, now: Tensor) -> float | None:
    """The factor that the scale changed by between two frames of a slow camera: the median of before / now.

    A frame's relative depth is over its own 98th percentile, so it changes everywhere at once when something far comes
    into view. Most pixels see the same surface as a moment ago, at the same metres: scale_now / scale_before is
    relative_before / relative_now.

    Args:
        before, now: float [H, W], relative depth of the last frame and of this one, on any device.

    Returns:
        scale_now / scale_before; None where too few pixels agree on it.

    Raises:
        InputError: not two maps of one size.
    """
    check_map("before", before)
    check_map("now", now)
    if before.shape != now.shape:
        raise InputError(f"relative depths are {list(before.shape)} and {list(now.shape)}: expected one size")
    grid = sample_grid(now.shape[0], now.shape[1], MAX_SAMPLES)
    p, q = grid.values(before).ravel(), grid.values(now).ravel()
    both = np.isfinite(p) & np.isfinite(q) & (p > MIN_RELATIVE) & (q > MIN_RELATIVE)
    if np.count_nonzero(both) < min(MIN_PIXELS, p.size):
        return None
    ratios = p[both].astype(np.float64) / q[both]
    change = weighted_median(ratios)
    return change if weighted_median(np.abs(ratios - change)) <= MAX_SPREAD * change else None
