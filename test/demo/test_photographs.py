# SPDX-License-Identifier: Apache-2.0
"""The demo's pictures: geometry that must hold whatever code cut them."""

import numpy as np
import pytest

pytest.importorskip("skimage")

from depthpro_ros.demo.photographs import (
    VIEW_HEIGHT,
    VIEW_WIDTH,
    VIEWS,
    Window,
    demo_frames,
    motorcycle_view,
    photographs,
    window_path,
)
from depthpro_ros.evaluation.motorcycle import motorcycle


@pytest.fixture(scope="module")
def scene():
    return motorcycle()


def test_depth_range_is_the_published_scene(scene):
    # min, median and max of Z = baseline f / (disparity + doffs), and the number of unknown pixels
    rgb, depth = scene
    assert rgb.shape == (500, 741, 3) and depth.shape == (500, 741) and depth.dtype == np.float32
    known = depth[np.isfinite(depth)]
    assert np.isnan(depth).sum() == 27226
    assert known.min() == pytest.approx(2.11, abs=0.01)
    assert np.median(known) == pytest.approx(2.75, abs=0.01)
    assert known.max() == pytest.approx(5.02, abs=0.01)


def test_whole_scene_has_the_calibrated_field_of_view(scene):
    camera = motorcycle_view(*scene, Window(0, 0, 741, 500)).camera
    assert camera is not None and camera.fov_deg == pytest.approx(40.85, abs=0.01)


@pytest.mark.parametrize("other", [5, 8, 15])
def test_points_of_one_view_lie_on_the_matching_pixels_of_another(scene, other):
    """The views share a centre and axes: X, Y, Z of a pixel in A must be the Z at its pixel in B."""
    path = window_path(VIEWS)
    a, b = motorcycle_view(*scene, path[0]), motorcycle_view(*scene, path[other])
    v, u = np.mgrid[:VIEW_HEIGHT, :VIEW_WIDTH].astype(float)
    z = a.truth_m
    x, y = (u - a.camera.cx) / a.camera.fx * z, (v - a.camera.cy) / a.camera.fy * z
    ub, vb = x / z * b.camera.fx + b.camera.cx, y / z * b.camera.fy + b.camera.cy
    with np.errstate(invalid="ignore"):
        seen = np.isfinite(z) & (ub > 0) & (ub < VIEW_WIDTH - 1) & (vb > 0) & (vb < VIEW_HEIGHT - 1)
    ui, vi = np.rint(ub[seen]).astype(int), np.rint(vb[seen]).astype(int)
    zb = b.truth_m[vi, ui]
    both = np.isfinite(zb)
    assert both.sum() > 20_000
    error = np.abs(zb[both] / z[seen][both] - 1)
    # nearest-pixel sampling moves a depth by up to half a pixel, which matters only at edges
    assert (error < 0.01).mean() > 0.97
    # colours agree as well, and not so well with a shift of two pixels
    grey_a, grey_b = a.rgb.mean(axis=2), b.rgb.mean(axis=2)
    here = np.abs(grey_b[vi, ui] - grey_a[seen]).mean()
    for du, dv in ((2, 0), (-2, 0), (0, 2), (0, -2)):
        beside = grey_b[np.clip(vi + dv, 0, VIEW_HEIGHT - 1), np.clip(ui + du, 0, VIEW_WIDTH - 1)]
        assert here < 0.8 * np.abs(beside - grey_a[seen]).mean()


def test_a_view_of_known_pixels_keeps_them(scene):
    rgb, depth = scene
    view = motorcycle_view(rgb, depth, Window(100, 60, VIEW_WIDTH, VIEW_HEIGHT))
    assert np.array_equal(view.rgb, rgb[60:420, 100:580])
    assert np.array_equal(view.truth_m, depth[60:420, 100:580], equal_nan=True)
    # a cut moves the principal point and leaves the focal length
    assert (view.camera.fx, view.camera.cx, view.camera.cy) == pytest.approx((994.978, 211.193, 194.877))


def test_windows_stay_inside_and_move_smoothly():
    path = window_path(VIEWS)
    assert len(path) == VIEWS
    for w in path:
        assert w.left >= 0 and w.top >= 0 and w.left + w.width <= 741 and w.top + w.height <= 500
        assert w.width * VIEW_HEIGHT == w.height * VIEW_WIDTH, "square pixels"
    lefts = np.array([w.left for w in path])
    assert np.abs(np.diff(lefts)).max() < 60 and len(set(lefts)) > VIEWS // 2


def test_other_photographs_have_no_known_camera():
    frames = demo_frames()
    unknown = [f for f in frames if f.name != "motorcycle"]
    assert {f.name for f in unknown} == {name for name, _ in photographs()} >= {"coffee", "rocket"}
    assert all(f.camera is None and f.truth_m is None for f in unknown)
    assert all(f.camera is not None and f.truth_m is not None for f in frames[:VIEWS])
    assert all(f.rgb.dtype == np.uint8 and f.rgb.shape[2] == 3 and f.rgb.flags.c_contiguous for f in frames)
