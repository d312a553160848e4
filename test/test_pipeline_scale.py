# SPDX-License-Identifier: Apache-2.0
"""Depth up to scale through the pipeline: what gives it metres, and what there is without."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from depthpro_ros.camera import CameraModel, Intrinsics
from depthpro_ros.errors import CameraError, InputError
from depthpro_ros.frame_scale import far_depth
from depthpro_ros.models.estimator import EstimatorInfo, Prediction
from depthpro_ros.pipeline import SATURATED, Pipeline, PipelineSettings, Wanted
from depthpro_ros.scale import NoScale
from depthpro_ros.scale_settings import effective_source
from test.scale import rendered

WIDTH, HEIGHT = 64, 48
INTRINSICS = Intrinsics(WIDTH, HEIGHT, 60.0, 62.0, 30.0, 25.0)
CALIBRATED = CameraModel.from_intrinsics(INTRINSICS, "camera_optical_frame")
UNCALIBRATED = CameraModel(WIDTH, HEIGHT, (0.0,) * 9)
RGB = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
V, U = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
WALL = torch.from_numpy(4.0 + U / 100 + V / 200)
"""A smooth scene, metres."""
FAR = 4.9
"""Its unit of depth up to scale: nothing is saturated."""
points_on = partial(rendered.points_on, camera=INTRINSICS)


@dataclass
class Relative:
    """A model that knows the scene up to a unit, and perhaps a reference that knows the metres.

    Attributes:
        far_m: the unit, metres.
        reference_focal_px: focal length that the reference believes in; metres are right for 60 pixels. None is none.
    """

    scene_m: torch.Tensor = field(default_factory=WALL.clone)
    far_m: float = FAR
    reference_focal_px: float | None = None
    spread: torch.Tensor | None = None
    info = EstimatorInfo("fake", "", 0, "cpu", "float32", metric=False)

    def predict(self, rgb: Any, focal_px: Any = None) -> Prediction:
        relative = (self.scene_m / self.far_m).clamp(max=1)
        known = self.reference_focal_px if focal_px is None else focal_px
        reference = None if self.reference_focal_px is None else self.scene_m * (known / 60.0)
        focal = torch.tensor(torch.nan if known is None else float(known))
        return Prediction(
            None, focal, None, relative_depth=relative, relative_spread=self.spread, reference_m=reference
        )


class Metric(Relative):
    """A model that says metres, all too large by one factor."""

    info = dataclasses.replace(Relative.info, metric=True)

    def predict(self, rgb: Any, focal_px: Any = None) -> Prediction:
        return Prediction(1.3 * self.scene_m, torch.tensor(60.0 if focal_px is None else focal_px), None)


RANGES = PipelineSettings(ranges_type="laser_scan")


class TestWithoutAScale:
    @pytest.mark.parametrize("camera", [None, UNCALIBRATED, CALIBRATED])
    @pytest.mark.parametrize("policy", ["auto", "camera_info", "estimated"])
    def test_relative_depth_needs_no_camera(self, camera: CameraModel | None, policy: Any) -> None:
        frame = Pipeline(Relative(), PipelineSettings(focal_policy=policy, estimate="auto")).process(RGB, camera)
        assert frame.relative_depth is not None
        torch.testing.assert_close(frame.relative_depth * FAR, WALL)
        assert frame.depth_m is None and frame.cloud is None
        known = camera is CALIBRATED and policy != "estimated"
        assert (frame.intrinsics, frame.camera is None) == (INTRINSICS if known else None, not known)

    def test_metres_cannot_be_taken(self) -> None:
        frame = Pipeline(Relative()).process(RGB, None)
        assert frame.scale is not None and frame.scale.state == "off"
        with pytest.raises(InputError, match="not in metres: .*no scale_source is set"):
            _ = frame.metres
        with pytest.raises(CameraError, match="no focal length is known"):
            _ = frame.pinhole

    def test_confidence_falls_with_the_spread_of_the_draws(self) -> None:
        spread = torch.zeros(HEIGHT, WIDTH)
        spread[0] = 0.25
        confidence = Pipeline(Relative(spread=spread)).process(RGB, None).confidence
        assert confidence is not None and confidence[0].unique().tolist() == pytest.approx([0.8])
        assert confidence[1:].unique().tolist() == [1.0]
        assert Pipeline(Relative(spread=spread)).process(RGB, None, Wanted(confidence=False)).confidence is None
        assert Pipeline(Relative()).process(RGB, None).confidence is None


class TestRanges:
    def test_metres_and_cloud_are_those_of_the_scene(self) -> None:
        frame = Pipeline(Relative(), RANGES).process(RGB, CALIBRATED, ranges=points_on(WALL), stamp_s=5.0)
        torch.testing.assert_close(frame.metres, WALL, rtol=1e-3, atol=0)
        assert frame.cloud is not None and frame.scale is not None and frame.scale.tracked is not None
        np.testing.assert_allclose(frame.cloud[10, 20, :3], [-10 / 60 * 4.25, -15 / 62 * 4.25, 4.25], rtol=1e-3)
        assert (frame.scale.state, frame.scale.source, frame.scale.metric) == ("ok", "ranges", True)
        assert frame.scale.tracked.scale == pytest.approx(FAR, rel=1e-3)
        torch.testing.assert_close(frame.relative_depth, WALL / FAR)

    def test_a_scale_outlives_the_ranges_until_the_timeout(self) -> None:
        pipeline = Pipeline(Relative(), RANGES)
        assert pipeline.process(RGB, CALIBRATED, stamp_s=4.0).depth_m is None, "before the first"
        pipeline.process(RGB, CALIBRATED, ranges=points_on(WALL), stamp_s=5.0)
        held = pipeline.process(RGB, CALIBRATED, ranges=NoScale("the scanner sleeps"), stamp_s=5.9)
        torch.testing.assert_close(held.metres, WALL, rtol=1e-3, atol=0)
        assert held.scale is not None and held.scale.tracked is not None
        assert (held.scale.state, held.scale.reason) == ("held", "the scanner sleeps")
        assert held.scale.tracked.age_s == pytest.approx(0.9)
        late = pipeline.process(RGB, CALIBRATED, ranges=NoScale("the scanner sleeps"), stamp_s=6.1)
        assert late.scale is not None and (late.scale.state, late.scale.metric) == ("none", False)
        with pytest.raises(InputError, match="not in metres: the scanner sleeps"):
            _ = late.metres

    def test_a_unit_that_changes_between_frames_does_not_change_the_metres(self) -> None:
        model = Relative()
        pipeline = Pipeline(model, RANGES)
        for stamp_s, far_m in enumerate([5.0, 6.0, 9.0, 4.9]):
            model.far_m = far_m
            frame = pipeline.process(RGB, CALIBRATED, ranges=points_on(WALL), stamp_s=stamp_s / 10)
            torch.testing.assert_close(frame.metres, WALL, rtol=1e-3, atol=0)

    def test_a_held_scale_follows_the_unit_by_the_images_alone(self) -> None:
        model = Relative()
        pipeline = Pipeline(model, RANGES)
        pipeline.process(RGB, CALIBRATED, ranges=points_on(WALL), stamp_s=0.0)
        model.far_m = 8.0
        frame = pipeline.process(RGB, CALIBRATED, stamp_s=0.1)
        torch.testing.assert_close(frame.metres, WALL, rtol=1e-3, atol=0)

    def test_one_frame_that_contradicts_is_not_followed(self) -> None:
        pipeline = Pipeline(Relative(), RANGES)
        pipeline.process(RGB, CALIBRATED, ranges=points_on(WALL), stamp_s=0.0)
        frame = pipeline.process(RGB, CALIBRATED, ranges=points_on(WALL / 2), stamp_s=0.1)
        torch.testing.assert_close(frame.metres, WALL, rtol=1e-3, atol=0)
        assert frame.scale is not None and frame.scale.state == "held"
        assert "farther from the tracked one than scale_jump" in frame.scale.reason

    def test_a_reset_forgets_the_scale(self) -> None:
        pipeline = Pipeline(Relative(), RANGES)
        pipeline.process(RGB, CALIBRATED, ranges=points_on(WALL), stamp_s=5.0)
        pipeline.reset()
        assert pipeline.process(RGB, CALIBRATED, stamp_s=5.1).depth_m is None

    def test_other_settings_forget_the_scale(self) -> None:
        pipeline = Pipeline(Relative(), RANGES)
        pipeline.process(RGB, CALIBRATED, ranges=points_on(WALL), stamp_s=5.0)
        pipeline.settings = dataclasses.replace(RANGES, scale_max_spread=0.1)
        assert pipeline.process(RGB, CALIBRATED, stamp_s=5.1).depth_m is None

    def test_they_need_a_calibrated_camera(self) -> None:
        frame = Pipeline(Relative(), RANGES).process(RGB, None, ranges=points_on(WALL))
        assert frame.depth_m is None and frame.scale is not None
        assert "needs the camera's focal length" in frame.scale.reason

    def test_they_correct_a_metric_model(self) -> None:
        settings = dataclasses.replace(RANGES, scale_source="ranges")
        pipeline = Pipeline(Metric(), settings)
        assert pipeline.process(RGB, CALIBRATED, stamp_s=0).depth_m is None
        frame = pipeline.process(RGB, CALIBRATED, ranges=points_on(WALL), stamp_s=0.1)
        torch.testing.assert_close(frame.metres, WALL, rtol=1e-3, atol=0)
        assert frame.relative_depth is None
        assert frame.scale is not None and frame.scale.tracked is not None
        assert frame.scale.tracked.scale == pytest.approx(1 / 1.3, rel=1e-3)


class TestOtherSources:
    @pytest.mark.parametrize("believed_px", [60.0, 90.0])
    def test_the_references_metres_are_taken_for_the_focal_length_that_is_used(self, believed_px: float) -> None:
        model = Relative(reference_focal_px=believed_px)
        frame = Pipeline(model, PipelineSettings(scale_source="depth_pro")).process(RGB, CALIBRATED)
        torch.testing.assert_close(frame.metres, WALL, rtol=1e-3, atol=0)

    def test_the_reference_estimates_the_focal_length_of_an_unknown_camera(self) -> None:
        model = Relative(reference_focal_px=60.0)
        frame = Pipeline(model, PipelineSettings(scale_source="depth_pro")).process(RGB, None)
        torch.testing.assert_close(frame.metres, WALL, rtol=1e-3, atol=0)
        assert frame.focal_source == "estimated" and frame.pinhole.fx == pytest.approx(60.0)
        assert frame.estimated == Intrinsics.from_focal(WIDTH, HEIGHT, 60.0) and frame.cloud is not None

    def test_a_steady_focal_steadies_the_references_metres(self) -> None:
        model = Relative(reference_focal_px=60.0)
        pipeline = Pipeline(model, PipelineSettings(scale_source="depth_pro", estimate="always", scale_smoothing=1.0))
        for _ in range(10):
            pipeline.process(RGB, None)
        model.reference_focal_px = 63.0
        torch.testing.assert_close(pipeline.process(RGB, None).metres, WALL, rtol=1e-3, atol=0)

    def test_the_ground_gives_the_scale_to_a_camera_of_known_height(self) -> None:
        down = (V - INTRINSICS.cy) / INTRINSICS.fy
        scene = torch.from_numpy(np.minimum(1.5 / np.maximum(down, 1e-3), 20.0).astype(np.float32))
        pipeline = Pipeline(Relative(scene_m=scene, far_m=20.5), PipelineSettings(camera_height_m=1.5))
        frame = pipeline.process(RGB, CALIBRATED)
        torch.testing.assert_close(frame.metres, scene, rtol=0.03, atol=0)
        assert frame.scale is not None and frame.scale.source == "ground_plane"

    def test_an_assumed_scale_is_not_metric(self) -> None:
        settings = PipelineSettings(scale_source="assumed", assumed_d98_m=7.0)
        frame = Pipeline(Relative(), settings).process(RGB, None)
        torch.testing.assert_close(frame.metres, WALL / FAR * 7)
        assert frame.scale is not None and (frame.scale.state, frame.scale.metric) == ("assumed", False)


def test_what_is_behind_the_farthest_is_neither_wall_nor_free_space() -> None:
    frame = Pipeline(Relative(far_m=4.5), RANGES).process(RGB, CALIBRATED, ranges=points_on(WALL))
    saturated = WALL / 4.5 >= SATURATED
    assert saturated.any() and frame.metres[saturated].isnan().all()
    assert torch.isfinite(frame.metres[~saturated]).all()


def test_only_what_is_wanted_is_scaled() -> None:
    pipeline = Pipeline(Relative(), RANGES)
    frame = pipeline.process(RGB, CALIBRATED, Wanted(False, False, False, scale=False), ranges=points_on(WALL))
    assert (frame.depth_m, frame.scale, frame.cloud) == (None, None, None) and frame.relative_depth is not None
    frame = pipeline.process(RGB, CALIBRATED, Wanted(cloud=False), ranges=points_on(WALL))
    assert frame.depth_m is not None and frame.cloud is None


@pytest.mark.parametrize(
    ("settings", "metric", "source"),
    [
        ({}, False, "off"),
        ({"camera_height_m": 1.0}, False, "ground_plane"),
        ({"camera_height_m": 1.0, "ranges_type": "points"}, False, "ranges"),
        ({"camera_height_m": 1.0, "ranges_type": "points"}, True, "off"),
        ({"camera_height_m": 1.0, "scale_source": "ground_plane"}, True, "ground_plane"),
        ({"ranges_type": "points", "scale_source": "off"}, False, "off"),
    ],
)
def test_auto_takes_the_best_that_is_configured(settings: dict[str, Any], metric: bool, source: str) -> None:
    assert effective_source(PipelineSettings(**settings), metric=metric) == source


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"scale_source": "ground_plane"}, "needs camera_height_m above 0 metres, it is 0.0"),
        ({"scale_source": "assumed"}, "needs assumed_d98_m above 0 metres, it is 0.0"),
    ],
)
def test_a_source_without_its_number_is_refused(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        PipelineSettings(**values)


def test_sky_that_a_metric_network_sees_at_10_km_is_no_unit() -> None:
    depth = torch.full((10, 10), 10_000.0)
    assert far_depth(depth) == 10_000.0
    depth[5:] = 4.0
    assert far_depth(depth) == 4.0


def test_the_unit_of_metric_depth_is_its_98th_percentile() -> None:
    depth = torch.arange(1.0, 101.0).reshape(10, 10) / 2
    assert far_depth(depth) == 49.0
    depth[0] = torch.nan
    assert far_depth(depth) == 49.5  # of 5.5 to 50: ceil(0.98 * 90) = 89th
    with pytest.raises(NoScale, match="no finite depth"):
        far_depth(torch.full((4, 4), torch.inf))
