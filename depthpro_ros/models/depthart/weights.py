# SPDX-License-Identifier: Apache-2.0
"""DepthART weights on disk: VAR's two files, the authors' one, and our own.

Nothing is ever unpickled beyond plain tensors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from depthpro_ros.errors import WeightsError
from depthpro_ros.models.depthart.config import DepthArtConfig
from depthpro_ros.models.depthart.network import DepthArt
from depthpro_ros.models.depthart.presets import FULL
from depthpro_ros.models.state_file import build_empty, check_plain, read_torch, write_safetensors

CONFIG_KEY = "depthpro_ros.depthart"
"""Metadata entry of our own files that holds `DepthArtConfig.to_json()`."""
TOKENIZER_FILE, TRANSFORMER_FILE = "vae_ch160v4096z32.pth", "var_d16.pth"
"""Names of VAR's published files."""
TOKENIZER_PREFIX = "vae_proxy."
"""Under which the authors' file, and ours, hold the tokenizer."""
UNIT_QUERIES = "blocks.0.attn.scale_mul_1H11"
CODEBOOK = "quantize.embedding.weight"
_IGNORED = ("ema_vocab_hit_SV", "lvl_1L", "attn_bias_for_masking", "zero_k_bias")
"""Buffers of the published code that say nothing which the sizes do not."""
_IGNORED_PARTS = ("vae_quant_proxy.", "normalizer.")
_SHOWN = 5


def is_depthart(path: Path) -> bool:
    """Whether a file or folder holds a model of this kind, judged by its names alone."""
    if path.is_dir():
        return (path / TRANSFORMER_FILE).exists() or (path / TOKENIZER_FILE).exists()
    if path.suffix != ".safetensors":
        return False
    try:
        with safe_open(path, framework="pt") as file:
            keys = list(file.keys())
            return CONFIG_KEY in (file.metadata() or {}) or any(key.startswith(TOKENIZER_PREFIX) for key in keys)
    except (SafetensorError, OSError):
        return False  # whoever loads it says what is wrong


def load_model(path: Path) -> DepthArt:
    """Read a model with its weights, in the precision that the file has, on the CPU.

    Args:
        path: our own `.safetensors`; the authors' `model.safetensors`; or a folder with `vae_ch160v4096z32.pth` and
            `var_d16.pth`, which is no depth model but what one is trained from. Whether queries are of length one is
            read off the keys.

    Raises:
        WeightsError: missing, damaged or foreign; the text says what was expected.
    """
    return assemble(*read_model(path), path)


def read_model(path: Path) -> tuple[DepthArtConfig, dict[str, Tensor], dict[str, Tensor]]:
    """What `load_model` makes a model of: its sizes, and weights of tokenizer and transformer, which may not fit.

    Raises:
        WeightsError: missing, damaged or foreign; the text says what was expected.
    """
    if not path.exists():
        raise WeightsError(f"weights {path} do not exist")
    if path.is_dir():
        tokenizer, transformer = (_read_published(path / name) for name in (TOKENIZER_FILE, TRANSFORMER_FILE))
        return published_config(transformer), tokenizer, transformer
    if path.suffix != ".safetensors":
        raise WeightsError(
            f"weights {path}: expected a .safetensors file, or a folder with {TOKENIZER_FILE} and {TRANSFORMER_FILE}"
        )
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"weights {path} cannot be read as safetensors ({error}): the file is damaged or cut off; get it again"
        ) from error
    tokenizer = {key.removeprefix(TOKENIZER_PREFIX): t for key, t in state.items() if key.startswith(TOKENIZER_PREFIX)}
    transformer = {key: t for key, t in state.items() if not key.startswith((TOKENIZER_PREFIX, *_IGNORED_PARTS))}
    if not tokenizer:
        raise WeightsError(f"weights {path} hold no {TOKENIZER_PREFIX}*: they are not of DepthART")
    if CONFIG_KEY not in metadata:
        return published_config(transformer), tokenizer, transformer
    try:
        config = DepthArtConfig.from_json(metadata[CONFIG_KEY])
    except (ValueError, TypeError) as error:
        raise WeightsError(f"configuration in {path} cannot be used: {error}") from error
    return config, tokenizer, transformer


def published_config(transformer: Mapping[str, Tensor]) -> DepthArtConfig:
    """The sizes of published weights: VAR d16, with or without queries of length one."""
    return replace(FULL, transformer=replace(FULL.transformer, unit_queries=UNIT_QUERIES in transformer))


def _read_published(path: Path) -> dict[str, Tensor]:
    if not path.exists():
        raise WeightsError(f"weights {path} are missing: get the file of this name from the release of VAR")
    return read_torch(path, "get it again")


def assemble(
    config: DepthArtConfig, tokenizer: Mapping[str, Tensor], transformer: Mapping[str, Tensor], source: Path
) -> DepthArt:
    """Put weights into a model without initialising it first.

    Raises:
        WeightsError: they do not fit.
    """
    codes, heads = tokenizer.get(CODEBOOK), transformer.get("head.weight")
    if codes is not None and heads is not None and codes.ndim and heads.ndim and len(codes) != len(heads):
        raise WeightsError(
            f"weights {source}: the codebook has {len(codes)} codes, and the transformer says {len(heads)}: they are "
            "not of one model; put the tokenizer that the transformer was trained with beside it"
        )
    state = {f"tokenizer.{key}": t for key, t in tokenizer.items() if not key.endswith(_IGNORED)}
    state |= {f"transformer.{key}": t for key, t in transformer.items() if not key.endswith(_IGNORED)}
    check_plain(state, source)
    model = build_empty(lambda: DepthArt(config), _parts(config), len(state), source, "this model")
    expected = {key: tensor.shape for key, tensor in model.state_dict().items()}
    missing, foreign = sorted(set(expected) - set(state)), sorted(set(state) - set(expected))
    wrong = sorted(key for key in set(state) & set(expected) if state[key].shape != expected[key])
    problems = [
        f"{len(keys)} {what} ({', '.join(keys[:_SHOWN])}{', ...' if len(keys) > _SHOWN else ''})"
        for keys, what in (
            (missing, "tensors are missing"),
            (foreign, "are not known"),
            (wrong, "are of another shape"),
        )
        if keys
    ]
    if problems:
        raise WeightsError(f"weights {source} do not fit this model: {'; '.join(problems)}")
    model.load_state_dict(state, assign=True)
    return model.requires_grad_(False)


def _parts(config: DepthArtConfig) -> int:
    t, tokenizer = config.transformer, config.tokenizer
    encoder = t.encoder.depth if t.encoder else 0
    return t.depth + encoder + tokenizer.blocks * len(tokenizer.multipliers) + tokenizer.shared_convs


def save_model(model: DepthArt, path: Path, dtype: torch.dtype = torch.float16) -> None:
    """Write our own form: the authors' layout with the configuration in its metadata.

    The codebook and the shared convolutions stay in float32: rounded, a latent has other nearest codes.

    Args:
        model: to be written.
        path: of the file.
        dtype: of all else.

    Raises:
        OSError: see `write_safetensors`.
    """
    state = {}
    for key, value in model.state_dict().items():
        name = key.removeprefix("transformer.").replace("tokenizer.", TOKENIZER_PREFIX, 1)
        kept = torch.float32 if ".quantize." in key else dtype
        state[name] = value.detach().to("cpu", kept).contiguous()
    write_safetensors(state, path, {CONFIG_KEY: model.config.to_json()})
