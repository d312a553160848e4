# SPDX-License-Identifier: Apache-2.0
"""Properties of the pictures, with values worked out by hand."""

import cv2
import numpy as np
import pytest

from depthpro_ros import visualise
from depthpro_ros.cloud_view import cloud_view
from depthpro_ros.visualise import colour_depth, contact_sheet, legend_ticks, robust_limits, with_legend


def turbo(index: int) -> list[int]:
    """RGB of one entry of OpenCV's turbo map."""
    return cv2.applyColorMap(np.array([[index]], np.uint8), cv2.COLORMAP_TURBO)[0, 0, ::-1].tolist()


def packed(xyz: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """Points as depthpro_ros.cloud packs them, written independently of it."""
    bits = rgb[..., 0].astype(np.uint32) * 65536 + rgb[..., 1].astype(np.uint32) * 256 + rgb[..., 2]
    return np.concatenate([xyz.astype(np.float32), bits.astype(np.uint32).view(np.float32)[..., None]], axis=-1)


def test_colours_are_even_in_inverse_depth():
    # 1/2 to 1/4: the middle of the inverse is 3/8, that is 2.667 m; beyond the limits the end colours
    picture = colour_depth(np.array([[2.0, 8 / 3, 4.0, 1.0, 50.0]]), 2.0, 4.0)
    assert picture[0].tolist() == [turbo(255), turbo(128), turbo(0), turbo(255), turbo(0)]


def test_invalid_depths_have_their_own_colours():
    depth = np.array([[np.nan, np.inf, -np.inf, 0.0, 3.0]], np.float32)
    picture = colour_depth(depth)
    expected = [
        visualise.UNTRUSTED_RGB, visualise.TOO_FAR_RGB, visualise.TOO_NEAR_RGB, visualise.TOO_NEAR_RGB
    ]  # fmt: skip
    assert [tuple(c) for c in picture[0, :4].tolist()] == expected
    assert tuple(picture[0, 4].tolist()) not in expected
    assert all(max(c) == min(c) for c in expected), "neutral means grey: turbo has no grey"


def test_limits_ignore_outliers_and_invalid_depths():
    depth = np.concatenate([np.linspace(2.0, 3.0, 1001), [np.nan, np.inf, -np.inf, 0.0, -5.0, 10000.0]])
    near, far = robust_limits(depth)
    assert near == pytest.approx(2.02, abs=0.01) and far == pytest.approx(2.98, abs=0.01)


@pytest.mark.parametrize("depth", [np.full((4, 4), np.nan), np.full((4, 4), 2.0), np.empty((0, 0))])
def test_limits_and_colours_of_a_degenerate_map(depth):
    near, far = robust_limits(depth)
    assert 0 < near < far
    assert colour_depth(depth).shape == (*depth.shape, 3)


@pytest.mark.parametrize("near, far", [(0.0, 1.0), (2.0, 2.0), (3.0, 2.0), (1.0, np.inf)])
def test_impossible_limits_are_refused(near, far):
    with pytest.raises(ValueError, match="0 < near < far"):
        colour_depth(np.ones((2, 2)), near, far)


@pytest.mark.parametrize("near, far", [(0.5, 80.0), (2.1, 5.1), (2.2, 2.4), (0.02, 9000.0)])
def test_ticks_stand_where_the_bar_has_their_colour(near, far):
    height = 400
    picture = with_legend(np.zeros((height, 10, 3), np.uint8), near, far)
    margin, bar_left = 12, 10 + 8
    rows = height - 2 * margin
    ticks = legend_ticks(near, far, rows)
    assert len(ticks) >= 3
    for depth, row in ticks:
        shown = picture[margin + row, bar_left + 3].astype(int)
        # the colour scale has 256 steps and the bar has 376 rows: up to one step beside
        index = 255 * (1 / depth - 1 / far) / (1 / near - 1 / far)
        near_by = [np.abs(shown - turbo(int(np.clip(round(index) + d, 0, 255)))).max() for d in (-1, 0, 1)]
        assert min(near_by) == 0, f"{depth} m"
    assert [row for _, row in ticks] == sorted(row for _, row in ticks)


def test_legend_survives_a_tiny_picture():
    assert with_legend(np.zeros((3, 5, 3), np.uint8), 1, 2).shape[0] == 3


def plane(z: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """A wall facing the camera, 4 m x 3 m: left half red, right half green, top row of quarters darker."""
    x, y = np.meshgrid(np.linspace(-2, 2, 160), np.linspace(-1.5, 1.5, 120))
    rgb = np.zeros((120, 160, 3), np.uint8)
    rgb[:, :80, 0], rgb[:, 80:, 1] = 200, 200
    rgb[:60] //= 2
    return np.stack([x, y, np.full_like(x, z)], axis=-1), rgb


def test_view_from_the_camera_itself_shows_the_picture():
    view = cloud_view(packed(*plane()), width=160, height=120, yaw_deg=0, pitch_deg=0)
    assert view[30, 40].tolist() == [100, 0, 0] and view[30, 120].tolist() == [0, 100, 0]
    assert view[90, 40].tolist() == [200, 0, 0] and view[90, 120].tolist() == [0, 200, 0]


def test_view_from_the_right_shows_the_right_side_larger():
    view = cloud_view(packed(*plane()), width=320, height=240, yaw_deg=30, pitch_deg=0)
    rows = (view != visualise.PAPER_RGB).any(axis=2).sum(axis=0)
    columns = np.flatnonzero(rows > 10)
    assert rows[columns[-8]] > 1.3 * rows[columns[8]]


def test_nearer_points_hide_farther_ones_in_any_order():
    wall, red = plane(3.0)
    board, _ = plane(2.0)
    blue = np.zeros_like(red)
    blue[..., 2] = 255
    far, near = packed(wall, red).reshape(-1, 4), packed(board * 0.5, blue).reshape(-1, 4)
    first = cloud_view(np.concatenate([far, near]), width=160, height=120, yaw_deg=0, pitch_deg=0)
    second = cloud_view(np.concatenate([near, far]), width=160, height=120, yaw_deg=0, pitch_deg=0)
    assert np.array_equal(first, second)
    assert first[60, 80].tolist() == [0, 0, 255]


@pytest.mark.parametrize("cloud", [np.empty((0, 4)), np.full((3, 5, 4), np.nan), np.array([[0, 0, 2.0, 0]])])
def test_view_of_nearly_nothing(cloud):
    assert cloud_view(cloud.astype(np.float32), width=64, height=48).dtype == np.uint8


def test_contact_sheet_keeps_proportions():
    white = np.full((50, 200, 3), 255, np.uint8)
    sheet = contact_sheet([white, white, white], 2, (100, 100), gap_px=10)
    assert sheet.shape == (230, 230, 3)
    cell = sheet[10:110, 10:110]
    assert (cell == 255).all(axis=2).sum(axis=0).max() == 25
