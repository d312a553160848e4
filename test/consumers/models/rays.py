# SPDX-License-Identifier: Apache-2.0
"""Rays from a sensor to the points of a cloud, as those who clear space walk along them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def along(
    ray: np.ndarray, distance: np.ndarray, reach: np.ndarray, *, step: float, start: float = 0.0
) -> Iterator[np.ndarray]:
    """Places on the rays relative to the sensor, [M, 3], all that are equally far from it at a time.

    Args:
        ray: from the sensor to each point, [N, 3].
        distance: of each point, [N]: the length of `ray`, or of its part along the ground.
        reach: how far each ray is walked, [N], measured as `distance` is.
        step: from one distance to the next.
        start: the first distance.
    """
    longest_first = np.argsort(-reach)
    shortness = -reach[longest_first]
    direction = ray[longest_first] / distance[longest_first, None]
    for travelled in np.arange(start, reach.max(initial=0.0), step):
        yield direction[: np.searchsorted(shortness, -travelled, side="right")] * travelled
