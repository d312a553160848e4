# SPDX-License-Identifier: Apache-2.0
"""Fine-tuning on a user's own data through the command: a folder, a recording, and what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml

from depthpro_ros.cli.main import main
from depthpro_ros.models.depth_pro import DepthPro
from depthpro_ros.models.depth_pro.weights import load_network
from depthpro_ros.scenes import render_scenes
from depthpro_ros.training.init import initialise
from depthpro_ros.training.trainer import TRAINED
from test.training.small import TINY

HEIGHT, WIDTH = 60, 80


def write_folder(root: Path, seeds: range) -> Path:
    """Scenes as a camera driver would save them: PNGs, millimetres with 0 for unknown, and intrinsics for all."""
    scenes = render_scenes(seeds, height=HEIGHT, width=WIDTH)
    (root / "rgb").mkdir(parents=True)
    (root / "depth").mkdir()
    (root / "intrinsics").mkdir()
    for index, seed in enumerate(seeds):
        rgb, depth = scenes.rgb[index].numpy(), scenes.depth_m[index].numpy()
        known = scenes.valid[index].numpy() & (depth < 60)
        millimetres = np.where(known, depth * 1000, 0).astype(np.uint16)
        cv2.imwrite(str(root / "rgb" / f"{seed}.png"), rgb[..., ::-1])
        cv2.imwrite(str(root / "depth" / f"{seed}.png"), millimetres)
        fx = float(scenes.focal_px[index])
        intrinsics = {"fx": fx, "fy": fx, "cx": WIDTH / 2, "cy": HEIGHT / 2, "width": WIDTH, "height": HEIGHT}
        (root / "intrinsics" / f"{seed}.json").write_text(json.dumps(intrinsics))
    return root


def write_weights(folder: Path) -> Path:
    """A small network in the layout of Apple's release."""
    torch.manual_seed(0)
    network = DepthPro(TINY)
    initialise(network)
    torch.save(network.state_dict(), folder / "depth_pro.pt")
    (folder / "depth_pro.json").write_text(TINY.to_json())
    return folder / "depth_pro.pt"


def config(tmp_path: Path, data: dict, validation: dict | None) -> Path:
    stage = {
        "name": "finetune",
        "steps": 24,
        "batch": 4,
        "losses": {"real_metric": {"trimmed_mae": 1}},
        "freeze_norms": True,
        "optimiser": {"lr_encoder": 1e-3, "lr_decoder": 1e-3, "clip": 1.0},
        "augment": {"colour": 0, "blur": 0, "crop": 0, "flip": 0},
    }
    values = {
        "output": str(tmp_path / "out"),
        "precision": "float32",
        "datasets": {"mine": data},
        "stages": [stage],
        "validation": {"every": 6, "images": 4, "data": validation},
    }
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(values))
    return tmp_path / "run.yaml"


def validation_losses(tmp_path: Path) -> list[float]:
    lines = (tmp_path / "out" / "curve.jsonl").read_text().splitlines()
    return [record["loss"] for record in map(json.loads, lines) if record["group"] == "validation"]


def test_on_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = {"type": "folder", "path": str(write_folder(tmp_path / "data", range(6))), "depth_scale": 1000}
    run = config(tmp_path, data, data)
    weights = write_weights(tmp_path)
    assert main(["train", str(run), "--init", str(weights), "--device", "cpu"]) == 0
    assert "mine: 6 frames of 80x60 px" in capsys.readouterr().out
    losses = validation_losses(tmp_path)
    assert losses[-1] < 0.9 * losses[0]
    trained, start = load_network(tmp_path / "out" / TRAINED).state_dict(), load_network(weights).state_dict()
    norms = [name for name in start if "norm" in name]
    assert norms and all(torch.equal(trained[name].float(), start[name].half().float()) for name in norms)
    fov = [name for name in start if name.startswith("fov.")]
    assert all(torch.equal(trained[name].float(), start[name].half().float()) for name in fov)


def test_on_a_recording(tmp_path: Path) -> None:
    pytest.importorskip("rosbags")
    bag = tmp_path / "bag"
    arguments = ["--seed", "3", "--seconds", "0.5", "--rate", "8", "--width", "80", "--height", "60"]
    assert main(["scenes", "--bag", str(bag), *arguments]) == 0
    data = {"type": "bag", "path": str(bag)}
    run = config(tmp_path, data, data)
    assert main(["train", str(run), "--init", str(write_weights(tmp_path)), "--device", "cpu"]) == 0
    losses = validation_losses(tmp_path)
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"depth_scale": 1}, "millimetres"),
        ({"path": "nowhere"}, "nowhere is no folder"),
        ({"fx_px": 100_000}, "field of view"),
    ],
)
def test_data_that_cannot_be_right_is_refused_before_the_first_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict, said: str
) -> None:
    good = {"type": "folder", "path": str(write_folder(tmp_path / "data", range(2))), "depth_scale": 1000}
    run = config(tmp_path, good | change, good)
    assert main(["train", str(run), "--init", str(write_weights(tmp_path)), "--device", "cpu"]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_validation_must_be_named_where_there_are_no_scenes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = {"type": "folder", "path": str(tmp_path)}
    run = config(tmp_path, data, None)
    assert main(["train", str(run), "--device", "cpu"]) == 2
    assert "validation.data must name" in capsys.readouterr().err
