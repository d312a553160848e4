# SPDX-License-Identifier: Apache-2.0
"""Which data set, and which of its frames, each sample of a run is from, without a history.

Samples are dealt in blocks. Every block holds the same number of samples of each data set, in an order of its own;
so where a data set stands at any sample is known at once, and a run goes on exactly where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

BLOCK = 1024
"""Samples; weights are kept to one part in this many."""


class Rota:
    """The order of samples of one stage.

    Args:
        weights: of each data set, above 0; its share of the samples is its weight over their sum.
        key: numbers that tell this order from others, such as seed and stage.
    """

    def __init__(self, weights: Sequence[float], key: tuple[int, ...]) -> None:
        self._counts, self._key = block_counts(weights), key
        # caches of this object alone: a handful of blocks and permutations is in use at a time
        self._block = lru_cache(4)(self._shuffled_block)
        self._permutation = lru_cache(2 * len(weights))(self._shuffled_epoch)

    def sample(self, number: int) -> tuple[int, int]:
        """The data set of a sample, and how many samples it had before this one."""
        block, within = divmod(number, BLOCK)
        chosen, earlier = self._block(block)
        source = int(chosen[within])
        return source, block * int(self._counts[source]) + int(earlier[within])

    def frame(self, source: int, position: int, length: int) -> int:
        """The frame at a position of a data set's samples: every frame once in each epoch, in an order of its own.

        Args:
            source: data set.
            position: samples of it before this one.
            length: frames that it has.
        """
        epoch, within = divmod(position, length)
        return int(self._permutation(source, epoch, length)[within])

    def __getstate__(self) -> dict[str, object]:
        return {"_counts": self._counts, "_key": self._key}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._block = lru_cache(4)(self._shuffled_block)
        self._permutation = lru_cache(2 * len(self._counts))(self._shuffled_epoch)

    def _shuffled_block(self, block: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For each sample of a block, its data set, and how many of the block are from it before."""
        chosen = np.repeat(np.arange(len(self._counts)), self._counts)
        np.random.default_rng([*self._key, 0, block]).shuffle(chosen)
        earlier = np.empty(BLOCK, np.int64)
        for source, count in enumerate(self._counts):
            earlier[chosen == source] = np.arange(count)
        return chosen, earlier

    def _shuffled_epoch(self, source: int, epoch: int, length: int) -> NDArray[np.int64]:
        return np.random.default_rng([*self._key, 1, source, epoch]).permutation(length)


def block_counts(weights: Sequence[float]) -> NDArray[np.int64]:
    """Samples of each data set in a block, by largest remainders; at least one of each."""
    exact = np.array(weights, dtype=np.float64) / sum(weights) * BLOCK
    counts = np.maximum(exact.astype(np.int64), 1)
    missing = BLOCK - int(counts.sum())
    if missing > 0:
        counts[np.argsort(counts - exact, kind="stable")[:missing]] += 1
    elif missing < 0:
        counts[np.argmax(counts)] += missing
    return counts
