# SPDX-License-Identifier: Apache-2.0
"""Weights files as names to tensors and nothing else: they come from the internet."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from depthpro_ros.errors import WeightsError, first_line

N = TypeVar("N", bound=nn.Module)


def read_torch(path: Path, advice: str) -> dict[str, Tensor]:
    """The state dict in a `.pt` or `.pth`. Of pickled objects only plain tensors are made.

    Args:
        path: of the file.
        advice: where a good one is to be had.

    Raises:
        WeightsError: damaged, cut off, compressed, of PyTorch before 1.6, or with other Python objects in it.
    """
    refused = (
        f"weights {path} cannot be read as plain tensors ({{}}): the file is damaged, cut off, or holds other Python "
        f"objects, which are refused; {advice}"
    )
    try:
        _check_archive(path)
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except WeightsError:
        raise
    except Exception as error:  # whatever damaged bytes make of PyTorch's reader
        reason = first_line(error)
        raise WeightsError(refused.format(reason)) from error
    plain = isinstance(state, dict) and all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in state.items()
    )
    if not plain:
        raise WeightsError(f"weights {path} hold no state dict (names to tensors) but {type(state).__name__}")
    return state


def _check_archive(path: Path) -> None:
    """PyTorch compresses nothing, so what is compressed was made to be larger than it looks."""
    if not zipfile.is_zipfile(path):
        raise WeightsError(
            f"weights {path} cannot be read as plain tensors: they are damaged, cut off, or were saved by PyTorch "
            "before 1.6, whose files are refused; load and save them with a newer one, if you trust them"
        )
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    packed = [member.filename for member in members if member.compress_type != zipfile.ZIP_STORED]
    if packed or sum(member.file_size for member in members) > path.stat().st_size:
        raise WeightsError(
            f"weights {path} are a compressed archive ({', '.join(packed[:3]) or 'its sizes exceed the file'}), which "
            "PyTorch never writes: refused"
        )


def write_safetensors(state: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
    """Write contiguous tensors on the CPU, and the folder that they go to.

    Raises:
        OSError: they cannot be written there (a full disk, say).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        save_file(state, path, metadata=metadata)
    except SafetensorError as error:
        raise OSError(f"{path} cannot be written: {first_line(error)}") from error
    path.chmod(0o644)  # safetensors lets nobody but the owner read


def check_plain(state: Mapping[str, Tensor], source: Path) -> None:
    """Check that every tensor is dense numbers in memory.

    Raises:
        WeightsError: names those that are not.
    """
    odd = [
        f"{name} ({tensor.dtype}, {tensor.layout}, on {tensor.device})"
        for name, tensor in state.items()
        if tensor.layout is not torch.strided or tensor.device.type != "cpu" or not tensor.dtype.is_floating_point
    ]
    if odd:
        raise WeightsError(f"weights {source} hold what is no dense array of floating-point numbers: {odd[0]}")


def build_empty(build: Callable[[], N], parts: int, tensors: int, source: Path, what: str) -> N:
    """A network without memory for its weights; one of more parts than there are tensors is not even built.

    Args:
        build: makes it, as its configuration says.
        parts: blocks and the like that it would have, each with tensors of its own.
        tensors: how many the file has.
        source: the file.
        what: that an error calls the network.

    Raises:
        WeightsError: the configuration does not fit the file, or is of no network that can be built.
    """
    if parts > tensors:
        raise WeightsError(
            f"weights {source} do not fit {what}: their configuration is of {parts} blocks, and there are {tensors} "
            "tensors"
        )
    try:
        with torch.device("meta"):
            return build()
    except (RuntimeError, ValueError, OverflowError) as error:
        raise WeightsError(f"weights {source}: no network can be built of their configuration: {error}") from error
