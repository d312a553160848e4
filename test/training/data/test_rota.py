# SPDX-License-Identifier: Apache-2.0
"""The order of samples."""

import pickle
from collections import Counter

import numpy as np
import pytest

from depthpro_ros.training.data.rota import BLOCK, Rota, block_counts


def test_every_frame_once_in_each_epoch():
    rota, length = Rota([2.0, 1.0], (5, 0)), 70
    frames: dict[int, list[int]] = {0: [], 1: []}
    for number in range(3 * BLOCK):
        source, position = rota.sample(number)
        assert position == len(frames[source])
        frames[source].append(rota.frame(source, position, length))
    for seen in frames.values():
        epochs = [seen[i : i + length] for i in range(0, len(seen) - length + 1, length)]
        assert all(sorted(epoch) == list(range(length)) for epoch in epochs)
        assert epochs[0] != epochs[1]


@pytest.mark.parametrize("weights", [[1.0], [3.0, 1.0], [0.7, 0.2, 0.1], [1e6, 1.0, 1.0]])
def test_weights_are_kept(weights):
    rota = Rota(weights, (0, 0))
    counts = Counter(rota.sample(number)[0] for number in range(4 * BLOCK))
    for source, weight in enumerate(weights):
        assert counts[source] / (4 * BLOCK) == pytest.approx(weight / sum(weights), abs=len(weights) / BLOCK)
        assert counts[source] > 0


def test_a_block_is_full():
    rng = np.random.default_rng(0)
    for sets in range(1, 12):
        counts = block_counts(rng.random(sets) ** 8 + 1e-9)
        assert counts.sum() == BLOCK and counts.min() >= 1


def test_any_sample_is_known_without_those_before():
    first, later = Rota([1.0, 1.0], (1, 2)), pickle.loads(pickle.dumps(Rota([1.0, 1.0], (1, 2))))
    history = [first.sample(number) for number in range(2000)]
    assert later.sample(1999) == history[1999]
    assert [Rota([1.0, 1.0], (1, 3)).sample(n) for n in range(20)] != history[:20]
