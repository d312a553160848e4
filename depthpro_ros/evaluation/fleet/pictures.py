# SPDX-License-Identifier: Apache-2.0
"""Which frames of a merged evaluation keep their picture: the best, the worst, and some in between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from depthpro_ros.evaluation.run.runner import EXTREMES, KEPT_THUMBNAILS


def chosen(places: Sequence[int], errors: Sequence[float | None], total: int) -> set[int]:
    """Of the frames that have a picture in their unit, those that keep it in the whole.

    Args:
        places: of the frames with a picture, ascending.
        errors: of the same frames.
        total: how many frames there are.

    Returns:
        Places of the best and the worst, and of those nearest to `KEPT_THUMBNAILS` even steps.
    """
    if not places:
        return set()
    known = sorted((error, place) for error, place in zip(errors, places, strict=True) if error is not None)
    kept = {place for _, place in (*known[:EXTREMES], *known[-EXTREMES:])}
    there = np.asarray(places)
    steps = np.arange(0, total, max(1, -(-total // KEPT_THUMBNAILS)))
    after = np.searchsorted(there, steps).clip(0, len(there) - 1)
    before = (after - 1).clip(0)
    nearest = np.where(abs(there[before] - steps) < abs(there[after] - steps), there[before], there[after])
    return kept | set(nearest.tolist())
