# SPDX-License-Identifier: Apache-2.0
"""Weights files of both models, in all the forms that are read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import torch
from safetensors.torch import save

from depthpro_ros.errors import WeightsError
from depthpro_ros.models.depth_pro.config import DepthProConfig
from depthpro_ros.models.depth_pro.network import DepthPro
from depthpro_ros.models.depth_pro.weights import CONFIG_KEY, load_network, read_weights, save_network
from depthpro_ros.models.depthart.config import DepthArtConfig, TokenizerConfig, TransformerConfig
from depthpro_ros.models.depthart.network import DepthArt
from depthpro_ros.models.depthart.weights import CONFIG_KEY as ART_CONFIG_KEY
from depthpro_ros.models.depthart.weights import TOKENIZER_PREFIX, is_depthart, load_model, read_model, save_model
from depthpro_ros.models.vit import ViTConfig
from test.fuzz.target import Target, file_of, scratch

VIT = ViTConfig(4, 1, 1)
MINI = DepthProConfig(
    window_px=32, patch_px=8, patch_encoder=VIT, image_encoder=VIT, fov_encoder=None, hooks=(0,), latent_dims=(4,),
    pyramid_dims=(4, 4, 4), decoder_dim=4, head_dim=32,
)  # fmt: skip
"""The smallest network that has every part but the field of view."""
ART = DepthArtConfig(
    TokenizerConfig(
        channels=4, multipliers=(1, 1), blocks=1, groups=2, attention=False, latent_dim=2, codes=4, scales=(1, 2),
        shared_convs=1,
    ),
    TransformerConfig(dim=8, depth=1, heads=1, classes=1),
)  # fmt: skip
_HF_CONFIG = {
    "model_type": "depth_pro",
    "patch_size": 32,
    "intermediate_hook_ids": [0],
    "intermediate_feature_dims": [4],
    "scaled_images_feature_dims": [4, 4, 4],
    "merge_padding_value": 0,
    "use_fov_model": False,
    "fusion_hidden_size": 4,
    **{
        f"{part}_model_config": {
            "model_type": "dinov2", "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1, "patch_size": 8,
        }
        for part in ("patch", "image", "fov")
    },
}  # fmt: skip


def load_weights(content: bytes, suffix: str) -> None:
    """Read a file as the node does, up to building the network."""
    path = file_of(f"weights{suffix}", content)
    if is_depthart(path):
        read_model(path)
    else:
        read_weights(path)


def network(content: bytes) -> None:
    """Our own file, up to a network with its weights."""
    path = file_of("network.safetensors", content)
    if is_depthart(path):
        load_model(path)
    else:
        load_network(path)


def _safetensors() -> Sequence[bytes]:
    torch.manual_seed(0)
    own, art = scratch() / "own.safetensors", scratch() / "art.safetensors"
    save_network(DepthPro(MINI), own)
    save_model(DepthArt(ART), art)
    return [own.read_bytes(), art.read_bytes()]


FEW = {"head.0.weight": torch.zeros(2, 3), "head.0.bias": torch.ones(2, dtype=torch.float16), "cls": torch.tensor(1.0)}
"""As good as all weights to whoever does not look whether they fit."""


def _few_safetensors() -> Sequence[bytes]:
    art = {f"{TOKENIZER_PREFIX}{name}": tensor.clone() for name, tensor in FEW.items()}
    key = "depth_pro.encoder.patch_encoder.model.layernorm.weight"
    return [
        save(FEW, metadata={CONFIG_KEY: MINI.to_json()}),
        save(art | FEW, metadata={ART_CONFIG_KEY: ART.to_json()}),
        save({key: torch.zeros(2)}),
    ]


def torch_archive(content: bytes) -> None:
    """A .pt file, with the configuration of the small network beside it."""
    file_of("weights.json", MINI.to_json().encode())
    load_weights(content, ".pt")


def _archives() -> Sequence[bytes]:
    path, other, old = (scratch() / name for name in ("a.pt", "b.pt", "c.pt"))
    torch.save(FEW, path)
    torch.save({"a": torch.zeros(2, 3), "b": [1, "x"]}, other)
    torch.save({"a": torch.zeros(2)}, old, _use_new_zipfile_serialization=False)
    return [path.read_bytes(), path.read_bytes(), other.read_bytes(), old.read_bytes()]


def hugging_face(content: bytes) -> None:
    """A folder's config.json, a zero, and its list of shards."""
    config, _, index = content.partition(b"\0")
    file_of("hf/config.json", config)
    file_of("hf/model.safetensors.index.json", index)
    if not (scratch() / "hf/model.safetensors").exists():
        file_of("hf/model.safetensors", save(FEW))
    read_weights(scratch() / "hf")


def _folders() -> Sequence[bytes]:
    index = json.dumps({"weight_map": {"head.0.weight": "model.safetensors"}}).encode()
    return [json.dumps(_HF_CONFIG).encode() + b"\0" + index]


def network_config(content: bytes) -> None:
    """The sizes in the metadata of our own files, of either model, after a byte that tells which."""
    try:
        (DepthProConfig, DepthArtConfig)[content[:1] == b"a"].from_json(content[1:].decode("utf-8", "replace"))
    except ValueError as error:  # what whoever reads the file catches
        raise WeightsError(str(error)) from error


def _configs() -> Sequence[bytes]:
    pro = [b"p" + config.to_json().encode() for config in (MINI, replace(MINI, fov_encoder=VIT))]
    return [*pro, b"a" + ART.to_json().encode()]


TARGETS = (
    Target("safetensors", lambda content: load_weights(content, ".safetensors"), _few_safetensors),
    Target("network", network, _safetensors),
    Target("torch_archive", torch_archive, _archives),
    Target("hugging_face", hugging_face, _folders),
    Target("network_config", network_config, _configs),
)
