# SPDX-License-Identifier: Apache-2.0
"""Metric depth that is off, corrected by a factor, the camera's height or ranges; and what there is without them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from depthpro_ros.camera import CameraModel, Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.models.estimator import EstimatorInfo, Prediction
from depthpro_ros.pipeline import DepthFrame, Pipeline, PipelineSettings, Wanted
from depthpro_ros.scale import NoScale
from depthpro_ros.scale_settings import effective_source
from test.scale import rendered
from test.scale.rendered import Scene, indoor_scenes

OFF = 1.3
"""The model's depth is so many times too large."""
WIDTH, HEIGHT = 64, 48
V, U = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
TRUE_FX = 60.0
CAMERA = Intrinsics.from_focal(WIDTH, HEIGHT, TRUE_FX)
WALL = torch.from_numpy(4.0 + U / 100 + V / 200)
RGB = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
RANGES = PipelineSettings(scale_source="ranges", ranges_type="points")
points_on = partial(rendered.points_on, camera=CAMERA)


@dataclass
class MetricModel:
    """Says its metres whatever it sees, proportional to the focal length as Depth Pro does.

    Attributes:
        depth_m: for the focal length `made_for_px`; None of both leaves it as it is.
        estimates_px: focal lengths that it estimates one after the other, the last one again and again.
    """

    depth_m: torch.Tensor
    made_for_px: float | None = None
    estimates_px: list[float] = field(default_factory=lambda: [TRUE_FX])
    info = EstimatorInfo("fake", "", 0, "cpu", "float32")

    def predict(self, rgb: Any, focal_px: Any = None) -> Prediction:
        if focal_px is None:
            focal_px = self.estimates_px.pop(0) if len(self.estimates_px) > 1 else self.estimates_px[0]
        factor = 1.0 if self.made_for_px is None else focal_px / self.made_for_px
        return Prediction(self.depth_m * factor, torch.tensor(float(focal_px)), None)

    def predict_many(self, images: Sequence[Any], focals_px: Sequence[float | None]) -> list[Prediction]:
        return [self.predict(image, focal) for image, focal in zip(images, focals_px, strict=True)]


def picture(scene: Scene) -> NDArray[np.uint8]:
    return np.zeros((*scene.depth_m.shape, 3), np.uint8)


def off_by(frame: DepthFrame, scene: Scene) -> float:
    """Median of published over true depth."""
    ratio = frame.metres / scene.depth_m
    return float(ratio[torch.isfinite(ratio)].median())


class TestAFixedFactor:
    @pytest.mark.parametrize("source", ["fixed", "auto"])
    def test_makes_rendered_scenes_true(self, source: Any) -> None:
        settings = PipelineSettings(scale_source=source, fixed_scale=1 / OFF)
        for scene in indoor_scenes():
            camera = CameraModel.from_intrinsics(scene.intrinsics)
            frame = Pipeline(MetricModel(OFF * scene.depth_m), settings).process(picture(scene), camera)
            assert off_by(frame, scene) == pytest.approx(1, rel=1e-6)
            assert frame.scale is not None
            assert (frame.scale.state, frame.scale.source, frame.scale.metric) == ("fixed", "fixed", True)

    def test_needs_no_calibration(self) -> None:
        frame = Pipeline(MetricModel(OFF * WALL), PipelineSettings(fixed_scale=1 / OFF)).process(RGB, None)
        torch.testing.assert_close(frame.metres, WALL)
        assert frame.focal_source == "estimated" and frame.cloud is not None

    def test_a_change_counts_at_once_and_is_not_smoothed(self) -> None:
        pipeline = Pipeline(MetricModel(WALL), PipelineSettings(fixed_scale=0.5))
        pipeline.process(RGB, None, stamp_s=0.0)
        pipeline.settings = PipelineSettings(fixed_scale=4.0)
        torch.testing.assert_close(pipeline.process(RGB, None, stamp_s=0.1).metres, 4 * WALL)

    def test_one_changes_nothing(self) -> None:
        assert effective_source(PipelineSettings(), metric=True) == "off"
        frame = Pipeline(MetricModel(WALL), PipelineSettings(scale_source="fixed")).process(RGB, None)
        torch.testing.assert_close(frame.metres, WALL)

    @pytest.mark.parametrize("factor", [0.0, -1.0, math.inf, math.nan])
    def test_must_be_a_factor(self, factor: float) -> None:
        with pytest.raises(InputError, match="fixed_scale is .* expected a finite factor above 0"):
            PipelineSettings(fixed_scale=factor)

    def test_is_not_for_depth_up_to_scale(self) -> None:
        with pytest.raises(InputError, match="unit of this one's changes from image to image"):
            effective_source(PipelineSettings(scale_source="fixed"), metric=False)
        assert effective_source(PipelineSettings(fixed_scale=2.0), metric=False) == "off"


class TestTheCamerasHeight:
    def test_makes_rendered_scenes_true(self) -> None:
        for scene in indoor_scenes():
            settings = PipelineSettings(
                scale_source="ground_plane",
                camera_height_m=scene.ground.camera_height_m,
                camera_pitch_deg=scene.ground.pitch_deg,
            )
            camera = CameraModel.from_intrinsics(scene.intrinsics)
            frame = Pipeline(MetricModel(OFF * scene.depth_m), settings).process(picture(scene), camera)
            assert off_by(frame, scene) == pytest.approx(1, abs=0.03)
            assert frame.scale is not None and (frame.scale.state, frame.scale.metric) == ("ok", True)

    def test_leaves_the_error_of_a_wrong_focal_length_in_the_depth(self) -> None:
        """What is h below the axis at row v is at z = f h / (v - cy): the ground knows y, not z."""
        down = (V - CAMERA.cy) / CAMERA.fy
        ground = torch.from_numpy(np.minimum(1.5 / np.maximum(down, 1e-3), 20.0).astype(np.float32))
        settings = PipelineSettings(scale_source="ground_plane", camera_height_m=1.5)
        model = MetricModel(OFF * ground, made_for_px=TRUE_FX, estimates_px=[1.5 * TRUE_FX])
        frame = Pipeline(model, settings).process(RGB, None)
        row = HEIGHT - 2
        assert float(frame.metres[row, 30] / ground[row, 30]) == pytest.approx(1.5, rel=0.03)
        assert frame.cloud is not None and float(frame.cloud[row, 30, 1]) == pytest.approx(1.5, rel=0.03)


class TestRangesWithAnEstimatedFocalLength:
    def test_z_is_right_and_what_is_beside_the_axis_is_not(self) -> None:
        """The focal length is half as long again as it is: x = (u - cx) z / f is too small by that, z is not."""
        model = MetricModel(OFF * WALL, made_for_px=TRUE_FX, estimates_px=[1.5 * TRUE_FX])
        frame = Pipeline(model, RANGES).process(RGB, None, ranges=points_on(WALL, border=20))
        torch.testing.assert_close(frame.metres, WALL, rtol=0.02, atol=0)
        assert frame.cloud is not None
        true_x = (50 - CAMERA.cx) / CAMERA.fx * float(WALL[20, 50])
        assert float(frame.cloud[20, 50, 0]) == pytest.approx(true_x / 1.5, rel=0.02)

    def test_a_focal_length_that_still_moves_does_not_move_the_metres(self) -> None:
        """Before the filter locks, its median follows the estimates; ranges come once."""
        model = MetricModel(OFF * WALL, made_for_px=TRUE_FX, estimates_px=[60.0, 66.0, 72.0, 78.0])
        pipeline = Pipeline(model, RANGES)
        pipeline.process(RGB, None, ranges=points_on(WALL, border=20), stamp_s=0.0)
        focals = set()
        for k in range(1, 4):
            frame = pipeline.process(RGB, None, ranges=NoScale("none"), stamp_s=k / 10)
            focals.add(round(frame.pinhole.fx, 3))
            torch.testing.assert_close(frame.metres, WALL, rtol=0.02, atol=0)
        assert len(focals) == 3


class TestWithoutAScale:
    def test_metres_are_the_worlds_or_there_are_none(self) -> None:
        """Never the model's own in between: consumers could not tell."""
        pipeline = Pipeline(MetricModel(OFF * WALL), RANGES)
        camera = CameraModel.from_intrinsics(CAMERA)
        measured = points_on(WALL)
        none = NoScale("the scanner sleeps")
        seen = []
        for k, ranges in enumerate([none, measured, none, none, measured, *[none] * 5, measured]):
            frame = pipeline.process(RGB, camera, ranges=ranges, stamp_s=0.4 * k)
            assert frame.scale is not None
            seen.append(frame.scale.state)
            assert (frame.depth_m is None) == (frame.cloud is None) == (frame.scale.state == "none")
            if frame.depth_m is not None:
                torch.testing.assert_close(frame.metres, WALL, rtol=1e-3, atol=0)
        assert seen == ["none", "ok", "held", "held", "ok", "held", "held", "none", "none", "none", "ok"]

    def test_the_models_own_metres_are_not_handed_out_when_nobody_asked_for_a_scale(self) -> None:
        nothing = Wanted(depth=False, cloud=False, confidence=False, scale=False)
        frame = Pipeline(MetricModel(OFF * WALL), RANGES).process(RGB, None, nothing)
        assert frame.depth_m is None
        with pytest.raises(InputError, match="not in metres"):
            _ = frame.metres

    def test_a_measurement_that_contradicts_the_last_ones_is_not_followed_at_once(self) -> None:
        pipeline, camera = Pipeline(MetricModel(OFF * WALL), RANGES), CameraModel.from_intrinsics(CAMERA)
        pipeline.process(RGB, camera, ranges=points_on(WALL), stamp_s=0.0)
        frame = pipeline.process(RGB, camera, ranges=points_on(2 * WALL), stamp_s=0.1)
        assert frame.scale is not None and frame.scale.state == "held"
        torch.testing.assert_close(frame.metres, WALL, rtol=1e-3, atol=0)
