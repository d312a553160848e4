# SPDX-License-Identifier: Apache-2.0
"""Whole runs of a very small network: stages, going on after a kill, several processes, early stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from depthpro_ros.cli.main import main
from depthpro_ros.errors import InputError
from depthpro_ros.models.depth_pro.weights import load_network, save_network
from depthpro_ros.training.config import TrainConfig, config_from
from depthpro_ros.training.processes import joined
from depthpro_ros.training.run import CHECKPOINT, build_network
from depthpro_ros.training.sources import TrainingData
from depthpro_ros.training.trainer import TRAINED, Trainer
from test.training.small import TINY

LOSSES = {"synthetic_metric": {"mae": 1, "mage": 0.1}}


def raw(output: Path, **changes) -> dict:
    """Coarse, depth and field of view, a few steps each."""
    return {
        "network": json.loads(TINY.to_json()),
        "output": str(output),
        "precision": "float32",
        "ema": 0.5,
        "checkpoint_every": 2,
        "datasets": {"scenes": {"type": "scenes"}},
        "stages": [
            {"name": "coarse", "train": "coarse", "steps": 3, "batch": 2, "losses": LOSSES},
            {"name": "depth", "steps": 5, "batch": 2, "losses": LOSSES, "optimiser": {"kind": "muon"}},
            {"name": "focal", "train": "fov", "steps": 3, "batch": 2},
        ],
        "validation": {"every": 2, "images": 4},
    } | changes


def train(config: TrainConfig, minutes: float | None = None) -> Path | None:
    with joined("cpu") as processes:
        return Trainer(config, processes, TrainingData(config, processes)).train(minutes)


def command(config: dict, folder: Path) -> list[str]:
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump(config))
    return ["train", str(path), "--device", "cpu"]


def environment() -> dict[str, str]:
    root = str(Path(__file__).parents[2])
    return os.environ | {
        "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]),
        "OMP_NUM_THREADS": "1",
    }


def assert_same_weights(one: Path, other: Path) -> None:
    first, second = load_file(one), load_file(other)
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_a_run_ends_with_weights_that_load_and_a_curve(tmp_path: Path) -> None:
    trained = train(config_from(raw(tmp_path)))
    assert trained == tmp_path / TRAINED
    assert load_network(trained).config == TINY
    curve = [json.loads(line) for line in (tmp_path / "curve.jsonl").read_text().splitlines()]
    validations = {(r["stage"], r["step"]) for r in curve if r["group"] == "validation"}
    assert validations == {
        ("coarse", 2),
        ("coarse", 3),
        ("depth", 5),
        ("depth", 7),
        ("depth", 8),
        ("focal", 10),
        ("focal", 11),
    }
    assert list((tmp_path / "tensorboard").glob("events*"))
    assert not list(tmp_path.glob("*.partial"))


def test_the_field_of_view_stage_leaves_depth_alone(tmp_path: Path) -> None:
    train(config_from(raw(tmp_path)))
    before, after = load_file(tmp_path / "best-depth.safetensors"), load_file(tmp_path / "best-focal.safetensors")
    changed = {name.split(".")[0] for name, value in before.items() if not torch.equal(value, after[name])}
    assert changed == {"fov"}


def test_a_run_learns(tmp_path: Path) -> None:
    """Thirty steps halve the validation loss of the first one."""
    stage = {"name": "coarse", "train": "coarse", "steps": 30, "batch": 8, "losses": {"synthetic_metric": {"log": 1}}}
    stage["optimiser"] = {"lr_encoder": 1e-3, "lr_decoder": 1e-3, "clip": 1.0}
    validation = {"every": 1, "images": 8}
    config = config_from(raw(tmp_path, network="pico", stages=[stage], ema=None, validation=validation))
    train(config)
    curve = [json.loads(line) for line in (tmp_path / "curve.jsonl").read_text().splitlines()]
    losses = [r["loss"] for r in curve if r["group"] == "validation"]
    assert losses[-1] < 0.5 * losses[0]


def test_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    """SIGKILL in the middle of a stage, between two checkpoints; the unbroken run is the reference."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    long, unbroken = raw(broken), raw(whole)
    for config in (long, unbroken):
        config["stages"] = [config["stages"][0], config["stages"][1] | {"steps": 20}]
        # the step of a validation, after which it is killed, has no checkpoint
        config["validation"], config["checkpoint_every"] = {"every": 6, "images": 2}, 4
        config["workers"] = 1
    python = [sys.executable, "-m", "depthpro_ros.cli"]
    curve = broken / "curve.jsonl"
    process = subprocess.Popen([*python, *command(long, tmp_path)], env=environment())
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if (broken / CHECKPOINT).exists() and _step(curve) >= 8:
            break
        time.sleep(0.02)
    assert process.poll() is None, "the run was over before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (broken / TRAINED).exists()
    subprocess.run([*python, *command(long, tmp_path)], env=environment(), check=True)
    subprocess.run([*python, *command(unbroken, tmp_path)], env=environment(), check=True)
    for name in (TRAINED, "best-coarse.safetensors", "best-depth.safetensors"):
        assert_same_weights(broken / name, whole / name)


def _step(curve: Path) -> int:
    # a running process may be in the middle of its last line
    lines = curve.read_text().splitlines(keepends=True) if curve.exists() else []
    return max((json.loads(line)["step"] for line in lines if line.endswith("\n")), default=0)


def test_two_processes_train_as_one(tmp_path: Path) -> None:
    """Each takes half of every batch and gradients are averaged: the sum is the same but for rounding."""
    alone, both = raw(tmp_path / "alone"), raw(tmp_path / "both")
    for config in (alone, both):
        # Adam divides by the gradient's size, so that rounding alone would turn a tiny gradient's sign
        config["stages"] = [config["stages"][0] | {"steps": 4, "optimiser": {"kind": "muon", "lr_decoder": 1e-7}}]
        config["ema"] = None
    train(config_from(alone))
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run([*torchrun, "-m", "depthpro_ros.cli", *command(both, tmp_path)], env=environment(), check=True)
    one, two = (
        load_file(tmp_path / "alone" / "best-coarse.safetensors"),
        load_file(tmp_path / "both" / "best-coarse.safetensors"),
    )
    started = build_network(config_from(alone)).state_dict()
    moved = max(float((one[name] - started[name]).abs().max()) for name in one)
    apart = max(float((one[name] - two[name]).abs().max()) for name in one)
    assert moved > 1e-5
    # Muon orthogonalises in bfloat16; half of the gradient, were it not averaged, would be as far off as it moved
    assert apart < 0.2 * moved


def test_time_up_stops_with_a_checkpoint_and_the_same_command_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = config_from(raw(tmp_path))
    assert train(config, minutes=1e-6) is None
    assert (tmp_path / CHECKPOINT).exists()
    assert "the same command goes on" in capsys.readouterr().out
    assert train(config) == tmp_path / TRAINED


def test_a_stage_ends_early_when_nothing_gets_better(tmp_path: Path) -> None:
    stages = [raw(tmp_path)["stages"][0] | {"steps": 50, "optimiser": {"lr_encoder": 1e-12, "lr_decoder": 1e-12}}]
    config = config_from(raw(tmp_path, stages=stages, ema=None, validation={"every": 1, "images": 2, "patience": 2}))
    train(config)
    assert _step(tmp_path / "curve.jsonl") < 10


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_checkpoint(tmp_path: Path) -> None:
    config = raw(tmp_path)
    config["stages"] = [
        config["stages"][0] | {"steps": 200, "optimiser": {"lr_encoder": 1e30, "lr_decoder": 1e30, "clip": 1e30}}
    ]
    with pytest.raises(InputError, match=r"the loss is .* lower lr_encoder"):
        train(config_from(config))


def test_a_checkpoint_of_another_network_is_refused_before_the_first_step(tmp_path: Path) -> None:
    train(config_from(raw(tmp_path)), minutes=1e-6)
    other = raw(tmp_path, network=json.loads(TINY.to_json()) | {"head_dim": 4})
    with pytest.raises(InputError, match="another network"):
        train(config_from(other))


def test_init_of_another_size_is_refused(tmp_path: Path) -> None:
    save_network(build_network(config_from(raw(tmp_path))), tmp_path / "tiny.safetensors")
    config = config_from(raw(tmp_path, network="nano", init=str(tmp_path / "tiny.safetensors")))
    with pytest.raises(InputError, match="other sizes"):
        build_network(config)


def test_init_starts_from_the_given_weights(tmp_path: Path) -> None:
    start = build_network(config_from(raw(tmp_path)))
    save_network(start, tmp_path / "tiny.safetensors", torch.float32)
    values = raw(tmp_path, init=str(tmp_path / "tiny.safetensors"), seed=5)
    del values["network"]
    again = build_network(config_from(values))
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in start.state_dict().items())


def test_gradient_checkpointing_changes_nothing_but_memory(tmp_path: Path) -> None:
    stages = [raw(tmp_path)["stages"][1] | {"steps": 2, "optimiser": {}}]
    for name, recompute in (("plain", False), ("recomputed", True)):
        train(config_from(raw(tmp_path / name, stages=stages, ema=None, gradient_checkpointing=recompute)))
    one, two = (load_file(tmp_path / name / "best-depth.safetensors") for name in ("plain", "recomputed"))
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=1e-5, atol=1e-7)


def test_a_network_without_field_of_view_head_cannot_train_one(tmp_path: Path) -> None:
    sizes = json.loads(TINY.to_json()) | {"fov_encoder": None}
    with pytest.raises(InputError, match="no fov_encoder"):
        train(config_from(raw(tmp_path, network=sizes)))


def test_the_command_checks_without_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command(raw(tmp_path / "out"), tmp_path), "--check"]) == 0
    assert "scenes" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_a_wrong_configuration_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command(raw(tmp_path, speed="fast"), tmp_path)) == 2
    assert "speed is no setting" in capsys.readouterr().err


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize("recompute", [False, True])
def test_a_run_on_a_gpu(tmp_path: Path, recompute: bool) -> None:
    """Scenes are rendered on the GPU; bfloat16, all three kinds of stage."""
    values = raw(tmp_path / "out", precision="bfloat16", gradient_checkpointing=recompute)
    arguments = command(values, tmp_path)
    arguments[-1] = "cuda"
    assert main(arguments) == 0
    assert load_network(tmp_path / "out" / TRAINED).config == TINY
