# SPDX-License-Identifier: Apache-2.0
"""Which messages of two streams are of the same moment, by the stamps of their headers."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from depthpro_ros.errors import InputError
from depthpro_ros.stamps import nearest_pairs

SLOP_S = 0.02


@dataclass(frozen=True)
class Matches:
    """Partners, one to one.

    Attributes:
        pairs: positions in the first and in the second stream, in the order of the first's stamps.
        offsets_ns: for each pair, the second's stamp minus the first's.
        unmatched_first, unmatched_second: positions of those without a partner.
    """

    pairs: tuple[tuple[int, int], ...]
    offsets_ns: tuple[int, ...]
    unmatched_first: tuple[int, ...]
    unmatched_second: tuple[int, ...]

    @property
    def exact(self) -> int:
        """How many pairs have equal stamps."""
        return self.offsets_ns.count(0)

    def summary(self, first: str = "images", second: str = "ground truth") -> str:
        """One line: pairs, how far apart, and what is left over."""
        text = f"{len(self.pairs)} pairs, {self.exact} with equal stamps"
        if self.offsets_ns:
            largest = max(self.offsets_ns, key=abs) / 1e6
            text += f"; offset {statistics.median(self.offsets_ns) / 1e6:+.3f} ms (median), {largest:+.3f} ms (largest)"
        return text + f"; without partner: {len(self.unmatched_first)} {first}, {len(self.unmatched_second)} {second}"


def match_stamps(first_ns: Sequence[int], second_ns: Sequence[int], slop_s: float = SLOP_S) -> Matches:
    """Pair by stamp: equal ones first, then the nearest, at most `slop_s` apart.

    Args:
        first_ns, second_ns: stamps in nanoseconds, in any order.

    Raises:
        InputError: a slop that is negative or not finite.
    """
    if not 0 <= slop_s < float("inf"):
        raise InputError(f"slop is {slop_s} s, expected a finite number of seconds, 0 or more")
    pairs = nearest_pairs(first_ns, second_ns, round(slop_s * 1e9))
    first, second = {i for i, _ in pairs}, {j for _, j in pairs}
    return Matches(
        tuple(pairs),
        tuple(second_ns[j] - first_ns[i] for i, j in pairs),
        tuple(i for i in range(len(first_ns)) if i not in first),
        tuple(j for j in range(len(second_ns)) if j not in second),
    )
