# SPDX-License-Identifier: Apache-2.0
"""The warping error of images that move by a known amount."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.flow import dis_flow, warped, warping_error

SIZE = (60, 80)


def texture(seed: int = 0) -> np.ndarray:
    """Smooth enough to follow, [96, 120, 3]."""
    noise = np.random.default_rng(seed).uniform(0, 255, (96, 120, 3))
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def part(image: np.ndarray, dx: int, dy: int) -> np.ndarray:
    return image[10 + dy : 70 + dy, 15 + dx : 95 + dx].copy()


def still() -> np.ndarray:
    return np.zeros((*SIZE, 2), np.float32)


def test_dis_finds_a_translation() -> None:
    """What is at x in the first part is at x - 3, y + 2 in the second."""
    flow = dis_flow(part(texture(), 0, 0), part(texture(), 3, -2))
    assert np.median(flow, axis=(0, 1)) == pytest.approx([-3, 2], abs=0.1)


def test_warping_by_whole_pixels_moves_values() -> None:
    values = np.arange(SIZE[0] * SIZE[1], dtype=np.float32).reshape(SIZE)
    flow = still() + np.float32([3, -2])
    moved = warped(values, flow)
    np.testing.assert_array_equal(moved[2:, :-4], values[:-2, 3:-1])
    assert np.isnan(moved[:2]).all() and np.isnan(moved[:, -3:]).all()


def test_depth_that_moves_with_the_image_has_no_error() -> None:
    """Depth is a sheet over the same texture; both parts are normalised nearly alike."""
    sheet = texture(1)[..., 0] / 50.0 + 1
    before, after = part(sheet, 0, 0), part(sheet, 3, -2)
    images = part(texture(), 0, 0), part(texture(), 3, -2)
    known = still() + np.float32([3, -2])
    follows = warping_error(before, after, *images, flow=known)
    stays = warping_error(before, before, *images, flow=known)
    assert follows < 0.1
    assert stays > 5 * follows
    assert warping_error(before, after, *images) == pytest.approx(follows, abs=0.1)


def test_definition_without_motion() -> None:
    """mean |D_w - D| sum_c exp(-50 (I_w - I)^2), written out for each pixel away from the border."""
    rng = np.random.default_rng(0)
    before, after = rng.uniform(1, 9, (2, *SIZE))
    image = texture()[: SIZE[0], : SIZE[1]]
    brighter = (image * 0.8).astype(np.uint8)

    def normalised(depth: np.ndarray) -> np.ndarray:
        return (depth - np.median(depth)) / np.mean(np.abs(depth - np.median(depth)))

    weight = sum(np.exp(-50 * ((image[..., c] / 255 - brighter[..., c] / 255) ** 2)) for c in range(3))
    product = np.abs(normalised(before) - normalised(after)) * weight
    error = warping_error(before, after, image, brighter, flow=still())
    assert error == pytest.approx(product.mean(), rel=0.02)


def test_scale_and_shift_do_not_matter() -> None:
    before, after = np.random.default_rng(0).uniform(1, 9, (2, *SIZE))
    image = texture()[: SIZE[0], : SIZE[1]]
    error = warping_error(before, after, image, image, flow=still())
    assert warping_error(3 * before + 1, 0.1 * after, image, image, flow=still()) == pytest.approx(error, rel=1e-4)


def test_holes_are_left_out() -> None:
    before, _ = np.random.default_rng(0).uniform(1, 9, (2, *SIZE))
    after = before.copy()
    after[10:20, 10:20] = np.nan
    image = texture()[: SIZE[0], : SIZE[1]]
    assert warping_error(before, after, image, image, flow=still()) < 0.1
    assert math.isnan(warping_error(before, np.full(SIZE, np.nan), image, image, flow=still()))


def test_wrong_input() -> None:
    image = texture()
    with pytest.raises(InputError, match="shape"):
        dis_flow(image, image[1:])
    with pytest.raises(InputError, match="at least"):
        dis_flow(image[:8, :8], image[:8, :8])
    with pytest.raises(InputError, match="resize"):
        warping_error(np.ones(SIZE), np.ones(SIZE), image, image)
