# SPDX-License-Identifier: Apache-2.0
"""Multi-scale derivatives against planes, edges, and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate
from torch import Tensor

from depthpro_ros.training.derivatives import Operator, halve, multi_scale

SIDE_PX = 64
SIDES_PX = [64, 31, 15, 7, 3]
"""(S - 1) // 2 until a 3 x 3 filter no longer fits."""


def grid(side: int) -> tuple[Tensor, Tensor]:
    y, x = torch.meshgrid(torch.arange(side).double(), torch.arange(side).double(), indexing="ij")
    return x, y


def everywhere(x: Tensor) -> Tensor:
    return torch.ones_like(x, dtype=torch.bool)


def by_scipy(error: np.ndarray, operator: Operator, power: int, scales: int) -> float:
    """The definition, written again with SciPy on a full mask."""
    smooth = np.outer([1, 2, 1], [1, 2, 1]) / 16
    scharr_x = np.array([[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]]) / 32
    laplace = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    kernels = [scharr_x, scharr_x.T] if operator is Operator.SCHARR else [laplace]
    terms = []
    for _ in range(scales):
        if min(error.shape) < 3:
            break
        terms.append(sum(np.mean(np.abs(correlate(error, k)[1:-1, 1:-1]) ** power) for k in kernels))
        error = correlate(error, smooth)[1:-1, 1:-1][::2, ::2]
    return float(np.mean(terms))


@pytest.mark.parametrize("power", [1, 2])
def test_plane(power: int) -> None:
    """Slopes a and b per pixel are 2^j a and 2^j b per pixel of scale j, up to the border."""
    x, y = grid(SIDE_PX)
    error = (0.03 * x - 0.01 * y)[None]
    steps = [2.0**j for j in range(len(SIDES_PX))]
    expected = np.mean([(0.03 * step) ** power + (0.01 * step) ** power for step in steps])
    assert multi_scale(error, everywhere(error), Operator.SCHARR, power).item() == pytest.approx(expected)


def test_parabola() -> None:
    """The Laplacian of x^2 / 2 is 1 per pixel, and 4^j per pixel of scale j."""
    x, _ = grid(SIDE_PX)
    error = (x.square() / 2)[None]
    expected = np.mean([4.0**j for j in range(len(SIDES_PX))])
    assert multi_scale(error, everywhere(error), Operator.LAPLACE, 1).item() == pytest.approx(expected)


def test_plane_has_no_laplacian() -> None:
    x, y = grid(SIDE_PX)
    error = (x + y)[None]
    assert multi_scale(error, everywhere(error), Operator.LAPLACE, 1).item() == pytest.approx(0, abs=1e-12)


def test_step_edge() -> None:
    """A step of 1 has slope 1/2 in the two columns beside it, of side - 2 columns."""
    x, _ = grid(SIDE_PX)
    error = (x >= 20).double()[None]
    assert multi_scale(error, everywhere(error), Operator.SCHARR, 1, scales=1).item() == pytest.approx(2 / 2 / 62)


@pytest.mark.parametrize(("operator", "power"), [(Operator.SCHARR, 1), (Operator.SCHARR, 2), (Operator.LAPLACE, 1)])
@pytest.mark.parametrize("shape", [(64, 64), (37, 50), (16, 16)])
def test_full_mask_agrees_with_scipy(operator: Operator, power: int, shape: tuple[int, int]) -> None:
    error = np.random.default_rng(0).normal(size=shape)
    ours = multi_scale(torch.from_numpy(error)[None], torch.ones(1, *shape, dtype=torch.bool), operator, power)
    assert ours.item() == pytest.approx(by_scipy(error, operator, power, 6))


def test_constant_stays_constant_beside_holes() -> None:
    """Normalised convolution: what lies under holes does not mix in."""
    given = torch.rand(1, 33, 33, generator=torch.Generator().manual_seed(0)) > 0.4
    coarse, valid = halve(torch.where(given, 7.0, 1e9).double(), given)
    assert coarse.shape == (1, 16, 16)
    assert 0 < valid.sum() < valid.numel()
    torch.testing.assert_close(coarse, 7.0 * valid.double())


@pytest.mark.parametrize(("columns", "expected"), [(1, True), (2, False)])
def test_coarse_pixel_needs_half_of_the_weight(columns: int, expected: bool) -> None:
    """Without its first column a 3 x 3 patch has 3/4 of its weight left, without two 1/4."""
    valid = torch.ones(1, 3, 3, dtype=torch.bool)
    valid[..., :columns] = False
    assert halve(torch.ones(1, 3, 3), valid)[1].item() is expected


def test_only_whole_supports_count() -> None:
    """Left half valid: a ramp there gives its slope, whatever the right half holds."""
    x, _ = grid(16)
    valid = (x < 8)[None]
    error = torch.where(valid, 2 * x, 0.0)
    assert multi_scale(error, valid, Operator.SCHARR, 1, scales=1).item() == pytest.approx(2)


def test_scales_without_support_do_not_dilute() -> None:
    """A valid patch of 3 pixels has one derivative at the finest scale, and none above."""
    x, _ = grid(SIDE_PX)
    valid = torch.zeros(1, SIDE_PX, SIDE_PX, dtype=torch.bool)
    valid[:, 10:13, 10:13] = True
    error = torch.where(valid, 5 * x, 0.0)
    assert multi_scale(error, valid, Operator.SCHARR, 1).item() == pytest.approx(5)


def test_images_do_not_mix() -> None:
    x, y = grid(32)
    valid = torch.stack([x > 3, y > 9, torch.zeros_like(x, dtype=torch.bool)])
    error = torch.where(valid, torch.stack([x * y, x.sin(), x]), 0.0)
    together = multi_scale(error, valid, Operator.SCHARR, 1)
    alone = [multi_scale(error[i : i + 1], valid[i : i + 1], Operator.SCHARR, 1) for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone))
    assert together[2] == 0


def test_computes_in_float32_under_autocast() -> None:
    x, _ = grid(16)
    error = 1000 + 0.01 * x.float()[None]
    with torch.autocast("cpu", torch.bfloat16):
        slope = multi_scale(error, everywhere(error), Operator.SCHARR, 1, scales=1)
    assert slope.dtype == torch.float32
    assert slope.item() == pytest.approx(0.01, rel=1e-2)
