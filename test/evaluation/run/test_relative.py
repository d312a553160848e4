# SPDX-License-Identifier: Apache-2.0
"""Depth up to scale is scored after an alignment, and nothing takes it for metres."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from depthpro_ros.camera import CameraModel, Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.metrics import score_depth
from depthpro_ros.evaluation.results.record import Focal, FrameRecord
from depthpro_ros.evaluation.results.thumbnail import decode_depth
from depthpro_ros.evaluation.run.frames import Predicted, SourceFrame
from depthpro_ros.evaluation.run.predictors import PipelinePredictor, model_info
from depthpro_ros.evaluation.run.prepared import AlignedCornersPredictor
from depthpro_ros.evaluation.run.runner import thumbnail_of
from depthpro_ros.evaluation.run.scoring import (
    DEFAULT_ALIGNMENTS,
    RELATIVE_ALIGNMENTS,
    SCORE_NAMES,
    FrameScorer,
    Scored,
)
from test.evaluation.run.relative_world import ReadsRelative
from test.evaluation.run.world import FX, HEIGHT, WIDTH, image_of, scene, stamp

CAMERA = Intrinsics(WIDTH, HEIGHT, FX, FX, 23.5, 15.5)
SCORER = FrameScorer().of_model(metric=False)


def frame(number: int = 0, **changes) -> SourceFrame:
    truth_m = (scene(number) / 10).astype(np.float32)
    return replace(SourceFrame(f"f{number}", "s", image_of(scene(number)), stamp(number), truth_m=truth_m), **changes)


def said(relative: np.ndarray, camera: Intrinsics | None = CAMERA) -> Predicted:
    return Predicted(None, camera, Focal(WIDTH), relative=relative.astype(np.float32))


def score(relative: np.ndarray, scorer: FrameScorer = SCORER, **changes) -> tuple[FrameRecord, Scored]:
    return scorer.score(0, frame(**changes), said(relative), None)


def noisy() -> np.ndarray:
    truth_m = frame().truth_m
    assert truth_m is not None
    return truth_m * np.exp(np.random.default_rng(3).normal(0, 0.2, truth_m.shape)) / 10


def test_a_prediction_is_in_metres_or_up_to_scale_and_never_both():
    depth = np.ones((2, 2), np.float32)
    for depths in ({"depth_m": depth, "relative": depth}, {"depth_m": None}):
        with pytest.raises(ValueError, match="either"):
            Predicted(intrinsics=CAMERA, focal=Focal(2), **depths)


@pytest.mark.parametrize("alignments", [("none",), ("median_ratio", "none"), ()])
def test_figures_without_alignment_are_refused(alignments):
    with pytest.raises(InputError, match="--align median_ratio"):
        FrameScorer(alignments=alignments).of_model(metric=False)


@pytest.mark.parametrize("group", ["clouds", "reprojection"])
def test_lengths_in_metres_are_refused(group):
    with pytest.raises(InputError, match=f"{group} compare lengths in metres"):
        FrameScorer(metrics=(group,)).of_model(metric=False)


def test_the_default_is_another_than_that_of_metric_models():
    assert FrameScorer().of_model(metric=True).alignments == DEFAULT_ALIGNMENTS
    assert SCORER.alignments == RELATIVE_ALIGNMENTS and "none" not in RELATIVE_ALIGNMENTS
    asked = FrameScorer(alignments=("weighted_median",)).of_model(metric=False)
    assert asked.alignments == ("weighted_median",)


def test_depth_of_the_wrong_kind_is_refused():
    with pytest.raises(InputError, match="of_model"):
        score(noisy(), FrameScorer())
    with pytest.raises(InputError, match="of_model"):
        SCORER.score(0, frame(), Predicted(frame().truth_m, CAMERA, Focal(WIDTH)), None)


def test_every_score_is_after_an_alignment_and_equals_that_of_the_metric():
    truth_m, relative = frame().truth_m, noisy()
    scorer = FrameScorer(alignments=("median_ratio", "weighted_median")).of_model(metric=False)
    figures = score(relative, scorer)[0].figures
    assert not {*SCORE_NAMES, "ratio", "frame_scale"} & set(figures)
    for mode in scorer.alignments:
        expected = score_depth(relative.astype(np.float32), truth_m, align=mode)
        assert figures[f"abs_rel@{mode}"] == pytest.approx(expected.abs_rel)
        assert figures[f"scale@{mode}"] == pytest.approx(expected.scale)
    assert figures["invalid_share"] == 0


@pytest.mark.parametrize("factor", [1e-2, 0.3, 40.0])
def test_the_factor_of_the_depth_changes_no_figure(factor):
    once, again = (score(k * noisy())[0] for k in (1.0, factor))
    for name, value in once.figures.items():
        expected = value / factor if name == "scale@median_ratio" else value
        if name != "scale@affine_disparity":
            assert again.figures[name] == pytest.approx(expected, rel=1e-4, abs=1e-8), name
    np.testing.assert_allclose(again.profiles.by_range.abs_rel, once.profiles.by_range.abs_rel, rtol=1e-4)


def test_pictures_and_profiles_are_after_the_first_alignment():
    truth_m = frame().truth_m
    record, scored = score(truth_m / 7)
    np.testing.assert_allclose(scored.depth_m, truth_m, rtol=1e-5)
    np.testing.assert_allclose(scored.relative, truth_m / 7, rtol=1e-6)
    picture = thumbnail_of(scored)
    np.testing.assert_allclose(decode_depth(picture.predicted), decode_depth(picture.truth), rtol=1e-3)
    assert np.nanmax(record.profiles.by_range.abs_rel) == pytest.approx(0, abs=1e-5)


def test_without_ground_truth_nothing_is_in_metres_and_flicker_is_of_the_depth_as_it_was():
    still = frame(truth_m=None)
    record, before = SCORER.score(0, still, said(noisy()), None)
    assert before.depth_m is None and not any("@" in name for name in record.figures)
    after, _ = SCORER.score(1, still, said(1.1 * noisy()), before)
    assert after.figures["flicker"] == pytest.approx(math.log(1.1), rel=1e-4)
    np.testing.assert_allclose(decode_depth(thumbnail_of(before).predicted), noisy(), rtol=1e-3)


def test_too_few_pixels_to_align_to_have_no_scores_rather_than_those_of_the_bare_numbers():
    truth_m = np.full((HEIGHT, WIDTH), np.nan, np.float32)
    truth_m[0, :9] = 2.0
    record, scored = score(np.full((HEIGHT, WIDTH), 2.0), truth_m=truth_m)
    assert record.pixels == 9 and scored.depth_m is None and record.profiles is None and not record.sums
    assert math.isnan(record.figures["abs_rel@median_ratio"]) and record.headline_error is None


def test_the_headline_error_is_that_of_the_first_alignment():
    record = score(noisy())[0]
    assert record.headline_error == record.figures["abs_rel@median_ratio"]


@pytest.mark.parametrize("camera", [None, CameraModel.from_intrinsics(CAMERA)])
def test_the_pipeline_gives_depth_up_to_scale_with_or_without_a_camera(camera):
    estimator = ReadsRelative()
    predicted = PipelinePredictor(estimator, steady=False).predict(frame(camera=camera))
    assert predicted.depth_m is None and predicted.intrinsics == (None if camera is None else CAMERA)
    assert (predicted.focal.used, predicted.focal.estimated) == (None if camera is None else FX, None)
    np.testing.assert_array_equal(predicted.relative, estimator.relative(frame().rgb).numpy())
    assert np.isnan(thumbnail_of(SCORER.score(0, frame(), predicted, None)[1]).focal).all() == (camera is None)


def test_depth_up_to_scale_is_resized_with_aligned_corners_and_stays_so():
    truth_m = np.ones((2 * HEIGHT, 2 * WIDTH), np.float32)
    predicted = AlignedCornersPredictor(PipelinePredictor(ReadsRelative())).predict(frame(truth_m=truth_m))
    assert predicted.depth_m is None and predicted.relative.shape == truth_m.shape


def test_beside_results_stands_that_the_depth_is_up_to_scale():
    info = model_info(ReadsRelative(), "sampled, 5 samples")
    assert (info.metric, info.decoding) == (False, "sampled, 5 samples")
