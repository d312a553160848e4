# SPDX-License-Identifier: Apache-2.0
"""Points of a sensor's frame in the optical frame."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthpro_ros.errors import InputError
from depthpro_ros.scale import Extrinsics

FORWARD_LEFT_UP = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])
NUMBER = st.floats(-1, 1)


def test_none_changes_nothing() -> None:
    assert Extrinsics().apply(FORWARD_LEFT_UP).tolist() == FORWARD_LEFT_UP.tolist()


def test_from_a_body_frame_to_an_optical_frame() -> None:
    """REP 103: forward is z, left is -x, up is -y."""
    body_to_optical = Extrinsics((0.1, 0.2, 0.3), (0.5, -0.5, 0.5, 0.5))
    expected = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]]) + [0.1, 0.2, 0.3]
    assert body_to_optical.apply(FORWARD_LEFT_UP) == pytest.approx(expected, abs=1e-6)


@given(NUMBER, NUMBER, NUMBER, NUMBER)
def test_rotation_is_the_product_of_quaternions(x: float, y: float, z: float, w: float) -> None:
    """q v q* by Hamilton's product, for any axis."""
    length = math.hypot(x, y, z, w)
    if length < 0.1:
        return
    x, y, z, w = x / length, y / length, z / length, w / length
    v, u = np.array([0.3, -1.2, 2.0]), np.array([x, y, z])
    expected = v + 2 * w * np.cross(u, v) + 2 * np.cross(u, np.cross(u, v))
    assert Extrinsics((0, 0, 0), (x, y, z, w)).apply(v[None])[0] == pytest.approx(expected, abs=1e-5)


def test_seven_numbers_are_translation_then_quaternion() -> None:
    assert Extrinsics.from_list([1, 2, 3, 0, 0, 1, 0]) == Extrinsics((1, 2, 3), (0, 0, 1, 0))


@pytest.mark.parametrize(
    "numbers",
    [
        [],
        [0.0] * 6,
        [0.0] * 7,
        [0, 0, 0, 0, 0, 0, 1.1],
        [math.nan, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, math.inf, 0, 0, 1],
    ],
)
def test_what_is_no_transform_is_refused(numbers: list[float]) -> None:
    with pytest.raises(InputError):
        Extrinsics.from_list(numbers)


def test_points_must_have_three_columns() -> None:
    with pytest.raises(InputError, match=r"\[N, 3\]"):
        Extrinsics().apply(np.zeros((3, 2)))


def test_no_points_are_no_points() -> None:
    assert Extrinsics().apply(np.zeros((0, 3))).shape == (0, 3)
