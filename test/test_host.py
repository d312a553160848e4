# SPDX-License-Identifier: Apache-2.0
"""The NumPy steps against the same formulas in torch, over the seams of their blocks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from depthpro_ros import host

SHAPES = [(1, 1), (2, 2), (9, 1), (1, 9), (40, 33), (7, host.BLOCK_PIXELS + 5), (131, 1024)]


def depth(shape: tuple[int, int]) -> np.ndarray:
    """From 0.5 to 10 m, with everything that is not a number."""
    rng = np.random.default_rng(0)
    values = rng.uniform(0.5, 10, shape).astype(np.float32)
    for bad in (np.nan, np.inf, -np.inf):
        values[rng.uniform(size=shape) < 0.05] = bad
    return values


@pytest.mark.parametrize("shape", SHAPES)
def test_range(shape: tuple[int, int]) -> None:
    values = depth(shape)
    expected = torch.from_numpy(values.copy())
    expected[expected > 8] = torch.inf
    expected[expected < 1] = -torch.inf
    host.limit_range(values, 1, 8)
    np.testing.assert_array_equal(values, expected.numpy())


@pytest.mark.parametrize("shape", SHAPES)
def test_edges(shape: tuple[int, int]) -> None:
    values = np.nan_to_num(depth(shape), posinf=1e4, neginf=0)
    tensor, expected = torch.from_numpy(values), torch.zeros(shape, dtype=torch.bool)
    expected[:, 1:-1] |= (tensor[:, 2:] - tensor[:, :-2]).abs() > tensor[:, 1:-1] * 0.3
    expected[1:-1] |= (tensor[2:] - tensor[:-2]).abs() > tensor[1:-1] * 0.3
    np.testing.assert_array_equal(host.edge_mask(values, 0.3), expected.numpy())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("far_m", [None, 8.0])
def test_points(shape: tuple[int, int], masked: bool, far_m: float | None) -> None:
    rng = np.random.default_rng(1)
    values, rgb = depth(shape), rng.integers(0, 256, (*shape, 3), np.uint8)
    x, y = rng.normal(size=(1, shape[1])).astype(np.float32), rng.normal(size=(shape[0], 1)).astype(np.float32)
    mask = rng.uniform(size=shape) < 0.1 if masked else None
    out = np.full((*shape, 4), 7, np.float32)
    host.pack(values, rgb, x, y, out, mask, far_m)
    if far_m is not None:
        values[values > far_m] = far_m
    z = np.where(np.isfinite(values) & ~(np.zeros(shape, bool) if mask is None else mask), values, np.nan)
    np.testing.assert_array_equal(out[..., :3], np.stack([z * x, z * y, z], -1))
    r, g, b = (rgb[..., channel].astype(np.uint32) for channel in range(3))
    np.testing.assert_array_equal(out.view(np.uint32)[..., 3], r << 16 | g << 8 | b)
