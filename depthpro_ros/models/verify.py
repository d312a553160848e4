# SPDX-License-Identifier: Apache-2.0
"""What a weights file is: its layout, its size, its SHA-256, and whether it fits Depth Pro."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from safetensors import safe_open

from depthpro_ros.models.depth_pro.layouts import is_hf_layout
from depthpro_ros.models.depth_pro.weights import CONFIG_KEY, load_network

APPLE_LAYOUT = "Apple's depth_pro.pt"
HF_LAYOUT = "Hugging Face"
OWN_LAYOUT = "depthpro_ros"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class WeightsReport:
    """A weights file or folder that was read, checked against the network, and hashed.

    Attributes:
        path: what was verified.
        layout: `APPLE_LAYOUT`, `HF_LAYOUT` or `OWN_LAYOUT`.
        parameters: number of weights.
        dtype: number format they are stored in.
        input_px: side of the network's square input, pixels.
        sha256: each file that holds weights, and its SHA-256 in hexadecimal.
    """

    path: Path
    layout: str
    parameters: int
    dtype: str
    input_px: int
    sha256: tuple[tuple[Path, str], ...]


def verify(path: Path) -> WeightsReport:
    """Read weights, check every name and shape, and hash them.

    Raises:
        WeightsError: missing, damaged, or of another network.
    """
    network = load_network(path)
    weights = list(network.parameters())
    return WeightsReport(
        path=path,
        layout=_layout(path),
        parameters=sum(w.numel() for w in weights),
        dtype=", ".join(sorted({str(w.dtype).removeprefix("torch.") for w in weights})),
        input_px=network.config.input_px,
        sha256=tuple((file, sha256(file)) for file in weight_files(path)),
    )


def weight_files(path: Path) -> list[Path]:
    """The files that hold weights: the file itself, or the safetensors files of a folder."""
    return sorted(path.glob("*.safetensors")) if path.is_dir() else [path]


def file_size(path: Path) -> int:
    """Bytes of the weights, of all files of a folder together."""
    return sum(file.stat().st_size for file in weight_files(path))


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _layout(path: Path) -> str:
    files = weight_files(path)
    if path.suffix in (".pt", ".pth"):
        return APPLE_LAYOUT
    with safe_open(files[0], framework="pt") as file:
        if CONFIG_KEY in (file.metadata() or {}):
            return OWN_LAYOUT
        return HF_LAYOUT if is_hf_layout(list(file.keys())) else APPLE_LAYOUT
