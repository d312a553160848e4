# SPDX-License-Identifier: Apache-2.0
"""The scale from sensors that report the nearest thing in a cone."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.scale import NoScale, RangeCones, scale_from_cones

CAMERA = Intrinsics.from_fov(320, 240, 70)


def cones(*ends: tuple[float, float, float], half_angle_rad: float = 0.15) -> RangeCones:
    """Readings that end at these points."""
    return RangeCones(np.array(ends, np.float32).reshape(-1, 3), 0.0, half_angle_rad)


def sphere_depth(radius: float) -> torch.Tensor:
    """z-depth of a sphere around the camera: every range is its radius."""
    y, x = np.mgrid[: CAMERA.height, : CAMERA.width]
    length = np.sqrt(((x - CAMERA.cx) / CAMERA.fx) ** 2 + ((y - CAMERA.cy) / CAMERA.fy) ** 2 + 1)
    return torch.from_numpy((radius / length).astype(np.float32))


@pytest.mark.parametrize("end", [(0.0, 0.0, 4.0), (1.2, -0.8, 3.0), (-1.9, 1.2, 3.0)])
def test_a_sphere_has_the_same_scale_in_every_direction(end: tuple[float, float, float]) -> None:
    reading_m = float(np.linalg.norm(end))
    estimate = scale_from_cones(sphere_depth(0.8), CAMERA, cones(end))
    assert estimate.scale == pytest.approx(reading_m / 0.8, rel=1e-5)
    assert estimate.share == 1.0


def test_a_cone_takes_the_pixels_whose_rays_are_within_its_angle() -> None:
    """On the axis they are a disc with the radius f tan(angle)."""
    estimate = scale_from_cones(sphere_depth(0.8), CAMERA, cones((0.0, 0.0, 4.0), half_angle_rad=0.1))
    pixels = math.pi * (math.tan(0.1) * CAMERA.fx) ** 2
    assert estimate.inliers == pytest.approx(pixels, rel=0.03)


def test_a_reading_is_of_the_nearest_part_of_a_slanted_wall() -> None:
    """A wall z = 1 + 0.8 x, from the range of its point at the near side of the cone."""
    y, x = np.mgrid[: CAMERA.height, : CAMERA.width]
    ray_x, ray_y = (x - CAMERA.cx) / CAMERA.fx, (y - CAMERA.cy) / CAMERA.fy
    z = 1 / (1 - 0.8 * ray_x)
    p = torch.from_numpy((z / 2).astype(np.float32))
    ranges = z * np.sqrt(ray_x**2 + ray_y**2 + 1)
    in_cone = np.hypot(ray_x, ray_y) < math.tan(0.15)
    estimate = scale_from_cones(p, CAMERA, cones((0.0, 0.0, float(ranges[in_cone].min()))))
    assert estimate.scale == pytest.approx(2.0, rel=0.05)
    assert estimate.scale < 2.0


def test_a_cone_with_things_at_many_distances_gives_no_scale() -> None:
    p = torch.full((240, 320), 0.9)
    p[:, 155:175] = 0.3
    with pytest.raises(NoScale, match="agree on a scale"):
        scale_from_cones(p, CAMERA, cones((0.0, 0.0, 2.0)))


def test_readings_that_contradict_each_other_give_no_scale() -> None:
    with pytest.raises(NoScale, match="50% of"):
        scale_from_cones(sphere_depth(0.8), CAMERA, cones((-1.0, 0.0, 3.0), (2.0, 0.0, 6.0)))


def test_a_laser_beam_is_taken_for_a_few_pixels_wide() -> None:
    assert scale_from_cones(sphere_depth(0.8), CAMERA, cones((0, 0, 4.0), half_angle_rad=0.0)).inliers > 100


@pytest.mark.parametrize("ends", [[], [(0.0, 0.0, -1.0)], [(9.0, 0.0, 1.0)], [(math.nan, 0.0, 1.0)]])
def test_no_reading_in_view_gives_no_scale(ends: list[tuple[float, float, float]]) -> None:
    with pytest.raises(NoScale, match="is in view"):
        scale_from_cones(sphere_depth(0.8), CAMERA, cones(*ends))


@pytest.mark.parametrize("value", [torch.nan, 0.0, torch.inf])
def test_depth_that_knows_nothing_gives_no_scale(value: float) -> None:
    with pytest.raises(NoScale, match="no pixel in the cone"):
        scale_from_cones(torch.full((240, 320), value), CAMERA, cones((0.0, 0.0, 2.0)))


@pytest.mark.parametrize("angle", [-0.1, 1.2, math.nan])
def test_an_angle_that_is_no_half_of_a_cone_is_refused(angle: float) -> None:
    with pytest.raises(InputError, match="half_angle_rad"):
        cones((0.0, 0.0, 1.0), half_angle_rad=angle)


@pytest.mark.parametrize("end", [(2.0, 1.4, 3.0), (-2.08, -1.5, 3.0)])
def test_a_cone_in_the_corner_of_the_image_counts_what_is_seen_of_it(end: tuple[float, float, float]) -> None:
    estimate = scale_from_cones(sphere_depth(0.8), CAMERA, cones(end, half_angle_rad=1.0))
    assert estimate.scale == pytest.approx(np.linalg.norm(end) / 0.8, rel=1e-5)
