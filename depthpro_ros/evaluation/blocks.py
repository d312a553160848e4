# SPDX-License-Identifier: Apache-2.0
"""Pixels by the block, for arithmetic that would otherwise wait for memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

BLOCK = 30720
"""Pixels at a time: the few arrays that a block needs stay in the cache."""
CACHE_LINE = 64
"""Bytes; what begins at a multiple of it is computed in four fifths of the time."""


def blocks(count: int) -> Iterator[slice]:
    """Parts of [N], one after the other."""
    return (slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK))


def dot(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Sum of x y over [N], in this thread: BLAS would keep others spinning, which cost more than they bring."""
    return float(np.einsum("i,i->", x, y))


def aligned(count: int) -> NDArray[np.float64]:
    """Memory for that many values, not yet set, from the beginning of a cache line."""
    raw = np.empty(8 * count + CACHE_LINE, np.uint8)
    start = -raw.ctypes.data % CACHE_LINE
    return raw[start : start + 8 * count].view(np.float64)
