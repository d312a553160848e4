# SPDX-License-Identifier: Apache-2.0
"""The scale from measured points."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.scale import Gates, NoScale, RangePoints, scale_from_ranges
from depthpro_ros.scale.ranges import project, relative_at
from test.scale.rendered import Scene, indoor_scenes

CAMERA = Intrinsics.from_fov(128, 96, 70)


def measured(scene: Scene, count: int, *, wrong: float = 0.0) -> RangePoints:
    """Random pixels of a scene as points, of which a share is at any distance."""
    rng = np.random.default_rng(0)
    i = scene.intrinsics
    u, v = rng.integers(0, i.width, count), rng.integers(0, i.height, count)
    z = scene.depth_m.numpy()[v, u].astype(np.float64)
    z = np.where(rng.random(count) < wrong, rng.uniform(0.3, 20, count), z)
    return RangePoints(np.stack([(u - i.cx) / i.fx * z, (v - i.cy) / i.fy * z, z], 1).astype(np.float32), 0.0)


def wall_points(count: int, z_m: float) -> RangePoints:
    """Points of a wall straight ahead, all in view of `CAMERA`."""
    xy = np.random.default_rng(0).uniform(-0.4, 0.4, (count, 2)) * z_m
    return RangePoints(np.column_stack([xy, np.full(count, z_m)]).astype(np.float32), 0.0)


def test_rendered_scenes_within_two_percent_from_three_hundred_points() -> None:
    """Depth is noisy by 2 %, one point in five is wrong."""
    for scene in indoor_scenes():
        p = scene.relative(noise=0.02)
        estimate = scale_from_ranges(p, scene.intrinsics, measured(scene, 300, wrong=0.2))
        assert estimate.scale == pytest.approx(scene.d98_m, rel=0.02)
        assert estimate.source == "ranges"


def test_points_are_compared_by_depth_along_the_axis_and_not_by_distance() -> None:
    estimate = scale_from_ranges(torch.full((96, 128), 0.5), CAMERA, wall_points(100, 4.0))
    assert estimate.scale == pytest.approx(8.0, rel=1e-6)
    assert estimate.inliers == 100


def test_more_points_than_needed_are_thinned_out() -> None:
    assert scale_from_ranges(torch.ones(96, 128), CAMERA, wall_points(30_000, 4.0)).inliers <= 4000


def test_points_at_depth_edges_are_left_out() -> None:
    """Left of column 64 the wall is near; the points' scales agree although those at the edge cannot."""
    p = torch.full((96, 128), 0.9)
    p[:, :64] = 0.3
    z_m = np.where(np.arange(128) < 63.2, 3.0, 9.0)
    x_m = (np.arange(128) - CAMERA.cx) / CAMERA.fx * z_m
    points = RangePoints(np.stack([x_m, np.zeros(128), z_m], 1).astype(np.float32), 0.0)
    estimate = scale_from_ranges(p, CAMERA, points)
    assert (estimate.scale, estimate.inliers, estimate.share) == (pytest.approx(10.0), 126, 1.0)


def test_a_slanted_surface_is_looked_up_between_pixels() -> None:
    ramp = torch.linspace(0.5, 0.9, 128).expand(96, 128)
    u = np.array([10.25, 10.5, 60.75])
    expected = 0.5 + 0.4 * u / 127
    assert relative_at(ramp, u, np.full(3, 40.4)) == pytest.approx(expected, rel=1e-6)


def test_a_pixel_beside_an_unknown_one_is_unknown() -> None:
    p = torch.full((9, 9), 0.5)
    p[4, 4] = torch.nan
    found = relative_at(p, np.array([3.0, 2.0, 5.0]), np.array([4.0, 4.0, 5.0]))
    assert np.isnan(found).tolist() == [True, False, True]


def test_projection_is_the_pinhole_equation_and_leaves_out_what_is_not_seen() -> None:
    nan, inf = math.nan, math.inf
    points = [[0.1, -0.2, 2], [0, 0, -1], [0, 0, 0], [nan, 0, 1], [0, inf, 1], [9, 0, 1], [0, 9, 1]]
    u, v, kept = project(np.array(points), CAMERA)
    assert u == pytest.approx([CAMERA.cx + CAMERA.fx * 0.05])
    assert v == pytest.approx([CAMERA.cy - CAMERA.fy * 0.1])
    assert kept.tolist() == [points[0]]


@pytest.mark.parametrize("count", [0, 1, 49])
def test_too_few_points_give_no_scale(count: int) -> None:
    with pytest.raises(NoScale, match=f"only {count} of {count} measured points are in view"):
        scale_from_ranges(torch.ones(96, 128), CAMERA, wall_points(count, 4.0))


def test_points_behind_the_camera_give_no_scale_and_a_hint() -> None:
    points = RangePoints(-wall_points(100, 4.0).xyz_m, 0.0)
    with pytest.raises(NoScale, match="only 0 of 100 .* check the extrinsics"):
        scale_from_ranges(torch.ones(96, 128), CAMERA, points)


def test_a_sensor_of_few_beams_needs_another_gate() -> None:
    estimate = scale_from_ranges(torch.ones(96, 128), CAMERA, wall_points(8, 4.0), Gates(min_inliers=8))
    assert estimate.scale == pytest.approx(4.0)


def test_points_that_contradict_each_other_give_no_scale() -> None:
    both = np.concatenate([wall_points(100, 2.0).xyz_m, wall_points(100, 6.0).xyz_m])
    with pytest.raises(NoScale, match="50% of 200 measured points agree on a scale"):
        scale_from_ranges(torch.ones(96, 128), CAMERA, RangePoints(both, 0.0))


@pytest.mark.parametrize("value", [0.0, torch.nan, torch.inf])
def test_depth_that_knows_nothing_gives_no_scale(value: float) -> None:
    with pytest.raises(NoScale, match="only 0 measured points are usable"):
        scale_from_ranges(torch.full((96, 128), value), CAMERA, wall_points(100, 4.0))


def test_points_that_are_no_points_are_refused() -> None:
    with pytest.raises(InputError, match=r"\[N, 3\]"):
        RangePoints(np.zeros((4, 2), np.float32), 0.0)
    with pytest.raises(InputError, match="stamp"):
        RangePoints(np.zeros((4, 3), np.float32), math.nan)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_depth_on_a_gpu_gives_the_same() -> None:
    p = torch.full((96, 128), 0.5)
    points = wall_points(100, 4.0)
    assert scale_from_ranges(p.cuda(), CAMERA, points) == scale_from_ranges(p, CAMERA, points)
