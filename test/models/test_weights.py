# SPDX-License-Identifier: Apache-2.0
"""Weights files: what is refused, and what the refusal says."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from depthpro_ros import load_estimator
from depthpro_ros.errors import InputError, WeightsError
from depthpro_ros.models import registry
from depthpro_ros.models.depth_pro.config import DepthProConfig
from depthpro_ros.models.depth_pro.network import DepthPro
from depthpro_ros.models.depth_pro.weights import load_network, save_network
from depthpro_ros.models.vit import ViTConfig

VIT = ViTConfig(dim=16, depth=2, heads=2)
TINY = DepthProConfig(
    window_px=32,
    patch_px=4,
    patch_encoder=VIT,
    image_encoder=VIT,
    fov_encoder=VIT,
    hooks=(0,),
    latent_dims=(8,),
    pyramid_dims=(8, 8, 8),
    decoder_dim=8,
)


@pytest.fixture
def network() -> DepthPro:
    torch.manual_seed(0)
    return DepthPro(TINY)


@pytest.fixture
def apple_file(network: DepthPro, tmp_path: Path) -> Path:
    path = tmp_path / "depth_pro.pt"
    torch.save(network.state_dict(), path)
    path.with_suffix(".json").write_text(TINY.to_json())
    return path


def test_own_form_keeps_configuration_and_float16_weights(network: DepthPro, tmp_path: Path) -> None:
    save_network(network, tmp_path / "a.safetensors")
    again = load_network(tmp_path / "a.safetensors")
    assert again.config == TINY
    for key, value in network.state_dict().items():
        assert torch.equal(again.state_dict()[key], value.half()), key


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"nowhere\.pt"):
        load_estimator(tmp_path / "nowhere.pt")


def test_missing_and_extra_keys_are_listed(apple_file: Path) -> None:
    state = torch.load(apple_file, weights_only=True)
    state["encoder.surprise"] = state.pop("head.4.bias")
    torch.save(state, apple_file)
    with pytest.raises(WeightsError, match=r"missing: head\.4\.bias") as caught:
        load_network(apple_file)
    assert "1 tensors are not part of Depth Pro: encoder.surprise" in str(caught.value)


def test_different_shape_is_shown_with_the_expected_one(apple_file: Path) -> None:
    state = torch.load(apple_file, weights_only=True)
    state["head.4.bias"] = torch.zeros(7)
    torch.save(state, apple_file)
    with pytest.raises(WeightsError, match=r"head\.4\.bias is \[7\], expected \[1\]"):
        load_network(apple_file)


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
@pytest.mark.parametrize("form", ["pt", "safetensors"])
def test_truncated_file_is_refused(network: DepthPro, apple_file: Path, kept: float, form: str) -> None:
    path = apple_file
    if form == "safetensors":
        path = apple_file.with_name("own.safetensors")
        save_network(network, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if kept < 1 else int(kept)])
    with pytest.raises(WeightsError, match="damaged"):
        load_network(path)


class Evil:
    """Unpickling this would write a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return (Path.write_text, (self.target, "owned"))


@pytest.mark.parametrize("with_torch", [True, False])
def test_pickled_objects_are_refused_and_not_run(tmp_path: Path, with_torch: bool) -> None:
    target, path = tmp_path / "owned", tmp_path / "evil.pt"
    if with_torch:
        torch.save({"weight": Evil(target)}, path)
    else:
        path.write_bytes(pickle.dumps(Evil(target)))
    with pytest.raises(WeightsError, match="refused"):
        load_network(path)
    assert not target.exists()


def test_foreign_network_is_refused(tmp_path: Path) -> None:
    save_file({"conv1.weight": torch.zeros(3)}, tmp_path / "resnet.safetensors")
    with pytest.raises(WeightsError, match="1119 of 1119 tensors are missing"):
        load_network(tmp_path / "resnet.safetensors")


def test_state_dict_must_hold_tensors(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(WeightsError, match="no state dict"):
        load_network(tmp_path / "list.pt")


def test_unknown_kind_of_file(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"x")
    with pytest.raises(WeightsError, match=r"expected Apple's depth_pro\.pt"):
        load_network(tmp_path / "model.onnx")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (None, r"config\.json is missing"),
        ("{", "does not describe"),
        ("[]", "not a JSON object"),
        (json.dumps({"model_type": "bert"}), "'bert', expected 'depth_pro'"),
        (json.dumps({"model_type": "depth_pro", "scaled_images_ratios": [0.1, 0.5, 1]}), "not Depth Pro's"),
        (json.dumps({"model_type": "depth_pro", "use_batch_norm_in_fusion_residual": True}), "batch norm"),
    ],
)
def test_hugging_face_folder_with_a_bad_config(tmp_path: Path, config: str | None, message: str) -> None:
    save_file({"head.layers.0.weight": torch.zeros(1)}, tmp_path / "model.safetensors")
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    with pytest.raises(WeightsError, match=message):
        load_network(tmp_path)


def test_hugging_face_folder_without_weights(tmp_path: Path) -> None:
    vit = {"hidden_size": 64, "num_hidden_layers": 12, "num_attention_heads": 4, "patch_size": 16}
    config = {f"{n}_model_config": vit for n in ("patch", "image", "fov")} | {"model_type": "depth_pro"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(WeightsError, match=r"neither model\.safetensors nor"):
        load_network(tmp_path)
    index = {"weight_map": {"a": "model-1.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(WeightsError, match=r"shard .*model-1\.safetensors is missing"):
        load_network(tmp_path)


def test_unknown_configuration_key_is_named(network: DepthPro, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_network(network, path)
    raw = json.loads(TINY.to_json()) | {"colour": 1}
    save_file(load_file(path), path, metadata={"depthpro_ros.config": json.dumps(raw)})
    with pytest.raises(WeightsError, match="colour"):
        load_network(path)


class TestNames:
    """Registered names."""

    @pytest.fixture(autouse=True)
    def no_weights_here(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.delenv(registry.WEIGHTS_VARIABLE, raising=False)
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))

    def test_apple_weights_missing_says_how_to_get_them(self) -> None:
        with pytest.raises(WeightsError, match="depthpro weights.*DEPTHPRO_WEIGHTS"):
            load_estimator("depth_pro")

    def test_auto_falls_back_to_the_nano_loudly(self, caplog: pytest.LogCaptureFixture) -> None:
        estimator = load_estimator("auto", device="cpu")
        assert estimator.info.name == "depth_pro_nano"
        assert "no Apple weights found" in estimator.info.notice
        assert estimator.info.notice in caplog.text

    def test_auto_takes_apple_weights_where_they_are(self, apple_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(registry.WEIGHTS_VARIABLE, str(apple_file))
        info = load_estimator("auto", device="cpu").info
        assert (info.name, info.weights, info.notice) == ("depth_pro", str(apple_file), "")

    def test_weights_are_found_at_home(self, apple_file: Path) -> None:
        home = registry.weights_home()
        home.mkdir(parents=True)
        for file in (apple_file, apple_file.with_suffix(".json")):
            (home / file.name).write_bytes(file.read_bytes())
        assert load_estimator("depth_pro", device="cpu").info.weights == str(home / "depth_pro.pt")

    def test_variable_that_names_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(registry.WEIGHTS_VARIABLE, "/no/such/file.pt")
        with pytest.raises(WeightsError, match="/no/such/file.pt"):
            load_estimator("auto")

    def test_unknown_model_lists_the_known(self) -> None:
        with pytest.raises(WeightsError, match="depth_pro_nano"):
            load_estimator("depth_pr0")

    def test_unknown_precision_and_device(self) -> None:
        with pytest.raises(InputError, match="float16"):
            load_estimator("depth_pro_nano", precision="half", device="cpu")
        with pytest.raises(InputError, match="cpu"):
            load_estimator("depth_pro_nano", device="gpu")
