# SPDX-License-Identifier: Apache-2.0
"""Plane errors against planes that are given by an equation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.planes import Plane, score_planes

CAMERA = Intrinsics(80, 60, 70.0, 72.0, 39.0, 31.0)
EVERYWHERE = np.ones((60, 80), bool)
WALL = (0.0, 0.0, 1.0)


def plane_depth(normal: tuple[float, float, float], distance_m: float) -> np.ndarray:
    """z of n . X = distance at each pixel: distance / (n . ray), ray = ((u - cx) / fx, (v - cy) / fy, 1)."""
    v, u = np.mgrid[0:60, 0:80]
    ray_x, ray_y = (u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy
    return distance_m / (normal[0] * ray_x + normal[1] * ray_y + normal[2])


def turned(angle_deg: float) -> tuple[float, float, float]:
    """The wall, turned about the vertical."""
    return (math.sin(math.radians(angle_deg)), 0.0, math.cos(math.radians(angle_deg)))


@settings(max_examples=25, deadline=None)
@given(angle=st.floats(-40, 40), scale=st.floats(0.01, 100))
def test_a_turned_wall_is_flat_and_off_by_its_angle(angle: float, scale: float) -> None:
    truth = plane_depth(WALL, 4.0)
    (scores,) = score_planes(scale * plane_depth(turned(angle), 4.0), truth, [Plane(EVERYWHERE, WALL)], CAMERA)
    assert scores.orientation_deg == pytest.approx(abs(angle), abs=1e-5)
    assert scores.flatness_cm == pytest.approx(0, abs=1e-4)


def test_either_way_round_and_any_length() -> None:
    truth = plane_depth(WALL, 4.0)
    predicted = plane_depth(turned(10), 4.0)
    for normal in ((0.0, 0.0, -1.0), (0.0, 0.0, 7.0)):
        (scores,) = score_planes(predicted, truth, [Plane(EVERYWHERE, normal)], CAMERA)
        assert scores.orientation_deg == pytest.approx(10)


def test_flatness_is_the_noise_in_centimetres() -> None:
    """A share s of noise in z moves a point of the plane n . X = d by s d along the normal."""
    truth = plane_depth(turned(20), 3.0)
    noise = np.random.default_rng(0).normal(0, 0.002, truth.shape)
    (scores,) = score_planes(truth * (1 + noise), truth, [Plane(EVERYWHERE, turned(20))], CAMERA)
    assert scores.flatness_cm == pytest.approx(100 * 3.0 * 0.002, rel=0.03)
    assert scores.orientation_deg < 0.1


def test_normals_of_ibims() -> None:
    """There x is right, y forward and z up: the floor's is (0, 0, 1), a wall's ahead (0, -1, 0)."""
    assert Plane.of_ibims(EVERYWHERE, [0, 0, 1]).normal == (0, -1, 0)
    assert Plane.of_ibims(EVERYWHERE, np.array([0, -1, 0])).normal == (0, 0, -1)
    assert Plane.of_ibims(EVERYWHERE, [1, 0, 0]).normal == (1, 0, 0)


def test_small_planes_have_no_score() -> None:
    """Below 5 % of the image: 4800 pixels, so 239 is too few and 240 is enough."""
    truth = plane_depth(WALL, 4.0)
    few, enough = np.zeros((2, 4800), bool)
    few[:239] = enough[:240] = True
    scores = score_planes(truth, truth, [Plane(x.reshape(60, 80), WALL) for x in (few, enough)], CAMERA)
    assert math.isnan(scores[0].flatness_cm) and math.isnan(scores[0].orientation_deg)
    assert scores[1].flatness_cm == pytest.approx(0, abs=1e-4)


def test_holes_are_left_out_and_counted() -> None:
    truth = plane_depth(WALL, 4.0)
    predicted = truth.copy()
    predicted[:10], truth[-10:] = np.nan, 0
    (scores,) = score_planes(predicted, truth, [Plane(EVERYWHERE, WALL)], CAMERA)
    assert (scores.pixels, scores.invalid) == (4000, 800)
    assert scores.flatness_cm == pytest.approx(0, abs=1e-4)


def test_wrong_input() -> None:
    truth = plane_depth(WALL, 4.0)
    with pytest.raises(InputError, match="longer than 0"):
        score_planes(truth, truth, [Plane(EVERYWHERE, (0.0, 0.0, 0.0))], CAMERA)
    with pytest.raises(InputError, match="shape"):
        score_planes(truth, truth, [Plane(EVERYWHERE[1:], WALL)], CAMERA)
    with pytest.raises(InputError, match="intrinsics"):
        score_planes(truth, truth, [Plane(EVERYWHERE, WALL)], CAMERA.resized(40, 30))
