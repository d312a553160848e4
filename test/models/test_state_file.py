# SPDX-License-Identifier: Apache-2.0
"""Weights files that were made to harm, or to ask for too much."""

from __future__ import annotations

import json
import os
import time
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from depthpro_ros.errors import WeightsError
from depthpro_ros.models.depth_pro.config import DepthProConfig
from depthpro_ros.models.depth_pro.network import DepthPro
from depthpro_ros.models.depth_pro.weights import load_network
from depthpro_ros.models.depthart.config import DepthArtConfig
from depthpro_ros.models.state_file import check_plain, read_torch, write_safetensors
from depthpro_ros.models.vit import ViTConfig

VIT = ViTConfig(4, 1, 1)
MINI = DepthProConfig(
    window_px=32, patch_px=8, patch_encoder=VIT, image_encoder=VIT, fov_encoder=None, hooks=(0,), latent_dims=(4,),
    pyramid_dims=(4, 4, 4), decoder_dim=4, head_dim=2,
)  # fmt: skip

PATCHES = {"patch_size": 16}
TRANSFORMERS = [f"{part}_model_config" for part in ("patch", "image", "fov")]


def saved(folder: Path, state: object, **options: object) -> Path:
    path = folder / "weights.pt"
    torch.save(state, path, **options)
    return path


class Runs:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (self._folder,)


def test_objects_in_an_archive_are_refused_and_not_run(tmp_path: Path) -> None:
    path = saved(tmp_path, {"a": torch.zeros(2), "b": Runs(tmp_path / "made")})
    with pytest.raises(WeightsError, match="other Python objects, which are refused; ask someone"):
        read_torch(path, "ask someone")
    assert not (tmp_path / "made").exists()


def test_a_compressed_archive_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = saved(tmp_path, {"a": torch.zeros(1_000_000)})
    with zipfile.ZipFile(path) as whole:
        contents = {name: whole.read(name) for name in whole.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in contents.items():
            packed.writestr(name, content)
    assert path.stat().st_size < 100_000
    with pytest.raises(WeightsError, match="compressed archive .*data.pkl"):
        read_torch(path, "")


def test_a_file_of_before_archives_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"before 1\.6"):
        read_torch(saved(tmp_path, {"a": torch.zeros(2)}, _use_new_zipfile_serialization=False), "")


@pytest.mark.parametrize(
    "tensor",
    [torch.zeros(2, device="meta"), torch.zeros(2).to_sparse(), torch.zeros(2, dtype=torch.int64)],
    ids=["without memory", "sparse", "whole numbers"],
)
def test_what_is_no_dense_array_of_floats_is_refused(tensor: torch.Tensor) -> None:
    with pytest.raises(WeightsError, match="no dense array .*some.weight"):
        check_plain({"fine": torch.zeros(1), "some.weight": tensor}, Path("a.pt"))


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("patch_encoder", "depth", 60_000), ("patch_encoder", "dim", 10**12), ("patch_encoder", "heads", "2"),
        ("patch_encoder", "mlp_ratio", float("nan")), (None, "window_px", 2**40), (None, "hooks", [0.5]),
        (None, "latent_dims", ["x"]), (None, "decoder_dim", -4), (None, "patch_encoder", None),
        (None, "head_dim", True),
    ],
)  # fmt: skip
def test_sizes_that_no_network_has_are_refused_at_once(
    tmp_path: Path, part: str | None, key: str, value: object
) -> None:
    path = saved(tmp_path, DepthPro(MINI).state_dict())
    sizes = asdict(MINI)
    (sizes[part] if part else sizes)[key] = value
    path.with_suffix(".json").write_text(json.dumps(sizes))
    begun = time.process_time()
    with pytest.raises(WeightsError, match="configuration"):
        load_network(path)
    assert time.process_time() - begun < 5


def test_nested_json_that_ends_pythons_recursion_is_refused() -> None:
    for config in (DepthProConfig, DepthArtConfig):
        with pytest.raises(ValueError, match="not JSON"):
            config.from_json("[" * 200_000)


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", ""])
def test_a_shard_with_a_name_that_no_file_can_have_is_missing(tmp_path: Path, name: str) -> None:
    config = {"model_type": "depth_pro", **dict.fromkeys(TRANSFORMERS, PATCHES)}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(WeightsError, match="is missing: get the whole folder again"):
        load_network(tmp_path)


def test_weights_that_cannot_be_written_are_an_error_of_the_system(tmp_path: Path) -> None:
    """What writes checkpoints goes on after an OSError."""
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(OSError, match=r"folder\.safetensors cannot be written: .*directory"):
        write_safetensors({"a": torch.zeros(1)}, tmp_path / "folder.safetensors", {})
