# SPDX-License-Identifier: Apache-2.0
"""Range, edges, and the focal filter."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from depthpro_ros.filters import FocalFilter, edge_mask, limit_range


def test_range_marks_follow_rep_117() -> None:
    depth = torch.tensor([0.1, 0.5, 5.0, 10.0, 10.1, 1e4, torch.nan])
    limited = limit_range(depth, 0.5, 10.0)
    assert limited[:6].tolist() == [-torch.inf, 0.5, 5.0, 10.0, torch.inf, torch.inf]
    assert limited[6].isnan()


def test_step_edge_is_marked_on_both_sides_and_nowhere_else() -> None:
    depth = torch.full((6, 10), 2.0)
    depth[:, 5:] = 4.0
    mask = edge_mask(depth, 0.1)
    assert mask[:, 4:6].all()
    assert mask.sum() == 12


def test_ramp_between_foreground_and_background_is_marked() -> None:
    """What a bilinear resize makes of an edge: pixels that float between the two surfaces."""
    depth = torch.full((1, 3, 12), 1.0)[0]
    depth[:, 6:] = 5.0
    depth[:, 5] = 3.0
    assert edge_mask(depth, 0.1)[:, 4:7].all()


def test_horizontal_edges_too() -> None:
    depth = torch.full((8, 4), 1.0)
    depth[5:] = 3.0
    assert edge_mask(depth, 0.1)[4:6].all()


def test_slanted_floor_stays() -> None:
    """Level ground 1 m below a camera of 500 px: z = f h / v, marked only where 2 dz/z per pixel exceeds it."""
    v = torch.arange(40, 240, dtype=torch.float32)
    depth = (500.0 / v)[:, None].expand(-1, 32)
    assert not edge_mask(depth, 0.1).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2)])
def test_small_images(shape: tuple[int, int]) -> None:
    assert edge_mask(torch.ones(shape), 0.1).shape == shape


@given(st.floats(0.01, 100), st.integers(0, 2**31))
def test_edges_do_not_depend_on_the_scale(scale: float, seed: int) -> None:
    depth = torch.from_numpy(np.random.default_rng(seed).uniform(1, 2, (5, 6)).round(2))
    assert torch.equal(edge_mask(depth, 0.1234567), edge_mask(depth * scale, 0.1234567))


class TestFocalFilter:
    """Estimates of a 640 pixel wide camera."""

    def test_locks_and_then_never_moves(self) -> None:
        rng = np.random.default_rng(0)
        focal = FocalFilter(lock_after=10)
        used = [focal.update(500 * float(np.exp(rng.normal(0, 0.02))), 640) for _ in range(200)]
        assert focal.locked
        assert len(set(used[10:])) == 1
        assert used[-1] == pytest.approx(500, rel=0.02)

    def test_before_the_lock_an_outlier_does_not_matter(self) -> None:
        focal = FocalFilter(lock_after=10)
        for value in (500, 501, 499, 502):
            focal.update(value, 640)
        assert focal.update(2000, 640) == pytest.approx(501)

    def test_does_not_lock_on_contradicting_estimates(self) -> None:
        focal = FocalFilter(lock_after=5)
        for value in (300, 600) * 20:
            focal.update(value, 640)
        assert not focal.locked

    def test_single_outliers_do_not_unlock(self) -> None:
        focal = FocalFilter(lock_after=5, unlock_after=5)
        for _ in range(5):
            focal.update(500, 640)
        used = [focal.update(value, 640) for value in (900, 900, 900, 900, 500) * 10]
        assert used == pytest.approx([500] * 50)

    def test_outliers_to_both_sides_are_noise_not_a_new_lens(self) -> None:
        focal = FocalFilter(lock_after=5, unlock_after=5)
        for _ in range(5):
            focal.update(500, 640)
        for value in (900, 300) * 20:
            focal.update(value, 640)
        assert focal.locked

    def test_a_changed_lens_unlocks_and_locks_anew(self) -> None:
        focal = FocalFilter(lock_after=10, unlock_after=5)
        for _ in range(20):
            focal.update(500, 640)
        used = [focal.update(800, 640) for _ in range(20)]
        assert used[:4] == [pytest.approx(500)] * 4
        assert used[4:] == [pytest.approx(800)] * 16
        assert focal.locked

    def test_compares_angles_not_pixels(self) -> None:
        """The same lens read out at half the resolution."""
        focal = FocalFilter(lock_after=5)
        for _ in range(5):
            focal.update(500, 640)
        assert focal.update(250, 320) == pytest.approx(250)
        assert focal.locked

    def test_reset_forgets(self) -> None:
        focal = FocalFilter(lock_after=3)
        for _ in range(3):
            focal.update(500, 640)
        focal.reset()
        assert focal.update(900, 640) == pytest.approx(900)
