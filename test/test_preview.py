# SPDX-License-Identifier: Apache-2.0
"""Colours for people: black where there is no depth, and steady where the scene is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.preview import FOLLOWED, Preview, jpeg
from depthpro_ros.visualise import colour_depth, robust_limits

DEPTH = np.linspace(1, 9, 60 * 80, dtype=np.float32).reshape(60, 80)


def test_colours_are_those_of_all_depth_pictures() -> None:
    np.testing.assert_array_equal(Preview().picture(DEPTH, 2.0, 7.0), colour_depth(DEPTH, 2.0, 7.0))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 0.0, -1.0])
def test_what_is_no_depth_is_black(bad: float) -> None:
    depth = DEPTH.copy()
    depth[10:20] = bad
    picture = Preview().picture(depth)
    assert not picture[10:20].any()
    assert picture[:10].any(-1).all() and picture[20:].any(-1).all()


def test_limits_are_percentiles_at_first() -> None:
    assert Preview().limits(DEPTH, 0, 0) == pytest.approx(robust_limits(DEPTH))


def test_limits_follow_slowly_and_arrive() -> None:
    preview = Preview()
    before = preview.limits(DEPTH, 0, 0)
    after = preview.limits(3 * DEPTH, 0, 0)
    assert after == pytest.approx([limit * 3**FOLLOWED for limit in before])
    for _ in range(100):
        after = preview.limits(3 * DEPTH, 0, 0)
    assert after == pytest.approx([3 * limit for limit in before], rel=1e-3)


def test_noise_makes_no_flicker() -> None:
    rng, preview = np.random.default_rng(0), Preview()
    own, steady = [], []
    for _ in range(200):
        depth = DEPTH * np.float32(np.exp(rng.normal(0, 0.1)))
        own.append(np.log(robust_limits(depth)))
        steady.append(np.log(preview.limits(depth, 0, 0)))
    # the standard deviation of an exponential mean of independent numbers: sqrt(w / (2 - w)) = 0.23
    assert np.std(steady[30:], 0) == pytest.approx(np.std(own, 0) * np.sqrt(FOLLOWED / (2 - FOLLOWED)), rel=0.5)


def test_a_frame_without_depth_leaves_the_limits() -> None:
    preview = Preview()
    before = preview.limits(DEPTH, 0, 0)
    assert preview.limits(np.full_like(DEPTH, np.nan), 0, 0) == before
    assert not preview.picture(np.full_like(DEPTH, np.nan)).any()


@pytest.mark.parametrize(("near", "far"), [(0.0, 0.0), (20.0, 0.0), (0.0, 0.2), (0.0, 5.0), (2.0, 0.0), (3.0, 4.0)])
def test_given_limits_hold_and_leave_room_for_the_other(near: float, far: float) -> None:
    low, high = Preview().limits(DEPTH, near, far)
    assert 0 < low < high
    assert low == near or not near
    assert high == far or not far


def test_jpeg_keeps_the_colours_where_they_are() -> None:
    rgb = np.zeros((32, 48, 3), np.uint8)
    rgb[:, 24:, 0], rgb[:16, :, 2] = 250, 250
    decoded = cv2.imdecode(jpeg(rgb, 95), cv2.IMREAD_COLOR)[..., ::-1].astype(int)
    assert np.abs(decoded - rgb)[4:12, 4:20].max() < 12, "blue above"
    assert np.abs(decoded - rgb)[20:28, 28:44].max() < 12, "red below"
    assert len(jpeg(rgb, 10)) < len(jpeg(rgb, 95))


def test_a_picture_too_long_for_jpeg_is_refused() -> None:
    with pytest.raises(InputError, match="65501x1 pixels cannot be written as JPEG"):
        jpeg(np.zeros((1, 65501, 3), np.uint8), 80)
