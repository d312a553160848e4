# SPDX-License-Identifier: Apache-2.0
"""A run's YAML: what is read, and that every mistake is named before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from depthpro_ros.errors import InputError
from depthpro_ros.models.depth_pro.presets import PRESETS
from depthpro_ros.training.config import config_from, read_config

CONFIGURATIONS = sorted((Path(__file__).parents[2] / "config" / "training").glob("*.yaml"))
EXAMPLES = [path for path in CONFIGURATIONS if "model" not in yaml.safe_load(path.read_text())]
"""Of Depth Pro; those of the other model name it."""


def raw(**changes) -> dict:
    """A small valid run."""
    return {
        "network": "pico",
        "output": "out/x",
        "datasets": {"scenes": {"type": "scenes"}},
        "stages": [{"name": "one", "steps": 4, "batch": 2, "losses": {"synthetic_metric": {"mae": 1}}}],
    } | changes


def test_there_are_examples() -> None:
    assert {"depth_pro.yaml", "finetune.yaml", "nano.yaml"} <= {path.name for path in EXAMPLES}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_valid(path: Path) -> None:
    config = read_config(path)
    assert config.stages and config.datasets


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_a_saved_configuration_reads_back_the_same(path: Path, tmp_path: Path) -> None:
    config = read_config(path)
    (tmp_path / "saved.yaml").write_text(config.to_yaml())
    assert read_config(tmp_path / "saved.yaml") == config


def test_the_papers_run_has_the_papers_numbers() -> None:
    """250 and 100 epochs of 72,000 images in batches of 128, and the optimiser's settings (appendix)."""
    config = read_config(next(path for path in EXAMPLES if path.name == "depth_pro.yaml"))
    mixed, sharp, _ = config.stages
    assert mixed.steps == 250 * 72_000 / 128 and sharp.steps == 100 * 72_000 / 128
    assert (mixed.optimiser.lr_encoder, mixed.optimiser.lr_decoder, mixed.optimiser.clip) == (1.28e-5, 1.28e-4, 0.2)
    assert (mixed.schedule.warmup, mixed.schedule.flat, mixed.schedule.last) == (0.01, 0.80, 0.1)
    assert mixed.losses == {
        "synthetic_metric": {"mae": 1, "ssi_mage": 1},
        "real_metric": {"trimmed_mae": 1},
        "synthetic": {"ssi_mae": 1, "ssi_mage": 1},
        "non_metric": {"ssi_trimmed_mae": 1},
    }
    assert sharp.losses == {"synthetic_metric": {"mae": 1, "mse": 1, "mage": 1, "male": 1, "msge": 1}}


def test_overrides_win_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(raw()))
    assert read_config(tmp_path / "a.yaml", {"output": "elsewhere"}).output == Path("elsewhere")


def test_a_network_may_be_given_by_its_sizes() -> None:
    sizes = {"window_px": 64, "patch_px": 8, "hooks": [0], "latent_dims": [8], "fov_encoder": None}
    config = config_from(raw(network=sizes)).network_config()
    assert (config.window_px, config.fov_encoder) == (64, None)


def test_no_network_and_no_weights_mean_the_nano() -> None:
    values = raw()
    del values["network"]
    assert config_from(values).network_config() == PRESETS["nano"]


def stage(**changes) -> dict:
    return raw(stages=[raw()["stages"][0] | changes])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (raw(learning_rate=1), ["learning_rate is no setting"]),
        (stage(lr=1), ["stages.0.lr is no setting"]),
        (stage(optimiser={"lr": 1}), ["stages.0.optimiser.lr is no setting"]),
        (stage(steps=0), ["stages.0.steps", "greater than 0", "got 0"]),
        (stage(batch="many"), ["stages.0.batch", "'many'"]),
        (stage(losses={"synthetic_metric": {"mea": 1}}), ["unknown losses ['mea']", "mage"]),
        (stage(losses={"real_metric": {"mae": 1}}), ["stage one has no losses", "synthetic_metric"]),
        (stage(losses={}), ["stage one", "must be given"]),
        (stage(train="fov"), ["stage one", "squared error of the angle"]),
        (stage(datasets=["kitchen"]), ["['kitchen']", "['scenes']"]),
        (stage(augment={"blur": 1.5}), ["augment.blur", "got 1.5"]),
        (raw(network="huge"), ["unknown network 'huge'", "nano"]),
        (raw(network={"window": 64}), ["window"]),
        (raw(datasets={"a": {"type": "video"}}), ["datasets.a", "video"]),
        (raw(datasets={"a": {"type": "folder"}}), ["datasets.a.folder.path", "required"]),
        (raw(datasets={"a": {"type": "scenes", "first_seed": 5}}), ["first_seed", "1000000"]),
        (raw(datasets={}), ["datasets"]),
        (raw(stages=[raw()["stages"][0]] * 2), ["names of their own"]),
        (raw(ema=1.0), ["ema", "less than 1"]),
    ],
)
def test_each_mistake_is_named(values: dict, said: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        config_from(values, "run.yaml")
    assert str(caught.value).startswith("run.yaml: ")
    for words in said:
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"), [("a: [", "is not YAML"), ("- 1", "must be a mapping"), ("", "must be a mapping")]
)
def test_a_file_that_is_no_configuration(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(InputError, match=said):
        read_config(tmp_path / "a.yaml")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_config(tmp_path / "a.yaml")
