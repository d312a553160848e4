# SPDX-License-Identifier: Apache-2.0
"""One point for each occupied cube, against a plain dictionary of cubes in float64."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
import torch

from depthpro_ros.camera import Intrinsics
from depthpro_ros.cloud import Projector, finite_points
from depthpro_ros.errors import InputError
from depthpro_ros.voxels import OFFSET_STEPS, voxel_grid


def scene() -> torch.Tensor:
    """A camera's cloud, with neighbours in the same cube, and points on both sides of every axis."""
    generator = torch.Generator().manual_seed(0)
    depth = 2 + torch.arange(60.0)[:, None] / 30 + torch.rand(60, 80, generator=generator) / 10
    rgb = torch.randint(0, 256, (60, 80, 3), dtype=torch.uint8, generator=generator)
    camera = Intrinsics(80, 60, 70.0, 75.0, 41.0, 28.0)
    return finite_points(Projector(camera, 1, torch.device("cpu")).pack(depth, rgb))


def colours(points: torch.Tensor) -> np.ndarray:
    words = points[:, 3].numpy().copy().view(np.uint32)
    return np.stack([words >> 16, words >> 8 & 255, words & 255], -1)


def by_dictionary(points: torch.Tensor, edge_m: float) -> dict[tuple[int, ...], tuple[np.ndarray, np.ndarray]]:
    """Mean place and mean colour of each cube."""
    cubes = defaultdict(list)
    corners = np.floor(points[:, :3].numpy() / np.float32(edge_m)).astype(int)
    rows = np.concatenate([points[:, :3].double().numpy(), colours(points)], 1)
    for corner, row in zip(corners.tolist(), rows, strict=True):
        cubes[tuple(corner)].append(row)
    return {corner: (np.mean(found, 0)[:3], np.mean(found, 0)[3:]) for corner, found in cubes.items()}


@pytest.mark.parametrize("edge_m", [0.01, 0.07, 0.5, 100.0])
def test_each_occupied_cube_has_its_mean_point_and_mean_colour(edge_m: float) -> None:
    points = scene()
    expected = by_dictionary(points, edge_m)
    thinned = voxel_grid(points, edge_m)
    assert thinned.shape == (len(expected), 4) and thinned.dtype == torch.float32
    ordered = [expected[corner] for corner in sorted(expected, key=lambda c: c[::-1])]
    tolerance = edge_m / OFFSET_STEPS + 1e-6
    np.testing.assert_allclose(thinned[:, :3], [place for place, _ in ordered], rtol=0, atol=tolerance)
    assert np.abs(colours(thinned) - [colour for _, colour in ordered]).max() <= 0.5 + 1e-9


def test_the_order_of_the_points_makes_no_difference() -> None:
    points = scene()
    expected = voxel_grid(points, 0.1)
    for seed in range(3):
        shuffled = points[torch.randperm(len(points), generator=torch.Generator().manual_seed(seed))]
        assert voxel_grid(shuffled, 0.1).numpy().tobytes() == expected.numpy().tobytes()


def test_a_point_alone_stays_where_it_is() -> None:
    points = scene()[::37]
    alone = voxel_grid(points, 0.001)
    assert len(alone) == len(points)
    points, alone = points[points[:, 2].argsort()], alone[alone[:, 2].argsort()]
    np.testing.assert_allclose(alone[:, :3], points[:, :3], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(colours(alone), colours(points))


def test_no_points_stay_none() -> None:
    assert voxel_grid(torch.empty(0, 4), 0.1).shape == (0, 4)


def test_a_grid_too_fine_to_number_is_refused() -> None:
    with pytest.raises(InputError, match="too small for points 50 m away: choose at least 5e-05"):
        voxel_grid(torch.tensor([[0.0, 0.0, 50.0, 0.0]]), 1e-6)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_a_gpu_finds_the_same_cubes() -> None:
    points = scene()
    on_gpu, on_cpu = voxel_grid(points.cuda(), 0.1).cpu(), voxel_grid(points, 0.1)
    np.testing.assert_allclose(on_gpu[:, :3], on_cpu[:, :3], rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(colours(on_gpu), colours(on_cpu))
