# SPDX-License-Identifier: Apache-2.0
"""The comparison of the paper's ingredients: where each run starts, what is shut, and the tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.ablations import FOV_VARIANTS, forgetful, silence, table
from depthpro_ros.models.depth_pro.weights import load_network
from depthpro_ros.models.registry import NANO_WEIGHTS
from depthpro_ros.training.trainees import FovTrainee


@pytest.mark.parametrize("new", ["decoder", "head"])
def test_a_run_starts_with_what_is_not_in_question(tmp_path: Path, new: str) -> None:
    trained = load_network(NANO_WEIGHTS).float().state_dict()
    started = load_network(forgetful(new, 0, tmp_path)).float().state_dict()  # type: ignore[arg-type]
    same = {name for name, value in trained.items() if torch.equal(value, started[name])}
    matrices = {name for name, value in trained.items() if value.ndim > 1}
    transformers = {n for n in trained if n.startswith(("encoder.patch_encoder.", "encoder.image_encoder."))}
    if new == "decoder":
        assert transformers <= same and not (matrices - transformers) & same
    else:
        head = {name for name in trained if name.startswith("fov.")}
        assert trained.keys() - head <= same and not matrices & head & same


def test_another_seed_is_another_start(tmp_path: Path) -> None:
    first, second = (load_network(forgetful("decoder", seed, tmp_path)).head[0].weight for seed in (0, 1))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("fov", FOV_VARIANTS)
def test_a_shut_input_changes_nothing_any_more(fov: str) -> None:
    network = load_network(NANO_WEIGHTS).float().eval()
    assert network.fov is not None
    silence(network.fov, fov)
    rgb = torch.randint(0, 256, (1, 64, 64, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    trainee = FovTrainee(network)
    with torch.no_grad():
        before = trainee(rgb)
        for parameter in network.encoder.parameters():
            parameter.mul_(0.5)
        depth_features_matter = not torch.equal(before, trainee(rgb))
        between = trainee(rgb)
        for parameter in network.fov.encoder[0].parameters():
            parameter.mul_(0.5)
        own_encoder_matters = not torch.equal(between, trainee(rgb))
    assert depth_features_matter == (fov != "own encoder only")
    assert own_encoder_matters == (fov != "depth features only")


def test_rows_are_compared_scene_by_scene() -> None:
    rng = np.random.default_rng(0)
    scenes = rng.normal(0.5, 1, 400)  # far more between scenes than between the rows
    other = scenes + 0.1 + rng.normal(0, 0.02, 400)
    text = table("depth", {"a": [{"F1": list(scenes)}], "b": [{"F1": list(other)}, {"F1": list(other + 0.2)}]})
    heading, _, first, second = text.splitlines()
    assert heading == "| depth | F1 |"
    assert first == f"| a | {scenes.mean():.3f} |"
    mean, difference = second.split("|")[2].split(" (")
    assert float(mean) == pytest.approx(other.mean() + 0.1, abs=6e-4)
    by, low, high = (float(word.strip(",)")) for word in difference.split() if word != "to")
    assert low < by < high and by == pytest.approx(0.2, abs=4e-3)
    # 1.96 standard errors of 400 differences of deviation 0.02, to the three digits printed
    assert high - low == pytest.approx(2 * 1.96 * 0.02 / 20, abs=1.5e-3)
