# SPDX-License-Identifier: Apache-2.0
"""What a stage's network gives its loss, and the loss of a mixed batch."""

from __future__ import annotations

import pytest
import torch

from depthpro_ros.errors import InputError
from depthpro_ros.models.depth_pro import DepthPro
from depthpro_ros.models.depth_pro.presets import PICO, PRESETS
from depthpro_ros.training.data.batch import Batch
from depthpro_ros.training.init import (
    TYPICAL_CANONICAL_INVERSE_DEPTH,
    TYPICAL_FOV_DEG,
    initialise,
    start_head_as_patch_encoder,
)
from depthpro_ros.training.losses import mae, ssi_mae
from depthpro_ros.training.trainees import CoarseTrainee, DepthTrainee, FovTrainee, StageLoss


@pytest.fixture
def network() -> DepthPro:
    torch.manual_seed(0)
    network = DepthPro(PICO).eval()
    initialise(network)
    return network


def batch(*kinds: str, side_px: int = 16) -> Batch:
    generator = torch.Generator().manual_seed(3)
    count = len(kinds)
    return Batch(
        torch.randint(0, 256, (count, side_px, side_px, 3), dtype=torch.uint8, generator=generator),
        torch.rand(count, side_px, side_px, generator=generator) + 0.1,
        torch.ones(count, side_px, side_px, dtype=torch.bool),
        torch.full((count,), 60.0),
        kinds,  # type: ignore[arg-type]
    )


@torch.no_grad()
def test_depth_in_training_is_depth_in_use_but_for_the_last_relu(network: DepthPro) -> None:
    rgb = batch("synthetic", "synthetic", side_px=PICO.input_px).rgb
    image = rgb.permute(0, 3, 1, 2) / 127.5 - 1
    torch.testing.assert_close(DepthTrainee(network)(rgb).relu(), network(image)[0][:, 0])


@torch.no_grad()
def test_the_head_sees_the_same_features_in_training_and_in_use(network: DepthPro) -> None:
    rgb = batch("synthetic", side_px=PICO.input_px).rgb
    image = rgb.permute(0, 3, 1, 2) / 127.5 - 1
    quarter = torch.nn.functional.interpolate(image, scale_factor=0.25, mode="bilinear", align_corners=False)
    assert network.fov is not None
    in_training = network.fov(quarter, network.global_features(quarter))
    torch.testing.assert_close(in_training, network(image)[1])


@pytest.mark.parametrize("preset", ["nano", "pico"])
@torch.no_grad()
def test_a_network_starts_at_a_typical_scene(preset: str) -> None:
    torch.manual_seed(0)
    network = DepthPro(PRESETS[preset]).eval()
    initialise(network)
    rgb = batch("synthetic", "synthetic", side_px=network.config.input_px).rgb
    typical = pytest.approx(TYPICAL_CANONICAL_INVERSE_DEPTH, rel=0.5)
    assert float(DepthTrainee(network)(rgb).median()) == typical
    window = batch("synthetic", "synthetic", side_px=network.config.window_px).rgb
    assert FovTrainee(network)(window).tolist() == pytest.approx([TYPICAL_FOV_DEG] * 2, rel=0.3)


def test_the_field_of_view_loss_sends_no_gradient_into_the_depth_network(network: DepthPro) -> None:
    trainee = FovTrainee(network)
    trainee(batch("synthetic", side_px=trainee.side_px).rgb).sum().backward()
    assert {name.split(".")[1] for name, p in trainee.named_parameters() if p.grad is not None} == {"fov"}


def test_a_network_without_head_has_none_to_train() -> None:
    from dataclasses import replace

    with pytest.raises(ValueError, match="set fov_encoder"):
        FovTrainee(DepthPro(replace(PICO, fov_encoder=None)))


def test_each_kind_of_data_has_its_own_losses() -> None:
    mixed = batch("synthetic_metric", "non_metric", "synthetic_metric")
    predicted = mixed.canonical * 1.5 + 0.2 * torch.rand(mixed.canonical.shape)
    loss = StageLoss({"synthetic_metric": {"mae": 2.0}, "non_metric": {"ssi_mae": 1.0}})
    total, terms = loss(predicted, mixed)
    metric = mae(predicted, mixed.canonical, mixed.valid)[[0, 2]]
    free = ssi_mae(predicted, mixed.canonical, mixed.valid)[1]
    torch.testing.assert_close(total, (2 * metric.sum() + free) / 3)
    torch.testing.assert_close(terms["mae"], metric.mean())
    torch.testing.assert_close(terms["ssi_mae"], free)


def test_below_zero_is_right_in_the_sky_only() -> None:
    sky = batch("synthetic")
    sky.canonical[:, :8] = 0
    predicted = sky.canonical.clone()
    predicted[:, :8] = -3.0
    loss = StageLoss({"synthetic": {"mae": 1.0, "mage": 1.0}})
    assert float(loss(predicted, sky)[0]) == 0
    predicted[:, 8:] = -3.0
    assert float(loss(predicted, sky)[0]) > 1


def test_a_prediction_of_another_size_is_resized_to_the_target() -> None:
    flat = batch("synthetic")
    flat.canonical[:] = 0.5
    predicted = torch.full((1, 5, 5), 0.75)
    assert float(StageLoss({"synthetic": {"mae": 1.0}})(predicted, flat)[0]) == pytest.approx(0.25)


def test_the_field_of_view_loss_is_the_squared_angle_in_tens_of_degrees() -> None:
    both = batch("synthetic", "synthetic")
    total, terms = StageLoss({})(torch.tensor([70.0, 40.0]), both)
    assert float(total) == pytest.approx((1 + 4) / 2)
    assert float(terms["fov_rmse_deg"]) == pytest.approx((500 / 2) ** 0.5)


def test_coarse_and_depth_share_the_transformers(network: DepthPro) -> None:
    coarse, depth = CoarseTrainee(network), DepthTrainee(network)
    assert coarse.network is depth.network
    assert coarse.side_px * 4 == depth.side_px


@torch.no_grad()
def test_the_head_may_start_as_the_patch_encoder(network: DepthPro) -> None:
    """PICO's head is as the first of the patch encoder's two blocks: without the second, the tokens are the same."""
    start_head_as_patch_encoder(network)
    window = torch.rand(2, 3, PICO.window_px, PICO.window_px)
    assert network.fov is not None
    head = network.fov.encoder[0](window)[0]
    del network.encoder.patch_encoder.blocks[1]
    torch.testing.assert_close(head, network.encoder.patch_encoder(window)[0])


def test_a_head_of_another_width_cannot() -> None:
    from dataclasses import replace

    other = DepthPro(replace(PICO, fov_encoder=replace(PICO.fov_encoder, dim=16)))
    with pytest.raises(InputError, match="same dim"):
        start_head_as_patch_encoder(other)
