# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from depthpro_ros.errors import WeightsError
from depthpro_ros.models.depthart import weights
from depthpro_ros.models.depthart.config import DepthArtConfig
from depthpro_ros.models.depthart.network import DepthArt
from depthpro_ros.models.depthart.presets import NANO, PICO
from depthpro_ros.models.depthart.weights import TOKENIZER_FILE, TRANSFORMER_FILE, is_depthart, load_model, save_model
from test.models.depthart.conftest import random_model

PLAIN = replace(PICO, transformer=replace(PICO.transformer, unit_queries=False))


@pytest.fixture(autouse=True)
def published_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Published weights, as if they had the test's size: what is tested is how files are told apart and read."""
    monkeypatch.setattr(weights, "FULL", PICO)


def _tokenizer(model: DepthArt) -> dict[str, Tensor]:
    return dict(model.tokenizer.state_dict()) | {"quantize.ema_vocab_hit_SV": torch.zeros(3, 32)}


def _transformer(model: DepthArt) -> dict[str, Tensor]:
    extra = {"lvl_1L": torch.zeros(1, 21), "attn_bias_for_masking": torch.zeros(1, 1, 21, 21)}
    extra |= {f"blocks.{k}.attn.zero_k_bias": torch.zeros(32) for k in range(2)}
    return dict(model.transformer.state_dict()) | extra


def _equal(one: DepthArt, other: DepthArt) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key].float()) for key in first)


def _folder(path: Path, model: DepthArt, transformer: dict[str, Tensor] | None = None) -> Path:
    torch.save(_tokenizer(model), path / TOKENIZER_FILE)
    torch.save(transformer or _transformer(model), path / TRANSFORMER_FILE)
    return path


@pytest.mark.parametrize("config", [PICO, PLAIN], ids=["unit queries", "plain queries"])
def test_vars_two_files_load_and_tell_their_attention(tmp_path: Path, config: DepthArtConfig) -> None:
    model = random_model(config)
    loaded = load_model(_folder(tmp_path, model))
    assert loaded.config.transformer.unit_queries is config.transformer.unit_queries
    assert _equal(model, loaded)


def test_the_authors_file_loads_with_its_aliases(tmp_path: Path) -> None:
    model = random_model(PLAIN)
    state = {f"vae_proxy.{key}": value.clone() for key, value in _tokenizer(model).items()}
    state |= {f"vae_quant_proxy.{key}": value.clone() for key, value in _tokenizer(model).items()}
    state |= {key: value for key, value in _transformer(model).items() if key != "attn_bias_for_masking"}
    state |= {"normalizer.alpha": torch.ones(1)}
    save_file({key: value.contiguous() for key, value in state.items()}, tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    assert not loaded.config.transformer.unit_queries
    assert _equal(model, loaded)


def test_our_own_file_holds_the_configuration_and_rounds_all_but_the_codes(tmp_path: Path) -> None:
    with torch.device("cpu"):
        model = random_model(NANO)
    save_model(model, tmp_path / "nano.safetensors")
    loaded = load_model(tmp_path / "nano.safetensors")
    assert loaded.config == NANO
    assert torch.equal(loaded.tokenizer.quantize.embedding.weight, model.tokenizer.quantize.embedding.weight)
    assert torch.equal(loaded.transformer.pos_1LC, model.transformer.pos_1LC.half())


def test_the_nano_is_at_most_16_megabytes(tmp_path: Path) -> None:
    save_model(DepthArt(NANO), tmp_path / "nano.safetensors")
    assert (tmp_path / "nano.safetensors").stat().st_size <= 16_000_000


def test_files_are_told_apart_by_name(tmp_path: Path) -> None:
    save_model(random_model(PICO), tmp_path / "ours.safetensors")
    save_file({"encoder.x": torch.zeros(1)}, tmp_path / "depth_pro.safetensors")
    (tmp_path / "damaged.safetensors").write_bytes(b"no")
    found = {path.stem for path in tmp_path.iterdir() if is_depthart(path)}
    assert found == {"ours"}
    assert is_depthart(_folder(tmp_path, random_model(PICO)))


def test_a_codebook_of_another_model_is_refused(tmp_path: Path) -> None:
    model = random_model(PICO)
    transformer = _transformer(model) | {"head.weight": torch.zeros(64, 32), "head.bias": torch.zeros(64)}
    with pytest.raises(WeightsError, match="codebook has 32 codes, and the transformer says 64"):
        load_model(_folder(tmp_path, model, transformer))


def test_missing_tensors_are_named(tmp_path: Path) -> None:
    model = random_model(PICO)
    transformer = {key: value for key, value in _transformer(model).items() if key != "blocks.1.ffn.fc1.bias"}
    with pytest.raises(WeightsError, match=r"1 tensors are missing \(transformer.blocks.1.ffn.fc1.bias\)"):
        load_model(_folder(tmp_path, model, transformer))


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("model.safetensors", b"\x00" * 20, "damaged or cut off"),
        ("model.onnx", b"", "expected a .safetensors file"),
        ("missing.safetensors", None, "do not exist"),
    ],
)
def test_unusable_files_say_why(tmp_path: Path, name: str, content: bytes | None, expected: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=expected):
        load_model(tmp_path / name)


def test_a_folder_with_one_of_the_two_files_names_the_other(tmp_path: Path) -> None:
    torch.save(_tokenizer(random_model(PICO)), tmp_path / TOKENIZER_FILE)
    with pytest.raises(WeightsError, match=f"{TRANSFORMER_FILE} are missing"):
        load_model(tmp_path)


def test_configuration_survives_json() -> None:
    assert DepthArtConfig.from_json(NANO.to_json()) == NANO


def test_unknown_configuration_keys_are_named() -> None:
    with pytest.raises(ValueError, match=r"unknown configuration keys \['width'\] of TransformerConfig"):
        DepthArtConfig.from_plain({"transformer": {"width": 3}})
