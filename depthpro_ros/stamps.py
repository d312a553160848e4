# SPDX-License-Identifier: Apache-2.0
"""Two streams of stamps, paired."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


def nearest_pairs(first_ns: Sequence[int], second_ns: Sequence[int], tolerance_ns: int) -> list[tuple[int, int]]:
    """Pair two lists of stamps, the closest first, each at most once, as TUM RGB-D's associate.py does.

    Equal stamps are the closest, so they are partners before any other.

    Args:
        first_ns, second_ns: stamps in nanoseconds, in any order.
        tolerance_ns: partners are at most this far apart.

    Returns:
        Positions in the first and in the second list, in the order of the first's stamps.
    """
    order = sorted(range(len(second_ns)), key=lambda j: second_ns[j])
    stamps = [second_ns[j] for j in order]
    candidates = []
    for i, stamp in enumerate(first_ns):
        at = bisect_left(stamps, stamp - tolerance_ns)
        while at < len(stamps) and stamps[at] <= stamp + tolerance_ns:
            candidates.append((abs(stamps[at] - stamp), i, order[at]))
            at += 1
    left, right = set(range(len(first_ns))), set(range(len(second_ns)))
    pairs = []
    for _, i, j in sorted(candidates):
        if i in left and j in right:
            left.remove(i)
            right.remove(j)
            pairs.append((i, j))
    return sorted(pairs, key=lambda pair: first_ns[pair[0]])
