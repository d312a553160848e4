# SPDX-License-Identifier: Apache-2.0
"""How far two depth maps are apart, and what a camera at rest sees."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from depthpro_ros.bench.pictures import Picture
from depthpro_ros.bench.profiles import NOISE_LEVELS, Deviation, still_frames


def test_depth_that_is_a_tenth_too_far_changed_by_10_percent():
    exact = np.array([[1.0, 2.0, 50.0]], np.float32)
    found = Deviation.between(exact * np.float32(1.1), exact)
    assert found.relative == pytest.approx(0.1, rel=1e-5) and found.within == 1.0


def test_within_counts_the_larger_ratio_either_way():
    exact = np.ones((1, 4), np.float32)
    found = Deviation.between(np.array([[1.2, 1.3, 1 / 1.2, 1 / 1.3]], np.float32), exact)
    assert found.within == 0.5


@pytest.fixture
def picture() -> Picture:
    return Picture("grey", np.full((60, 80, 3), 100, np.uint8), 70.0)


def test_a_camera_at_rest_sees_the_same_but_for_noise(picture):
    first, second = still_frames(picture, moving=False)[:2]
    change = np.abs(first.rgb.astype(float) - second.rgb.astype(float)).mean()
    # the mean absolute difference of two normal numbers is 2 sigma / sqrt(pi); rounding adds a little
    assert change == pytest.approx(2 * NOISE_LEVELS / np.sqrt(np.pi), rel=0.1)


def test_what_passes_is_further_right_in_each_frame(picture):
    grey = [(np.abs(frame.rgb.astype(int) - 128) < 3).all(axis=2) for frame in still_frames(picture, moving=True)]
    places = [float(np.nonzero(mask)[1].mean()) for mask in grey]
    assert all(later > earlier + 1 for earlier, later in itertools.pairwise(places))
