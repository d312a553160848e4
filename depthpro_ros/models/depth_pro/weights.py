# SPDX-License-Identifier: Apache-2.0
"""Depth Pro weights on disk: reading every published form safely, and writing our own.

Nothing is ever unpickled beyond plain tensors: a weights file comes from the internet.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from depthpro_ros.errors import WeightsError
from depthpro_ros.json_text import parse_json
from depthpro_ros.models.depth_pro.config import DepthProConfig
from depthpro_ros.models.depth_pro.layouts import config_from_hf, from_hf, is_hf_layout
from depthpro_ros.models.depth_pro.network import DepthPro
from depthpro_ros.models.state_file import build_empty, check_plain, read_torch, write_safetensors

CONFIG_KEY = "depthpro_ros.config"
"""Metadata entry of our own files that holds `DepthProConfig.to_json()`."""
_SHOWN = 5
_MAX_TEXT_BYTES = 1 << 24


def load_network(path: Path) -> DepthPro:
    """Read a network with its weights, in the precision that the file has, on the CPU.

    Args:
        path: Apple's `depth_pro.pt`; a Hugging Face folder (`config.json` and `model.safetensors`, or
            shards with an index) or the safetensors file in it; or our own `.safetensors`. Beside a `.pt` of
            another size than Apple's, `NAME.json` holds its configuration (`DepthProConfig.to_json()`).

    Raises:
        WeightsError: missing, damaged or foreign; the text says what was expected.
    """
    return assemble(*read_weights(path), path)


def read_weights(path: Path) -> tuple[DepthProConfig, dict[str, Tensor]]:
    """What `load_network` makes a network of: its sizes, and weights, which may not fit them.

    Raises:
        WeightsError: missing, damaged or foreign; the text says what was expected.
    """
    if not path.exists():
        raise WeightsError(f"weights {path} do not exist")
    if path.is_dir():
        return _read_folder(path)
    if path.suffix == ".safetensors":
        return _read_safetensors_file(path)
    if path.suffix in (".pt", ".pth"):
        return _read_torch(path)
    raise WeightsError(f"weights {path}: expected Apple's depth_pro.pt, a .safetensors file, or a Hugging Face folder")


def assemble(config: DepthProConfig, state: Mapping[str, Tensor], source: Path) -> DepthPro:
    """Put weights into a network without initialising it first.

    Raises:
        WeightsError: keys are missing or extra, or a shape differs; names them.
    """
    check_plain(state, source)
    # Apple's is always built: what its file lacks is then told by name
    parts = 0 if config == DepthProConfig() else _parts(config)
    network = build_empty(lambda: DepthPro(config), parts, len(state), source, "Depth Pro of this size")
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


def _parts(config: DepthProConfig) -> int:
    encoders = (config.patch_encoder, config.image_encoder, config.fov_encoder)
    return sum(encoder.depth for encoder in encoders if encoder is not None) + len(config.hooks)


def save_network(network: DepthPro, path: Path, dtype: torch.dtype = torch.float16) -> None:
    """Write our own form: safetensors in Apple's layout with the configuration in its metadata.

    Raises:
        OSError: see `write_safetensors`.
    """
    state = {key: value.detach().to("cpu", dtype).contiguous() for key, value in network.state_dict().items()}
    write_safetensors(state, path, {CONFIG_KEY: network.config.to_json()})


def _read_safetensors_file(path: Path) -> tuple[DepthProConfig, dict[str, Tensor]]:
    state, metadata = _read_safetensors(path)
    if CONFIG_KEY in metadata:
        return _config(metadata[CONFIG_KEY], path), state
    if is_hf_layout(list(state)):
        config = _hf_config(path.parent)
        return config, _from_hf(state, config, path)
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
            names = sorted(set(parse_json(_text(index))["weight_map"].values()))
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
        if not _is_file(file):
            raise WeightsError(f"shard {str(file)[:200]} is missing: get the whole folder again")
        state.update(_read_safetensors(file)[0])
    return config, _from_hf(state, config, folder)


def _from_hf(state: Mapping[str, Tensor], config: DepthProConfig, source: Path) -> dict[str, Tensor]:
    try:
        return from_hf(state, config)
    except RuntimeError as error:
        raise WeightsError(f"weights {source} have queries, keys and values that do not fit: {error}") from error


def _hf_config(folder: Path) -> DepthProConfig:
    path = folder / "config.json"
    if not path.exists():
        raise WeightsError(f"{path} is missing: Hugging Face weights need the config.json that was published with them")
    try:
        raw = parse_json(_text(path))
        if not isinstance(raw, dict):
            raise ValueError("not a JSON object")
        return config_from_hf(raw)
    except WeightsError:
        raise
    except (ValueError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise WeightsError(f"{path} does not describe a Depth Pro network: {error}") from error


def _read_torch(path: Path) -> tuple[DepthProConfig, dict[str, Tensor]]:
    raw = read_torch(path, "get Apple's depth_pro.pt again")
    if is_hf_layout(list(raw)):
        config = _hf_config(path.parent)
        return config, _from_hf(raw, config, path)
    return _config_beside(path), raw


def _config_beside(path: Path) -> DepthProConfig:
    """The configuration in `NAME.json`, or Apple's."""
    beside = path.with_suffix(".json")
    return _config(_text(beside), beside) if beside.exists() else DepthProConfig()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _text(path: Path) -> str:
    """A small file that says something about weights."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_TEXT_BYTES + 1)
        if len(content) > _MAX_TEXT_BYTES:
            raise WeightsError(f"{path} is longer than {_MAX_TEXT_BYTES} bytes: it does not belong to Depth Pro")
        return content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise WeightsError(f"{path} cannot be read: {error}") from error


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
