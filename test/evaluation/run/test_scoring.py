# SPDX-License-Identifier: Apache-2.0
"""Figures of one frame, for predictions whose errors are known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.frame import Extras
from depthpro_ros.evaluation.masks import DepthMask
from depthpro_ros.evaluation.results.record import Focal
from depthpro_ros.evaluation.run.frames import Predicted, SourceFrame
from depthpro_ros.evaluation.run.scoring import FrameScorer, Scored
from test.evaluation.run.world import FX, HEIGHT, WIDTH, image_of, scene, stamp

CAMERA = Intrinsics(WIDTH, HEIGHT, FX, FX, 23.5, 15.5)


def frame(number: int = 0, **changes) -> SourceFrame:
    truth_m = (scene(number) / 10).astype(np.float32)
    return replace(SourceFrame(f"f{number}", "s", image_of(scene(number)), stamp(number), truth_m=truth_m), **changes)


def predicted(depth_m: np.ndarray, focal: Focal | None = None, **times: float) -> Predicted:
    return Predicted(depth_m.astype(np.float32), CAMERA, focal or Focal(WIDTH, FX, None, FX), times)


def figures(factor: float, scorer: FrameScorer | None = None, **changes) -> dict[str, float]:
    source = frame(**changes)
    assert source.truth_m is not None
    return (scorer or FrameScorer()).score(0, source, predicted(source.truth_m * factor), None)[0].figures


def test_a_factor_shows_without_alignment_and_vanishes_with_it():
    found = figures(1.2)
    assert found["abs_rel"] == pytest.approx(0.2, rel=1e-6)
    assert found["bias"] == pytest.approx(0.2, rel=1e-6)
    assert found["delta1"] == 1 and found["delta_110"] == 0
    assert found["rmse_log"] == pytest.approx(math.log(1.2), rel=1e-5)
    assert found["abs_rel@median_scale"] == pytest.approx(0, abs=1e-6)
    assert found["scale@median_scale"] == pytest.approx(1 / 1.2, rel=1e-6)
    assert found["abs_rel@affine_disparity"] == pytest.approx(0, abs=1e-6)
    assert found["frame_scale"] == pytest.approx(1 / 1.2, rel=1e-6) and found["ratio"] == pytest.approx(1.2, rel=1e-6)


def test_boundaries_are_blind_to_scale_and_perfect_here():
    assert figures(1.7)["boundary_f1"] == pytest.approx(1.0)


def test_only_ground_truth_within_the_mask_counts():
    scorer = FrameScorer(mask=DepthMask(1e-3, 3.0))
    source = frame()
    depth_m = source.truth_m * np.where(source.truth_m < 3, 1.1, 5.0)
    record, _ = scorer.score(0, source, predicted(depth_m), None)
    assert record.figures["abs_rel"] == pytest.approx(0.1, rel=1e-5)
    assert record.pixels == 12 * 16  # the box


def test_pixels_without_a_prediction_are_counted_and_miss_every_delta():
    source = frame()
    depth_m = source.truth_m.copy()
    depth_m[:16] = np.nan
    record, _ = FrameScorer().score(0, source, predicted(depth_m), None)
    assert record.figures["invalid_share"] == 0.5 and record.figures["delta1"] == 0.5
    ignoring, _ = FrameScorer(invalid="ignore").score(0, source, predicted(depth_m), None)
    assert ignoring.figures["delta1"] == 1


def test_a_prediction_of_another_size_is_brought_to_the_ground_truths():
    flat = frame(truth_m=np.full((2 * HEIGHT, 2 * WIDTH), 2.0, np.float32))
    record, scored = FrameScorer().score(0, flat, predicted(np.full((HEIGHT, WIDTH), 3.0)), None)
    assert scored.depth_m.shape == (2 * HEIGHT, 2 * WIDTH)
    assert record.figures["abs_rel"] == pytest.approx(0.5)


def test_focal_figures_need_an_estimate_and_the_truth():
    source = frame()
    estimated = Focal(WIDTH, FX, 1.3 * FX, FX)
    found = FrameScorer().score(0, source, predicted(source.truth_m, estimated), None)[0].figures
    assert found["focal_ratio"] == pytest.approx(1.3) and found["focal_error"] == pytest.approx(0.3)
    assert "focal_ratio" not in figures(1.0)


def test_flicker_is_of_a_camera_at_rest():
    still, moved = frame(0), frame(7)
    before = Scored(still, predicted(still.truth_m), still.truth_m)
    same = FrameScorer().score(1, replace(still, id="g"), predicted(still.truth_m * 1.05), before)[0].figures
    assert same["flicker"] == pytest.approx(math.log(1.05), rel=1e-4)
    # every pixel another colour: nothing stands still
    other = replace(moved, rgb=(255 - moved.rgb).astype(np.uint8))
    assert "flicker" not in FrameScorer().score(1, other, predicted(moved.truth_m), before)[0].figures


def test_scenes_are_not_compared_with_each_other():
    still = frame()
    before = Scored(still, predicted(still.truth_m), still.truth_m)
    found = FrameScorer().score(1, replace(still, scene="t"), predicted(still.truth_m), before)[0].figures
    assert "flicker" not in found


def test_clouds_of_a_perfect_prediction_touch():
    found = figures(1.0, FrameScorer(metrics=("clouds",)))
    assert found["chamfer_m"] == pytest.approx(0, abs=1e-6) and found["f_score_005"] == 1 == found["f_score_1pc"]


def test_a_flat_wall_that_is_predicted_flat_has_no_plane_error():
    from depthpro_ros.evaluation.datasets.frame import Plane

    wall = np.full((HEIGHT, WIDTH), 3.0, np.float32)
    # towards the camera, in iBims-1's axes: right, forward, up
    row = np.array([0, 0, 0, 0, 0, -1, 0], np.float64)
    extras = Extras(planes=(Plane("wall", np.ones((HEIGHT, WIDTH), bool), row),))
    source = frame(truth_m=wall, extras=extras)
    found = FrameScorer(metrics=("planes",)).score(0, source, predicted(wall * 1.4), None)[0].figures
    assert found["pe_fla"] == pytest.approx(0, abs=1e-6) and found["pe_planes"] == 1
    assert min(found["pe_ori"], 180 - found["pe_ori"]) == pytest.approx(0, abs=1e-4)


def test_reprojection_of_a_camera_that_rests_is_the_change_of_depth():
    pose = Extras(camera_to_world=np.eye(4))
    source = frame(extras=pose)
    before = Scored(source, predicted(source.truth_m), source.truth_m)
    scorer = FrameScorer(metrics=("reprojection",))
    found = scorer.score(1, replace(source, id="g"), predicted(source.truth_m), before)[0].figures
    assert found["reprojection"] == pytest.approx(0, abs=1e-6)


def test_without_ground_truth_there_are_times_only():
    record, _ = FrameScorer().score(3, frame(truth_m=None), predicted(np.ones((HEIGHT, WIDTH)), model_ms=5.0), None)
    assert record.figures == {"model_ms": 5.0} and record.profiles is None and record.index == 3


def test_an_unknown_group_is_refused():
    with pytest.raises(InputError, match="unknown metrics sharpness"):
        FrameScorer(metrics=("sharpness",))
