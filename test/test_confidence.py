# SPDX-License-Identifier: Apache-2.0
"""The confidence of metric depth: what it must be like, whatever its constants are."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from depthpro_ros.camera import CameraModel, Intrinsics
from depthpro_ros.confidence import metric_confidence
from depthpro_ros.models.estimator import EstimatorInfo, Prediction
from depthpro_ros.pipeline import Pipeline, PipelineSettings, Wanted
from depthpro_ros.scale import NoScale

HEIGHT, WIDTH = 96, 128
CAMERA = CameraModel.from_intrinsics(Intrinsics(WIDTH, HEIGHT, 100.0, 100.0, 63.5, 47.5), "optical")
RGB = np.zeros((HEIGHT, WIDTH, 3), np.uint8)


def wall(depth_m: float) -> torch.Tensor:
    return torch.full((HEIGHT, WIDTH), depth_m)


def step() -> torch.Tensor:
    """Something at 3 m before a wall at 4 m: the edge is between columns 63 and 64."""
    depth = wall(4.0)
    depth[:, :64] = 3.0
    return depth


def floor() -> torch.Tensor:
    """Level ground 1 m below the camera, seen from above its horizon on: a plane at a grazing angle."""
    v = torch.arange(HEIGHT, dtype=torch.float32)[:, None] + 10
    return (100.0 / v).expand(HEIGHT, WIDTH).contiguous()


def test_it_is_between_0_and_1() -> None:
    depth = torch.from_numpy(np.random.default_rng(0).uniform(0.1, 1000, (HEIGHT, WIDTH)).astype(np.float32))
    confidence = metric_confidence(depth)
    assert (confidence.shape, confidence.dtype) == (depth.shape, torch.float32)
    assert confidence.min() > 0 and confidence.max() < 1


def test_edges_are_believed_less_than_flat_surfaces_and_less_the_nearer() -> None:
    confidence = metric_confidence(step())[48]
    at_edge, near_edge, far_off = confidence[62:66].max(), confidence[52], confidence[10]
    assert at_edge < near_edge < far_off
    assert confidence[118] < confidence[10], "the wall behind is farther"


def test_a_higher_step_is_believed_less() -> None:
    low, high = step(), step()
    high[:, 64:] = 8.0
    assert metric_confidence(high)[48, 60] < metric_confidence(low)[48, 60]


@pytest.mark.parametrize("nearer", [0.5, 2.0, 10.0, 50.0])
def test_of_two_flat_walls_the_farther_is_believed_less(nearer: float) -> None:
    near, far = metric_confidence(wall(nearer)), metric_confidence(wall(1.5 * nearer))
    assert near.min() > far.max()


def test_a_plane_is_not_bent_however_steeply_it_is_seen() -> None:
    """Rows of the floor are believed about as much as walls at their distance: inverse depth is linear in v."""
    confidence = metric_confidence(floor())
    for row in (20, 50, 80):
        same_range = metric_confidence(wall(float(floor()[row, 0])))[0, 0]
        assert confidence[row].min() > 0.98 * same_range, row


def test_what_has_no_depth_has_no_confidence_and_leaves_the_rest_its_own() -> None:
    depth = wall(3.0)
    depth[10, 10], depth[80, 20], depth[40, 100] = torch.nan, torch.inf, -torch.inf
    confidence = metric_confidence(depth)
    assert torch.equal(confidence == 0, ~torch.isfinite(depth))
    assert confidence[10, 11] < confidence[60, 60], "beside an unknown pixel it is believed less"


def test_images_of_a_batch_do_not_see_each_other() -> None:
    depths = torch.stack([step(), floor(), wall(7.0)])
    together = metric_confidence(depths)
    assert together.shape == depths.shape
    for alone, confidence in zip(depths, together, strict=True):
        torch.testing.assert_close(metric_confidence(alone), confidence)


def test_it_is_the_same_at_any_resolution() -> None:
    """Of a smooth scene; the grid that it is made on has as many columns."""
    v, u = torch.meshgrid(torch.linspace(0, 1, 480), torch.linspace(0, 1, 640), indexing="ij")
    depth = 3 + torch.sin(3 * u) + torch.cos(4 * v)
    small = torch.nn.functional.interpolate(depth[None, None], (240, 320), mode="area")[0, 0]
    shrunk = torch.nn.functional.interpolate(metric_confidence(depth)[None, None], (240, 320), mode="area")[0, 0]
    torch.testing.assert_close(metric_confidence(small), shrunk, atol=0.01, rtol=0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (3, 700), (481, 641)])
def test_images_of_any_size(shape: tuple[int, int]) -> None:
    confidence = metric_confidence(torch.full(shape, 2.0))
    assert confidence.shape == shape and torch.isfinite(confidence).all() and confidence.min() > 0.5


def test_the_depth_is_left_as_it_is() -> None:
    depth = step()
    metric_confidence(depth)
    assert torch.equal(depth, step())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_it_is_the_same_on_a_gpu_and_stays_there() -> None:
    confidence = metric_confidence(step().cuda())
    assert confidence.device.type == "cuda"
    torch.testing.assert_close(confidence.cpu(), metric_confidence(step()), atol=1e-5, rtol=0)


class Metric:
    """A metric model that sees a step with sky above it."""

    info = EstimatorInfo("fake", "", 0, "cpu", "float32")

    def predict(self, rgb: object, focal_px: float | None = None) -> Prediction:
        depth = step()
        depth[:20] = 10_000.0
        return Prediction(depth, torch.tensor(100.0), None)


class TestOfAFrame:
    @pytest.mark.parametrize("edge_filter", ["off", "cloud", "all"])
    def test_it_is_0_exactly_where_there_is_no_depth(self, edge_filter: str) -> None:
        settings = PipelineSettings(edge_filter=edge_filter, min_depth_m=3.5)
        frame = Pipeline(Metric(), settings).process(RGB, CAMERA)
        assert frame.confidence is not None
        assert torch.equal(frame.confidence == 0, ~torch.isfinite(frame.metres))
        assert (frame.confidence[:20] == 0).all(), "sky"
        assert (frame.confidence[30:, :60] == 0).all(), "too near"
        assert (frame.confidence[30:, 70:] > 0).all()

    def test_it_is_only_made_if_somebody_wants_it(self) -> None:
        frame = Pipeline(Metric()).process(RGB, CAMERA, Wanted(confidence=False))
        assert frame.confidence is None

    def test_it_does_not_change_the_depth(self) -> None:
        with_it = Pipeline(Metric()).process(RGB, CAMERA)
        without = Pipeline(Metric()).process(RGB, CAMERA, Wanted(confidence=False))
        assert torch.equal(with_it.metres, without.metres)

    def test_there_is_none_while_there_are_no_metres(self) -> None:
        settings = PipelineSettings(scale_source="ranges", ranges_type="laser_scan")
        only = Wanted(depth=False, cloud=False, scale=False)
        ranges = NoScale("the scanner sleeps")
        frame = Pipeline(Metric(), settings).process(RGB, CAMERA, only, ranges=ranges)
        assert frame.confidence is None and frame.depth_m is None

    def test_it_is_of_the_depth_that_is_published(self) -> None:
        """Depth that was scaled to lie farther off is believed less."""
        plain = Pipeline(Metric()).process(RGB, CAMERA)
        settings = dataclasses.replace(PipelineSettings(), fixed_scale=3.0)
        scaled = Pipeline(Metric(), settings).process(RGB, CAMERA)
        assert plain.confidence is not None and scaled.confidence is not None
        assert (scaled.confidence[40:, 100:] < plain.confidence[40:, 100:]).all()
