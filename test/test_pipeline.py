# SPDX-License-Identifier: Apache-2.0
"""One frame in, one frame out: focal policy, range, edges, cloud, rectification."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from depthpro_ros.camera import CameraModel, Intrinsics
from depthpro_ros.errors import CameraError, InputError
from depthpro_ros.models.estimator import EstimatorInfo, Prediction
from depthpro_ros.pipeline import Pipeline, PipelineSettings, Wanted

INTRINSICS = Intrinsics(32, 24, 40.0, 42.0, 15.0, 12.0)
CALIBRATED = CameraModel.from_intrinsics(INTRINSICS, "camera_optical_frame")
UNCALIBRATED = CameraModel(32, 24, (0.0,) * 9)


@dataclass
class FakeEstimator:
    """Depth = canonical * focal / width, as every Depth Pro network makes it; the estimate is given."""

    canonical_depth: torch.Tensor = field(default_factory=lambda: torch.full((24, 32), 2.0))
    focals: list[float] = field(default_factory=lambda: [64.0])
    asked: list[float | None] = field(default_factory=list)
    info = EstimatorInfo("fake", "", 0, "cpu", "float32")

    def predict(self, rgb, focal_px=None) -> Prediction:
        self.asked.append(focal_px)
        self.seen = rgb
        focal, fov = focal_px, None
        if focal is None:
            focal = self.focals.pop(0) if len(self.focals) > 1 else self.focals[0]
            fov = torch.tensor(math.degrees(2 * math.atan(16 / focal)))
        return Prediction(self.canonical_depth * (focal / 32), torch.tensor(float(focal)), fov)


@pytest.fixture
def fake() -> FakeEstimator:
    return FakeEstimator()


@pytest.fixture
def rgb() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)


class TestFocalPolicy:
    def test_auto_takes_calibrated_camera_info_and_skips_the_fov_network(self, fake, rgb) -> None:
        frame = Pipeline(fake).process(rgb, CALIBRATED)
        assert fake.asked == [40.0]
        assert (frame.intrinsics, frame.focal_source, frame.estimated) == (INTRINSICS, "camera_info", None)
        assert frame.depth_m[0, 0] == pytest.approx(2.0 * 40 / 32)

    @pytest.mark.parametrize("camera", [None, UNCALIBRATED])
    def test_auto_estimates_where_there_is_no_calibration(self, fake, rgb, camera) -> None:
        frame = Pipeline(fake).process(rgb, camera)
        assert fake.asked == [None]
        assert frame.focal_source == "estimated"
        assert frame.intrinsics == pytest.approx(Intrinsics.from_focal(32, 24, 64.0))
        assert frame.estimated == Intrinsics.from_focal(32, 24, 64.0)

    def test_estimated_ignores_camera_info(self, fake, rgb) -> None:
        frame = Pipeline(fake, PipelineSettings(focal_policy="estimated")).process(rgb, CALIBRATED)
        assert frame.intrinsics.fx == pytest.approx(64.0)

    def test_fixed_uses_its_number(self, fake, rgb) -> None:
        settings = PipelineSettings(focal_policy="fixed", fixed_focal_px=99.0)
        frame = Pipeline(fake, settings).process(rgb, CALIBRATED)
        assert (frame.intrinsics.fx, frame.focal_source, fake.asked) == (99.0, "fixed", [99.0])

    def test_camera_info_policy_without_one_is_an_error(self, fake, rgb) -> None:
        pipeline = Pipeline(fake, PipelineSettings(focal_policy="camera_info"))
        with pytest.raises(CameraError, match="no CameraInfo has arrived"):
            pipeline.process(rgb, None)
        with pytest.raises(CameraError, match="not calibrated"):
            pipeline.process(rgb, UNCALIBRATED)
        assert fake.asked == []

    def test_never_estimating_without_calibration_is_an_error(self, fake, rgb) -> None:
        with pytest.raises(CameraError, match="'estimate' is 'never'"):
            Pipeline(fake, PipelineSettings(estimate="never")).process(rgb, None)

    def test_always_estimates_beside_a_calibration_without_using_it(self, fake, rgb) -> None:
        frame = Pipeline(fake, PipelineSettings(estimate="always")).process(rgb, CALIBRATED)
        assert frame.estimated is not None and frame.estimated.fx == pytest.approx(64.0)
        assert frame.intrinsics == INTRINSICS
        assert frame.depth_m[0, 0] == pytest.approx(2.0 * 40 / 32)

    def test_flickering_estimates_give_steady_depth(self, rgb) -> None:
        noise = np.random.default_rng(1).normal(0, 0.03, 100)
        fake = FakeEstimator(focals=[64.0 * math.exp(n) for n in noise])
        pipeline = Pipeline(fake)
        depths = [float(pipeline.process(rgb, None).depth_m[5, 5]) for _ in range(60)]
        raw_spread = np.ptp(np.exp(noise[20:60]))
        assert raw_spread > 0.1
        assert np.ptp(depths[20:]) / depths[-1] < 1e-6
        pipeline.reset()
        assert not pipeline.focal_filter.locked

    def test_the_fov_network_rests_once_the_focal_is_locked(self, fake, rgb) -> None:
        pipeline = Pipeline(fake, PipelineSettings(focal_check_every=5))
        frames = [pipeline.process(rgb, None) for _ in range(21)]
        locking = [None] * 10
        assert fake.asked == [*locking, *([64.0] * 4 + [None]) * 2, 64.0]
        assert [f.estimated is None for f in frames] == [focal is not None for focal in fake.asked]
        assert {float(f.depth_m[5, 5]) for f in frames} == {float(frames[0].depth_m[5, 5])}
        assert all(f.focal_source == "estimated" for f in frames)

    def test_a_contradicted_lock_is_looked_at_on_every_frame(self, rgb) -> None:
        fake = FakeEstimator(focals=[64.0] * 10 + [100.0])
        pipeline = Pipeline(fake, PipelineSettings(focal_check_every=8))
        for _ in range(10 + 7):
            assert pipeline.process(rgb, None).intrinsics.fx == pytest.approx(64.0)
        fake.asked.clear()
        focals = [pipeline.process(rgb, None).intrinsics.fx for _ in range(6)]
        assert fake.asked == [None] * 6
        assert focals == pytest.approx([64.0] * 4 + [100.0] * 2)

    def test_p_for_rectified_input(self, fake, rgb) -> None:
        p = (50.0, 0, 14.0, 0, 0, 51.0, 11.0, 0, 0, 0, 1, 0)
        camera = CameraModel(32, 24, CALIBRATED.k, p=p)
        assert Pipeline(fake).process(rgb, camera).intrinsics.fx == 40.0
        rectified = Pipeline(fake, PipelineSettings(input_rectified=True)).process(rgb, camera)
        assert rectified.intrinsics == Intrinsics(32, 24, 50.0, 51.0, 14.0, 11.0)


class TestDepth:
    def test_sky_is_infinitely_far_never_a_wall(self, fake, rgb) -> None:
        fake.canonical_depth[:8] = 1e4
        frame = Pipeline(fake, PipelineSettings(max_depth_m=50.0)).process(rgb, CALIBRATED)
        assert torch.isposinf(frame.depth_m[:8]).all()
        assert frame.cloud is not None and frame.cloud[:8, :, :3].isnan().all()

    def test_edges_leave_the_cloud_and_stay_in_the_image(self, fake, rgb) -> None:
        fake.canonical_depth[:, 16:] = 6.0
        frame = Pipeline(fake).process(rgb, CALIBRATED)
        assert torch.isfinite(frame.depth_m).all()
        assert frame.cloud is not None
        assert frame.cloud[:, 15:17, 2].isnan().all()
        assert torch.isfinite(frame.cloud[:, [14, 17], 2]).all()

    @pytest.mark.parametrize(("policy", "in_image", "in_cloud"), [("off", 0, 0), ("cloud", 0, 48), ("all", 48, 48)])
    def test_edge_policy(self, fake, rgb, policy, in_image: int, in_cloud: int) -> None:
        fake.canonical_depth[:, 16:] = 6.0
        frame = Pipeline(fake, PipelineSettings(edge_filter=policy)).process(rgb, CALIBRATED)
        assert frame.cloud is not None
        assert frame.depth_m.isnan().sum() == in_image
        assert frame.cloud[..., 2].isnan().sum() == in_cloud

    def test_cloud_has_the_used_intrinsics_and_the_image_colours(self, fake, rgb) -> None:
        frame = Pipeline(fake, PipelineSettings(cloud_stride=2)).process(rgb, CALIBRATED)
        assert frame.cloud is not None and frame.cloud.shape == (12, 16, 4)
        x, y, z = frame.cloud[3, 5, :3].tolist()
        assert x == pytest.approx((10 - 15.0) / 40.0 * z)
        assert y == pytest.approx((6 - 12.0) / 42.0 * z)
        r, g, b = (int(c) for c in rgb[6, 10])
        assert int(frame.cloud.view(torch.int32)[3, 5, 3]) == r << 16 | g << 8 | b

    def test_unorganised_cloud_is_finite(self, fake, rgb) -> None:
        fake.canonical_depth[:8] = 1e4
        settings = PipelineSettings(cloud_organised=False, edge_filter="off")
        frame = Pipeline(fake, settings).process(rgb, CALIBRATED)
        assert frame.cloud is not None and frame.cloud.shape == (16 * 32, 4)
        assert torch.isfinite(frame.cloud[:, :3]).all()

    def test_no_cloud_unless_wanted(self, fake, rgb) -> None:
        assert Pipeline(fake).process(rgb, CALIBRATED, Wanted(cloud=False)).cloud is None

    def test_cloud_goes_into_given_memory(self, fake, rgb) -> None:
        memory = torch.zeros(24, 32, 4)
        frame = Pipeline(fake).process(rgb, CALIBRATED, cloud_memory=lambda rows, columns: memory[:rows, :columns])
        assert frame.cloud is not None and frame.cloud.data_ptr() == memory.data_ptr()
        assert memory[..., 2].abs().sum() > 0


class TestRectify:
    RAW = CameraModel(
        32, 24, CALIBRATED.k, (0.2, 0.0, 0.0, 0.0, 0.0), "plumb_bob", p=(36.0, 0, 16.0, 0, 0, 37.0, 11.5, 0, 0, 0, 1, 0)
    )

    def test_rectified_image_goes_to_the_network_with_p(self, fake, rgb) -> None:
        frame = Pipeline(fake, PipelineSettings(rectify=True)).process(rgb, self.RAW)
        assert frame.intrinsics == Intrinsics(32, 24, 36.0, 37.0, 16.0, 11.5)
        assert not np.array_equal(fake.seen, rgb)
        assert np.array_equal(frame.rgb, fake.seen)
        assert not frame.camera.distorted

    def test_without_it_the_distortion_is_passed_on(self, fake, rgb) -> None:
        frame = Pipeline(fake).process(rgb, self.RAW)
        assert frame.camera.d == self.RAW.d
        assert frame.camera.k == CALIBRATED.k

    def test_needs_a_calibration(self, fake, rgb) -> None:
        with pytest.raises(CameraError, match="'rectify' is on"):
            Pipeline(fake, PipelineSettings(rectify=True)).process(rgb, None)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((0, 32, 3), np.uint8),
        np.zeros((24, 32), np.uint8),
        np.zeros((24, 32, 3), np.float32),
        np.zeros((24, 32, 4), np.uint8),
    ],
)
def test_bad_images_are_refused(fake, image) -> None:
    with pytest.raises(InputError, match="image must be uint8"):
        Pipeline(fake).process(image, CALIBRATED)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"focal_policy": "fixed"}, "fixed_focal_px"),
        ({"focal_policy": "fixed", "fixed_focal_px": math.nan}, "fixed_focal_px"),
        ({"min_depth_m": 5.0, "max_depth_m": 5.0}, "min < max"),
        ({"min_depth_m": -1.0}, "min < max"),
        ({"cloud_stride": 0}, "cloud_stride"),
    ],
)
def test_bad_settings_are_refused(values: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        PipelineSettings(**values)


def test_camera_info_of_another_size_is_refused_and_the_next_frame_served(fake, rgb) -> None:
    pipeline = Pipeline(fake)
    with pytest.raises(CameraError, match="32x24.*16x24"):
        pipeline.process(rgb[:, :16].copy(), CALIBRATED)
    assert pipeline.process(rgb, CALIBRATED).intrinsics == INTRINSICS
