# SPDX-License-Identifier: Apache-2.0
"""Which pixels count, against published sizes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.masks import (
    DepthMask,
    clamped,
    crop_window,
    kb_window,
    median,
    middle,
    usable,
    values_where,
)


def test_published_crops_in_pixels() -> None:
    """Rows and columns at 375x1242: 0.40810811 x 375 = 153.04, 0.96405229 x 1242 = 1197.35, and so on."""
    assert crop_window("garg", 375, 1242) == (slice(153, 371), slice(44, 1197))
    assert crop_window("eigen_kitti", 375, 1242) == (slice(124, 342), slice(44, 1197))
    assert crop_window("eigen_nyu", 480, 640) == (slice(45, 480 - 9), slice(41, 640 - 39))
    assert crop_window("border8", 480, 640) == (slice(8, 472), slice(8, 632))


def test_benchmark_crop_is_at_the_bottom_and_centred() -> None:
    assert kb_window(375, 1242) == (slice(23, 375), slice(13, 1229))


def test_crops_of_one_size_refuse_others() -> None:
    with pytest.raises(InputError, match="640x480"):
        crop_window("eigen_nyu", 240, 320)
    with pytest.raises(InputError, match="1216x352"):
        kb_window(320, 1216)
    with pytest.raises(InputError, match="nothing"):
        crop_window("border8", 16, 40)


def test_depth_range_is_open_below_and_closed_above() -> None:
    truth = np.array([[1.0, 1.001, 10.0, 10.001, math.nan, math.inf, 0.0, -1.0]])
    assert DepthMask(1.0, 10.0).of(truth).tolist() == [[False, True, True] + [False] * 5]
    assert DepthMask(0.0, math.inf).of(truth).tolist() == [[True] * 4 + [False] * 4]


def test_range_crop_and_own_mask_all_apply() -> None:
    truth = np.full((480, 640), 5.0)
    truth[100, 100] = 90.0
    known = np.ones(truth.shape, bool)
    known[101, 101] = False
    assert DepthMask(crop="eigen_nyu").of(truth, known).sum() == 426 * 560 - 2


def test_result_says_its_mask() -> None:
    assert DepthMask(1e-3, 80.0, "garg").label == "depth in ]0.001, 80] m, garg crop"


@pytest.mark.parametrize("wrong", [{"min_depth_m": 5.0, "max_depth_m": 2.0}, {"crop": "middle"}, {"min_depth_m": -1.0}])
def test_masks_without_meaning(wrong: dict) -> None:
    with pytest.raises(InputError):
        DepthMask(**wrong)


def test_masks_of_another_shape() -> None:
    with pytest.raises(InputError, match="mask of shape"):
        DepthMask().of(np.ones((3, 4)), np.ones((4, 3), bool))


def test_clamping_gives_every_pixel_a_depth() -> None:
    values = np.array([[math.nan, math.inf, -math.inf, 0.0, 5.0, 99.0]])
    assert clamped(values, 0.5, 80.0).tolist() == [[0.5, 80.0, 0.5, 0.5, 5.0, 80.0]]


@pytest.mark.parametrize(("values", "expected"), [([3, 1, 2], (2, 2)), ([4, 1, 3, 2], (2, 3)), ([7], (7, 7))])
def test_middle(values: list[float], expected: tuple[float, float]) -> None:
    assert middle(np.array(values, float)) == expected
    assert all(math.isnan(x) for x in middle(np.zeros(0)))


@pytest.mark.parametrize("count", [1, 2, 7, 100, 101])
def test_median_is_numpys(count: int) -> None:
    values = np.random.default_rng(count).normal(size=count)
    before = values.copy()
    assert median(values) == np.median(values)
    np.testing.assert_array_equal(values, before)
    assert median(values, overwrite=True) == np.median(before)
    assert math.isnan(median(np.zeros(0)))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_values_where_are_those_of_indexing(share: float) -> None:
    rng = np.random.default_rng(0)
    mask = rng.random((5, 7)) < share
    one, other = rng.random((5, 7)), rng.random((7, 5)).T
    for values, x in zip(values_where(mask, one, other), (one, other), strict=True):
        np.testing.assert_array_equal(values, x[mask])


def test_usable_is_finite_and_above_0() -> None:
    values = np.array([[math.nan, math.inf, -math.inf, 0.0, -0.0, -2.0, 1e-30, 5.0]])
    assert usable(values).tolist() == [[False] * 6 + [True] * 2]
