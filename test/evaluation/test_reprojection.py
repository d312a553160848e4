# SPDX-License-Identifier: Apache-2.0
"""Agreement of frames of walls and a box, seen from known places."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.reprojection import View, reprojection_error

CAMERA = Intrinsics.from_focal(48, 36, 40.0)
HERE = np.eye(4)


def at(x: float = 0.0, z: float = 0.0) -> np.ndarray:
    pose = np.eye(4)
    pose[0, 3], pose[2, 3] = x, z
    return pose


def wall(depth_m: float) -> np.ndarray:
    return np.full((36, 48), depth_m)


def box_before_wall(x: float) -> np.ndarray:
    """A box 1 m wide at 2 m, before a wall at 6 m, from a camera at x: the box is where |u / f * 2 + x| < 0.5."""
    u = (np.arange(48) - CAMERA.cx) / CAMERA.fx
    return np.tile(np.where(np.abs(2 * u + x) < 0.5, 2.0, 6.0), (36, 1))


def test_the_same_view_agrees() -> None:
    agreement = reprojection_error(View(wall(3.0), CAMERA, HERE), View(wall(3.0), CAMERA, HERE))
    assert (agreement.error, agreement.pixels, agreement.hidden) == (0, 2 * 36 * 48, 0)


@settings(max_examples=15, deadline=None)
@given(scale=st.floats(0.9, 1.15))
def test_a_wrong_scale_does_not_fit_the_motion(scale: float) -> None:
    """A wall at 5 k from one place is at 5 k - 1 from a metre ahead, which says 4 k: |k - 1| / 4 k; back, / 5 k."""
    views = View(wall(5 * scale), CAMERA, at()), View(wall(4 * scale), CAMERA, at(z=1.0))
    expected = (abs(scale - 1) / (4 * scale) + abs(scale - 1) / (5 * scale)) / 2
    assert reprojection_error(*views).error == pytest.approx(expected, abs=1e-12)


def test_what_is_hidden_does_not_count() -> None:
    """The camera moves a third of a metre beside a box: some of the wall behind it is seen from one side only."""
    views = [View(box_before_wall(x), CAMERA, at(x)) for x in (0.0, 0.3)]
    agreement = reprojection_error(*views)
    assert agreement.error == pytest.approx(0, abs=1e-9)
    assert agreement.hidden > 100
    with_truth = [View(v.predicted_m, CAMERA, v.world_from_camera, v.predicted_m) for v in views]
    assert reprojection_error(*with_truth) == agreement


def test_order_and_world_do_not_matter() -> None:
    """Both poses moved together, by a turn and a shift, are the same pair of views."""
    rng = np.random.default_rng(0)
    moved = np.eye(4)
    moved[:3, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    moved[:3, 3] = [4, -2, 7]
    a, b = (View(box_before_wall(x) * 1.02, CAMERA, at(x)) for x in (0.0, 0.3))
    agreement = reprojection_error(a, b)
    other_world = [View(v.predicted_m, CAMERA, moved @ v.world_from_camera) for v in (b, a)]
    assert reprojection_error(*other_world).error == pytest.approx(agreement.error, rel=1e-6)


def test_the_nearest_point_on_a_pixel_counts() -> None:
    """From far behind, box and wall shrink onto few pixels; every one shows a depth that is there."""
    near, far = box_before_wall(0.0), wall(26.0)
    u = (np.arange(48) - CAMERA.cx) / CAMERA.fx
    far[:, np.abs(22 * u) < 0.5] = 22.0
    agreement = reprojection_error(View(near, CAMERA, at()), View(far, CAMERA, at(z=-20.0)))
    assert agreement.error < 0.02


def test_flicker_shows_one_way_without_truth_and_both_with() -> None:
    """1 m, then 1.2 m: in front by 0.2 / 1.2; the other way round it may be hidden, unless the truth denies it."""
    views = [View(wall(d), CAMERA, HERE) for d in (1.0, 1.2)]
    agreement = reprojection_error(*views)
    assert agreement.error == pytest.approx(0.2 / 1.2)
    assert agreement.hidden == 36 * 48
    sure = reprojection_error(*[View(v.predicted_m, CAMERA, HERE, wall(1.1)) for v in views])
    assert sure.error == pytest.approx((0.2 / 1.2 + 0.2 / 1.0) / 2)
    assert sure.hidden == 0


def test_views_that_share_nothing() -> None:
    turned = np.diag([-1.0, 1.0, -1.0, 1.0])
    agreement = reprojection_error(View(wall(3.0), CAMERA, HERE), View(wall(3.0), CAMERA, turned))
    assert math.isnan(agreement.error) and agreement.pixels == 0


def test_holes_are_left_out() -> None:
    before, after = wall(3.0), wall(3.0)
    before[:18], after[:, :24] = np.nan, 0
    agreement = reprojection_error(View(before, CAMERA, HERE), View(after, CAMERA, HERE))
    assert (agreement.error, agreement.pixels) == (0, 2 * 18 * 24)


def test_wrong_pose() -> None:
    with pytest.raises(InputError, match="4, 4"):
        View(wall(3.0), CAMERA, np.eye(3))
