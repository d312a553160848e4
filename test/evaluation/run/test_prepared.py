# SPDX-License-Identifier: Apache-2.0
"""Cutting and resizing of frames."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from depthpro_ros.camera import CameraModel, Intrinsics
from depthpro_ros.evaluation.datasets import Extras, Plane
from depthpro_ros.evaluation.results.record import Focal
from depthpro_ros.evaluation.run.frames import Predicted, SkippedFrame, SourceFrame
from depthpro_ros.evaluation.run.prepared import (
    AlignedCornersPredictor,
    Preparation,
    PreparedSource,
    resized_with_corners,
)

HEIGHT, WIDTH = 20, 30


def frame(**fields) -> SourceFrame:
    values = np.arange(HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
    camera = CameraModel.from_intrinsics(Intrinsics(WIDTH, HEIGHT, 25.0, 26.0, 14.0, 9.0), "optical")
    rgb = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    given = {"camera": camera, "true_fx_px": 25.0, "truth_m": values, "alpha": values / values.max(), **fields}
    return SourceFrame("a", "s", rgb, **given)


def test_maps_are_resized_as_torch_does_it_by_nearest_neighbour():
    for size in ((7, 11), (256, 256), (40, 15)):
        done = Preparation(cut_border_px=3, size=size).of(frame())
        cut = torch.from_numpy(frame().truth_m[3:-3, 3:-3].copy())[None, None]
        expected = torch.nn.functional.interpolate(cut, size=size, mode="nearest")[0, 0].numpy()
        np.testing.assert_array_equal(done.truth_m, expected)
        assert done.rgb.shape == (*size, 3) and done.alpha.shape == size


def test_the_camera_sees_the_same_directions():
    done = Preparation(cut_border_px=2, size=(8, 52)).of(frame())
    i = done.camera.intrinsics(52, 8, rectified=False)
    # two pixels are cut, 26 become 52 and 16 become 8
    assert (i.fx, i.fy, i.cx, i.cy) == (50.0, 13.0, (14 - 2 + 0.5) * 2 - 0.5, (9 - 2 + 0.5) / 2 - 0.5)
    assert done.true_fx_px == 50.0 and done.camera.frame_id == "optical"


def test_a_photograph_may_be_resized_alone():
    done = Preparation(photo_size=(10, 10)).of(frame())
    assert done.rgb.shape == (10, 10, 3) and np.all(done.rgb == 90)
    np.testing.assert_array_equal(done.truth_m, frame().truth_m)
    assert done.true_fx_px == pytest.approx(25 / 3)


def test_without_anything_to_do_nothing_is_done():
    done = Preparation().of(frame())
    np.testing.assert_array_equal(done.truth_m, frame().truth_m)
    np.testing.assert_array_equal(done.rgb, frame().rgb)
    assert done.camera == frame().camera and Preparation().label == ""


def test_planes_follow_and_edges_do_not_survive_a_resize():
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[:, 15:] = True
    extras = Extras(edges=mask, planes=(Plane("wall", mask, np.arange(8.0)),), stamp_s=3.0)
    cut = Preparation(cut_border_px=5).of(frame(extras=extras)).extras
    np.testing.assert_array_equal(cut.edges, mask[5:-5, 5:-5])
    done = Preparation(size=(4, 10)).of(frame(extras=extras)).extras
    assert done.edges is None and done.stamp_s == 3.0
    np.testing.assert_array_equal(done.planes[0].mask, np.tile(np.arange(10) >= 5, (4, 1)))


def test_a_frame_without_camera_and_truth_stays_without():
    done = Preparation(size=(5, 5)).of(frame(camera=None, true_fx_px=None, truth_m=None, alpha=None))
    assert (done.camera, done.true_fx_px, done.truth_m, done.alpha) == (None, None, None, None)


class Frames:
    """A source of these frames."""

    def __init__(self, *frames):
        self._frames = frames
        self.total = len(frames)

    def frames(self, start=0, stop=None):
        return iter(self._frames[start:stop])


def test_a_frame_that_is_too_small_is_skipped():
    source = PreparedSource(Frames(frame(), SkippedFrame("b", "s", None, "gone")), Preparation(cut_border_px=10))
    first, second = source.frames()
    assert isinstance(first, SkippedFrame) and "10 px cannot be cut" in first.reason and first.id == "a"
    assert second.reason == "gone" and source.total == 2


def test_a_ramp_resized_with_aligned_corners_is_the_ramp_between_the_same_ends():
    ramp = np.tile(np.linspace(1, 2, 5, dtype=np.float32), (4, 1))
    expected = np.tile(np.linspace(1, 2, 33), (9, 1))
    np.testing.assert_allclose(resized_with_corners(ramp, (9, 33)), expected, rtol=1e-6)


def test_a_prediction_with_aligned_corners_has_the_size_and_camera_of_the_truth():
    class Small:
        def predict(self, frame):
            depth = np.ones(frame.rgb.shape[:2], np.float32)
            return Predicted(depth, Intrinsics.from_focal(10, 10, 5.0), Focal(10, 5.0, None, None))

    done = AlignedCornersPredictor(Small()).predict(Preparation(photo_size=(10, 10)).of(frame()))
    assert done.depth_m.shape == (HEIGHT, WIDTH)
    assert (done.intrinsics.width, done.intrinsics.fx, done.intrinsics.fy) == (WIDTH, 15.0, 10.0)
