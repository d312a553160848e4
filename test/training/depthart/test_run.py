# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from depthpro_ros.cli.main import main
from depthpro_ros.errors import InputError
from depthpro_ros.models import load_estimator
from depthpro_ros.models.depthart.presets import PICO
from depthpro_ros.models.depthart.weights import load_model, save_model
from depthpro_ros.training.depthart.config import ArtSchedule, art_config_from
from depthpro_ros.training.depthart.run import ArtTrainer
from depthpro_ros.training.depthart.stage_run import READOUT, rate_factor
from depthpro_ros.training.processes import Processes
from depthpro_ros.training.sources import TrainingData
from test.training.depthart.small import small_model

STAGES = [
    {"name": "tokens", "train": "tokenizer", "steps": 3, "batch": 2, "images": 0.5, "revive_every": 2},
    {"name": "warm", "train": "regression", "steps": 2, "batch": 2, "optimiser": {"kind": "muon", "lr_encoder": 1e-5}},
    {"name": "arm", "train": "depthart", "steps": 3, "batch": 2, "rollout": "sampled", "drop_path": 0.1},
    {"name": "decoder", "train": "decoder", "steps": 2, "batch": 2},
]


def _raw(output: Path, **values: Any) -> dict[str, Any]:
    return {
        "model": "depthart_ar",
        "network": "pico",
        "output": str(output),
        "precision": "float32",
        "ema": 0.9,
        "checkpoint_every": 1,
        "datasets": {"scenes": {"type": "scenes"}},
        "stages": STAGES,
        "validation": {"every": 100, "images": 2},
    } | values


def _trainer(raw: dict[str, Any]) -> ArtTrainer:
    config, processes = art_config_from(raw), Processes(0, 1, torch.device("cpu"))
    return ArtTrainer(config, processes, TrainingData(config, processes))


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("unbroken")
    trained = _trainer(_raw(output)).train()
    assert trained is not None
    return output


def test_a_run_goes_through_all_stages_to_weights_that_load(unbroken: Path) -> None:
    estimator = load_estimator(unbroken / "trained.safetensors", device="cpu")
    assert not estimator.info.metric
    curve = [json.loads(line) for line in (unbroken / "curve.jsonl").read_text().splitlines()]
    watched = [record for record in curve if record["group"] == "validation"]
    assert [record["stage"] for record in watched] == ["tokens", "warm", "arm", "decoder"]
    assert all(record["abs_rel"] > 0 for record in watched)
    assert (unbroken / READOUT).exists()


def test_a_run_that_stops_after_every_step_ends_like_an_unbroken_one(unbroken: Path, tmp_path: Path) -> None:
    for _ in range(sum(int(str(stage["steps"])) for stage in STAGES) + 2):
        if _trainer(_raw(tmp_path)).train(minutes=0.0) is not None:
            break
    first, second = (load_model(path / "trained.safetensors").state_dict() for path in (unbroken, tmp_path))
    for name, value in first.items():
        torch.testing.assert_close(value, second[name], rtol=0, atol=0, msg=name)


def test_the_command_line_takes_such_a_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump(_raw(tmp_path / "out")))
    assert main(["train", str(path), "--check"]) == 0
    assert "procedural scenes" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["depthart_start", "depthart_ar_nano", "depthart_full"])
def test_the_shipped_configurations_are_valid(name: str) -> None:
    raw = yaml.safe_load((Path(__file__).parents[3] / "config" / "training" / f"{name}.yaml").read_text())
    assert art_config_from(raw).stages


def test_weights_of_another_size_are_refused(tmp_path: Path) -> None:
    save_model(small_model(), tmp_path / "pico.safetensors")
    with pytest.raises(InputError, match="network of other sizes"):
        _trainer(_raw(tmp_path / "out", network="nano", init=str(tmp_path / "pico.safetensors")))


def test_an_encoder_for_a_network_without_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="leave `encoder` out"):
        _trainer(_raw(tmp_path / "out", encoder="depth_pro_nano"))


def test_an_encoder_of_another_size_is_refused(tmp_path: Path) -> None:
    network = asdict(PICO)
    network["transformer"] |= {"prefix": "encoder", "encoder": {"dim": 32, "depth": 1, "heads": 2}}
    with pytest.raises(InputError, match="they must be alike"):
        _trainer(_raw(tmp_path / "out", network=network, encoder="depth_pro_nano"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stages": [STAGES[0], STAGES[0]]}, "names of their own"),
        ({"network": "huge"}, "unknown network 'huge'"),
        ({"stages": [STAGES[0] | {"datasets": ["mine"]}]}, r"name data sets \['mine'\]"),
        ({"stages": [STAGES[0] | {"width": 3}]}, "width is no setting"),
    ],
)
def test_a_configuration_that_does_not_fit_says_where(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        art_config_from(_raw(tmp_path, **change))


def test_step_schedule_is_the_papers() -> None:
    schedule = ArtSchedule(kind="step", warmup=0.0)
    assert [rate_factor(schedule, step, 100_000) for step in (0, 9_999, 10_000, 25_000)] == pytest.approx(
        [1.0, 1.0, 0.8, 0.64]
    )
