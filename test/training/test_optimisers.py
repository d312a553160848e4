# SPDX-License-Identifier: Apache-2.0
"""What a stage trains, at which rate, and the schedule."""

from __future__ import annotations

import pytest
import torch

from depthpro_ros.models.depth_pro import DepthPro
from depthpro_ros.models.depth_pro.presets import PICO
from depthpro_ros.training.config_stage import Optimiser, Schedule
from depthpro_ros.training.init import initialise
from depthpro_ros.training.optimisers import Optimisers, parts_of, rate_factor, split
from depthpro_ros.training.trainees import TRAINEES, trained_parameters
from test.training.depthart.small import small_model


@pytest.fixture
def network() -> DepthPro:
    torch.manual_seed(0)
    network = DepthPro(PICO)
    initialise(network)
    return network


def rgb(side_px: int) -> torch.Tensor:
    return torch.randint(
        0, 256, (2, side_px, side_px, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )


@pytest.mark.parametrize("kind", list(TRAINEES))
def test_every_trained_parameter_gets_a_gradient_and_no_other(network: DepthPro, kind: str) -> None:
    trainee = TRAINEES[kind](network)
    trained = set(trained_parameters(trainee))
    trainee(rgb(trainee.side_px)).square().mean().backward()
    moved = {name for name, p in trainee.named_parameters() if p.grad is not None}
    assert moved == trained


def test_the_stages_share_out_the_network(network: DepthPro) -> None:
    names = {
        kind: {n for n in trained_parameters(trainee(network)) if n.startswith("network.")}
        for kind, trainee in TRAINEES.items()
    }
    assert names["coarse"] < names["depth"]
    assert not names["depth"] & names["fov"]
    unused = {f"network.{n}" for n, _ in network.named_parameters() if n.startswith("decoder.fusions.3.resnet1")}
    assert names["depth"] | names["fov"] | unused == {f"network.{n}" for n, _ in network.named_parameters()}


def test_frozen_norms_stay(network: DepthPro) -> None:
    trained = trained_parameters(TRAINEES["depth"](network), freeze_norms=True)
    assert trained and not any("norm" in name for name in trained)


@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_encoder_and_decoder_have_their_own_rates(network: DepthPro, kind: str) -> None:
    """Adam's first step moves a weight by the rate, whatever its gradient; Muon's is of that size."""
    trainee = TRAINEES["depth"](network)
    settings = Optimiser(kind=kind, lr_encoder=1e-4, lr_decoder=1e-2, clip=1e9)
    optimisers = Optimisers(parts_of(settings, trainee, freeze_norms=False), settings)
    before = {name: p.detach().clone() for name, p in trainee.named_parameters()}
    trainee(rgb(trainee.side_px)).square().sum().backward()
    optimisers.step(1.0)
    moved = {name: (p.detach() - before[name]).abs().max().item() for name, p in trainee.named_parameters()}
    assert moved["network.head.2.weight"] == pytest.approx(1e-2, rel=0.01)
    block = moved["network.encoder.patch_encoder.blocks.0.mlp.fc1.weight"]
    assert 2e-5 < block < 1e-3
    if kind == "adamw":
        assert block == pytest.approx(1e-4, rel=0.01)
    assert all(moved[name] == 0 for name in moved if ".fov." in name)


def test_muon_takes_the_hidden_matrices_of_depthart_alone() -> None:
    transformer = dict(small_model().transformer.named_parameters())
    hidden = {id(p) for part in split(transformer, 1e-3, "muon") if part.muon for p in part.parameters}
    taken = {name.rsplit(".", 2)[-2] for name, p in transformer.items() if id(p) in hidden}
    assert taken == {"mat_qkv", "proj", "fc1", "fc2"}
    (plain,) = split(transformer, 1e-3, "adamw")
    assert len(plain.parameters) == len(transformer) and not plain.muon


@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_no_rate_freezes_the_transformers(network: DepthPro, kind: str) -> None:
    trainee = TRAINEES["depth"](network)
    settings = Optimiser(kind=kind, lr_encoder=0, lr_decoder=1e-2, weight_decay=0.1)
    optimisers = Optimisers(parts_of(settings, trainee, freeze_norms=False), settings)
    before = {name: p.detach().clone() for name, p in trainee.named_parameters()}
    trainee(rgb(trainee.side_px)).square().sum().backward()
    optimisers.step(1.0)
    moved = {name for name, p in trainee.named_parameters() if not torch.equal(p, before[name])}
    assert "network.head.2.weight" in moved and "network.decoder.fusions.3.resnet2.residual.1.weight" in moved
    assert not any("patch_encoder" in name or "image_encoder" in name for name in moved)


def test_the_gradient_is_clipped(network: DepthPro, monkeypatch: pytest.MonkeyPatch) -> None:
    trainee = TRAINEES["depth"](network)
    settings = Optimiser(clip=0.2)
    optimisers = Optimisers(parts_of(settings, trainee, freeze_norms=False), settings)
    norms: list[float] = []

    def note(_: torch.optim.Optimizer) -> None:
        grads = [p.grad for p in trainee.parameters() if p.grad is not None]
        norms.append(float(torch.cat([g.flatten() for g in grads]).norm()))

    monkeypatch.setattr(torch.optim.AdamW, "step", note)
    (1e6 * trainee(rgb(trainee.side_px))).sum().backward()
    assert optimisers.step(1.0) > 1e3
    assert norms == pytest.approx([0.2], rel=1e-3)


def test_the_papers_schedule_is_warm_flat_low() -> None:
    schedule = Schedule()
    assert rate_factor(schedule, 0, 1000) == pytest.approx(1 / 11)
    assert rate_factor(schedule, 9, 1000) == pytest.approx(10 / 11)
    assert {rate_factor(schedule, step, 1000) for step in range(10, 810)} == {1.0}
    assert {rate_factor(schedule, step, 1000) for step in range(810, 1000)} == {0.1}


def test_the_cosine_falls_to_its_last_value() -> None:
    schedule = Schedule(kind="cosine", warmup=0.0, last=0.02)
    assert rate_factor(schedule, 0, 100) == pytest.approx(1.0)
    assert rate_factor(schedule, 50, 100) == pytest.approx(0.51)
    assert rate_factor(schedule, 100, 100) == pytest.approx(0.02)
