# SPDX-License-Identifier: Apache-2.0
"""The nano's training loop: its loss, its start, and going on after an interruption."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import pytest
import torch

from depthpro_ros.models.depth_pro import DepthPro
from depthpro_ros.models.depth_pro.encoder import pyramid
from depthpro_ros.models.depth_pro.network import normalise
from depthpro_ros.models.depth_pro.weights import load_network
from depthpro_ros.models.registry import NANO_WEIGHTS
from depthpro_ros.scenes import render_scenes
from depthpro_ros.training import nano
from depthpro_ros.training.init import TYPICAL_CANONICAL_INVERSE_DEPTH, TYPICAL_FOV_DEG, initialise


def test_target_is_canonical_inverse_depth() -> None:
    """depth = focal / (width * C), so a prediction equal to the target gives the scene's depth back."""
    scenes = render_scenes(range(2), height=48, width=64)
    sample = nano.Sample.of(scenes)
    depth = (scenes.focal_px / 64).view(-1, 1, 1) / sample.canonical
    torch.testing.assert_close(depth, scenes.depth_m)
    torch.testing.assert_close(64 / 2 / torch.tan(torch.deg2rad(sample.fov_deg) / 2), scenes.focal_px)


def test_loss_of_a_perfect_prediction_is_zero_also_below_the_relu_in_the_sky() -> None:
    target = torch.rand(2, 16, 16) + 0.1
    target[:, :4] = 0
    raw = target.clone()
    raw[:, :4] = -3.0
    assert nano.depth_loss(raw[:, None], target) == 0


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_loss_of_a_wrong_scale_has_a_closed_form(factor: float) -> None:
    """Slopes agree, so the logarithm of the ratio and the relative error of depth, 1 / factor, are left."""
    target = torch.full((1, 16, 16), 0.5)
    wrong = (target + nano.FAR_CANONICAL) * factor - nano.FAR_CANONICAL
    expected = 0.5 * (math.log(2) + abs(1 / factor - 1))
    assert float(nano.depth_loss(wrong[:, None], target)) == pytest.approx(expected, rel=1e-5)


def test_network_starts_at_a_typical_scene_and_every_weight_gets_a_gradient() -> None:
    torch.manual_seed(0)
    network = DepthPro(nano.NANO)
    initialise(network)
    sample = nano.Sample.of(render_scenes(range(2), height=192, width=256))
    canonical, fov = network(normalise(sample.rgb, 256, True))
    assert float(canonical.detach().median()) == pytest.approx(TYPICAL_CANONICAL_INVERSE_DEPTH, rel=0.5)
    assert fov is not None and fov.detach().tolist() == pytest.approx([TYPICAL_FOV_DEG] * 2, rel=0.3)
    (nano.depth_step(network, sample) + nano.fov_step(network, sample)).backward()
    unused = {"decoder.fusions.3.resnet1"}
    dead = [
        name
        for name, parameter in network.named_parameters()
        if (parameter.grad is None or not parameter.grad.any()) and name.rsplit(".residual", 1)[0] not in unused
    ]
    assert dead == []


def test_fov_training_does_not_touch_the_depth_network() -> None:
    network = DepthPro(nano.NANO)
    initialise(network)
    sample = nano.Sample.of(render_scenes(range(1), height=192, width=256))
    nano.fov_step(network, sample).backward()
    touched = {name.split(".")[0] for name, p in network.named_parameters() if p.grad is not None}
    assert touched == {"fov"}


def test_fov_head_sees_the_same_features_in_training_and_in_use() -> None:
    torch.manual_seed(1)
    network = DepthPro(nano.NANO).eval()
    initialise(network)
    image = torch.rand(1, 3, 256, 256) * 2 - 1
    with torch.no_grad():
        quarter = pyramid(image)[2]
        lowres = network.global_features(quarter)
        assert network.fov is not None
        torch.testing.assert_close(network.fov(quarter, lowres), network(image)[1])


def test_phases_fill_the_time_in_order() -> None:
    shares = [phase.share for phase in nano.PHASES]
    assert sum(shares) == pytest.approx(1)
    assert nano.phase_at(0.0) == (nano.PHASES[0], 0.0)
    assert nano.phase_at(shares[0] / 2)[1] == pytest.approx(0.5)
    middle = nano.phase_at(shares[0] + shares[1] / 4)
    assert (middle[0].name, middle[1]) == ("depth", pytest.approx(0.25))
    assert nano.phase_at(1.0)[0].name == "fov"


def test_every_phase_runs_and_a_run_goes_on(tmp_path, monkeypatch, capsys) -> None:
    phases = [replace(phase, batch=2, share=share) for phase, share in zip(nano.PHASES, (0.2, 0.6, 0.2), strict=True)]
    monkeypatch.setattr(nano, "PHASES", tuple(phases))
    checkpoint = tmp_path / "checkpoint.pt"
    common = ["nano", "--checkpoint", str(checkpoint), "--device", "cpu", "--log-every", "1"]
    monkeypatch.setattr(sys, "argv", [*common, "--minutes", "0.2"])
    nano.main()
    first = capsys.readouterr().out
    assert all(f"{phase.name} step" in first for phase in phases)
    steps = torch.load(checkpoint, weights_only=True)["step"]
    monkeypatch.setattr(sys, "argv", [*common, "--minutes", "0.25"])
    nano.main()
    second = capsys.readouterr().out
    assert f"resumed at step {steps}" in second
    assert torch.load(checkpoint, weights_only=True)["step"] > steps
    assert not list(tmp_path.glob("*.partial"))


def test_a_checkpoint_restores_the_whole_run(tmp_path) -> None:
    run = nano.start(torch.device("cpu"))
    run.step, run.spent_s, run.store.drawn = 7, 12.5, 99
    run.save(tmp_path / "a.pt")
    other = nano.start(torch.device("cpu"))
    other.load(tmp_path / "a.pt", torch.device("cpu"))
    assert (other.step, other.spent_s, other.store.drawn) == (7, 12.5, 99)
    for key, value in run.network.state_dict().items():
        assert torch.equal(other.network.state_dict()[key], value)


def test_export_is_loadable(tmp_path, monkeypatch) -> None:
    nano.start(torch.device("cpu")).save(tmp_path / "a.pt")
    target = tmp_path / "nano.safetensors"
    monkeypatch.setattr(sys, "argv", ["nano", "--checkpoint", str(tmp_path / "a.pt"), "--export", str(target)])
    nano.main()
    assert load_network(target).config == nano.NANO
    assert target.stat().st_size < 16e6


def test_a_run_may_start_from_a_trained_network_and_sees_other_scenes_with_another_seed(tmp_path, monkeypatch) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    arguments = ["--checkpoint", str(checkpoint), "--init", str(NANO_WEIGHTS), "--seed", "3", "--minutes", "0"]
    monkeypatch.setattr(sys, "argv", ["nano", *arguments])
    nano.main()
    trained = load_network(NANO_WEIGHTS).float().state_dict()
    started = torch.load(checkpoint, weights_only=True)["network"]
    assert all(torch.equal(started[key], value) for key, value in trained.items())
    assert nano.start(torch.device("cpu"), 3).store.first_seed == 4 * nano.FIRST_TRAINING_SEED
