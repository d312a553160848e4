# SPDX-License-Identifier: Apache-2.0
"""Depth Pro weights on disk: reading every published form safely, and writing our own.

Nothing is ever unpickled beyond plain tensors: a weights file comes from the internet.
"""

from __future__ import annotations

import itertools
import json
import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from depthpro_ros.errors import WeightsError
from depthpro_ros.models.depth_pro.config import DepthProConfig
from depthpro_ros.models.depth_pro.layouts import config_from_hf, from_hf, is_hf_layout
from depthpro_ros.models.depth_pro.network import DepthPro

CONFIG_KEY = "depthpro_ros.config"
"""Metadata entry of our own files that holds `DepthProConfig.to_json()`."""
_SHOWN = 5


def load_network(path: Path) -> DepthPro:
    """Read a network with its weights, in the precision that the file has, on the CPU.

    Args:
        path: Apple's `depth_pro.pt`; a Hugging Face folder (`config.json` and `model.safetensors`, or
            shards with an index) or the safetensors file in it; or our own `.safetensors`. Beside a `.pt` of
            another size than Apple's, `NAME.json` holds its configuration (`DepthProConfig.to_json()`).

    Raises:
        WeightsError: missing, damaged or foreign; the text says what was expected.
    """
    if not path.exists():
        raise WeightsError(f"weights {path} do not exist")
    if path.is_dir():
        config, state = _read_folder(path)
    elif path.suffix == ".safetensors":
        config, state = _read_safetensors_file(path)
    elif path.suffix in (".pt", ".pth"):
        config, state = _read_torch(path)
    else:
        raise WeightsError(
            f"weights {path}: expected Apple's depth_pro.pt, a .safetensors file, or a Hugging Face folder"
        )
    return assemble(config, state, path)


def assemble(config: DepthProConfig, state: Mapping[str, Tensor], source: Path) -> DepthPro:
    """Put weights into a network without initialising it first.

    Raises:
        WeightsError: keys are missing or extra, or a shape differs; names them.
    """
    with torch.device("meta"):
        network = DepthPro(config)
    expected = {key: value.shape for key, value in network.state_dict().items()}
    missing = [key for key in expected if key not in state]
    extra = [key for key in state if key not in expected]
    wrong = [
        f"{key} is {list(state[key].shape)}, expected {list(shape)}"
        for key, shape in expected.items()
        if key in state and state[key].shape != shape
    ]
    problems = []
    if missing:
        problems.append(f"{len(missing)} of {len(expected)} tensors are missing: {_some(missing)}")
    if extra:
        problems.append(f"{len(extra)} tensors are not part of Depth Pro: {_some(extra)}")
    if wrong:
        problems.append(f"{len(wrong)} tensors have another shape: {_some(wrong)}")
    if problems:
        raise WeightsError(f"weights {source} do not fit Depth Pro of this size; " + "; ".join(problems))
    network.load_state_dict(dict(state), assign=True)
    return network.requires_grad_(False)


def save_network(network: DepthPro, path: Path, dtype: torch.dtype = torch.float16) -> None:
    """Write our own form: safetensors in Apple's layout with the configuration in its metadata."""
    state = {key: value.detach().to("cpu", dtype).contiguous() for key, value in network.state_dict().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, path, metadata={CONFIG_KEY: network.config.to_json()})
    path.chmod(0o644)  # safetensors lets nobody but the owner read


def _read_safetensors_file(path: Path) -> tuple[DepthProConfig, dict[str, Tensor]]:
    state, metadata = _read_safetensors(path)
    if CONFIG_KEY in metadata:
        return _config(metadata[CONFIG_KEY], path), state
    if is_hf_layout(list(state)):
        config = _hf_config(path.parent)
        return config, from_hf(state, config)
    return _config_beside(path), state


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    state: dict[str, Tensor] = {}
    try:
        with safe_open(path, framework="pt") as file:
            keys, metadata = list(file.keys()), file.metadata() or {}
        # Tensors are views of the mapped file, which stays in memory until all that share a handle are gone. Merging
        # takes the network apart block by block: one handle for each lets what was taken leave.
        for _, block in itertools.groupby(sorted(keys, key=_block), key=_block):
            with safe_open(path, framework="pt") as file:
                state |= {key: file.get_tensor(key) for key in block}
        return state, metadata
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"weights {path} cannot be read as safetensors ({error}): the file is damaged or cut off; "
            "get it again and compare its SHA-256"
        ) from error


def _read_folder(folder: Path) -> tuple[DepthProConfig, dict[str, Tensor]]:
    config = _hf_config(folder)
    index, single = folder / "model.safetensors.index.json", folder / "model.safetensors"
    if index.exists():
        try:
            names = sorted(set(json.loads(index.read_text())["weight_map"].values()))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise WeightsError(f"{index} is not an index of safetensors shards: {error!r}") from error
        # a name with a folder in it could point anywhere
        files = [folder / Path(str(name)).name for name in names]
    elif single.exists():
        files = [single]
    else:
        raise WeightsError(f"{folder} has neither model.safetensors nor model.safetensors.index.json")
    state: dict[str, Tensor] = {}
    for file in files:
        if not file.exists():
            raise WeightsError(f"shard {file} is missing: get the whole folder again")
        state.update(_read_safetensors(file)[0])
    return config, from_hf(state, config)


def _hf_config(folder: Path) -> DepthProConfig:
    path = folder / "config.json"
    if not path.exists():
        raise WeightsError(f"{path} is missing: Hugging Face weights need the config.json that was published with them")
    try:
        raw = json.loads(path.read_text())
        if not isinstance(raw, dict):
            raise ValueError("not a JSON object")
        return config_from_hf(raw)
    except (ValueError, TypeError) as error:
        raise WeightsError(f"{path} does not describe a Depth Pro network: {error}") from error


def _read_torch(path: Path) -> tuple[DepthProConfig, dict[str, Tensor]]:
    try:
        raw = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except (pickle.UnpicklingError, RuntimeError, OSError, EOFError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(
            f"weights {path} cannot be read as plain tensors ({reason}): the file is damaged, cut off, or holds "
            "other Python objects, which are refused; get Apple's depth_pro.pt again"
        ) from error
    if not isinstance(raw, dict) or not all(isinstance(value, Tensor) for value in raw.values()):
        raise WeightsError(f"weights {path} hold no state dict (names to tensors) but {type(raw).__name__}")
    if is_hf_layout(list(raw)):
        config = _hf_config(path.parent)
        return config, from_hf(raw, config)
    return _config_beside(path), raw


def _config_beside(path: Path) -> DepthProConfig:
    """The configuration in `NAME.json`, or Apple's."""
    beside = path.with_suffix(".json")
    return _config(beside.read_text(), beside) if beside.exists() else DepthProConfig()


def _config(text: str, source: Path) -> DepthProConfig:
    try:
        return DepthProConfig.from_json(text)
    except (ValueError, TypeError) as error:
        raise WeightsError(f"configuration in {source} cannot be used: {error}") from error


def _block(key: str) -> str:
    """The part of the network that a tensor belongs to: a transformer's block, or a whole module."""
    block = re.match(r".*\.(blocks|layer)\.\d+\.", key)
    return block[0] if block else ".".join(key.split(".")[:2])


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown}, and {len(names) - _SHOWN} more"
