# SPDX-License-Identifier: Apache-2.0
"""Which machine and which software: what stands beside every figure, and what a results file is called."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path

import torch

from depthpro_ros import __version__
from depthpro_ros.bench.results import Provenance
from depthpro_ros.machine import cpu_flags, machine

_WIDEST = (("amx_tile", "AMX"), ("avx512f", "AVX-512"), ("avx2", "AVX2"))
"""What decides a processor's matrix rate, widest first; flags as Linux names them."""


def checkout() -> Path | None:
    """The repository that this package runs from; None where it is installed elsewhere."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "docs" / "performance_notes.md").is_file() else None


def device_words(device: str) -> str:
    """The machine in words: the GPU where it is used, and the processor with its widest instructions."""
    flags = cpu_flags()
    widest = next((name for flag, name in _WIDEST if flag in flags), "")
    processor = machine() + (f", {widest}" if widest else "")
    return f"{torch.cuda.get_device_name(device)}; {processor}" if device.startswith("cuda") else processor


def slug(device: str) -> str:
    """File name of a device's results: the GPU's name, else the processor's, in lower case with dashes.

    Args:
        device: from `device_words`.
    """
    name = re.sub(r"\((r|tm)\)|\b(cpu|processor)\b|@", " ", device.split(";")[0].lower())
    return re.sub(r"[^a-z0-9]+", "-", name).strip("-")


def provenance(command: str) -> Provenance:
    """What is running now.

    Args:
        command: that measures.
    """
    try:
        transformers = importlib.metadata.version("transformers")
    except importlib.metadata.PackageNotFoundError:
        transformers = ""
    return Provenance(
        date=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        command=command,
        python=platform.python_version(),
        torch=torch.__version__,
        transformers=transformers,
        package=__version__,
        commit=commit(),
        threads=torch.get_num_threads(),
        load_before=round(os.getloadavg()[0], 2),
    )


def commit() -> str:
    """Of the checkout, short, with "+" where tracked files were changed; empty without one, or without git."""
    root = checkout()
    if root is None:
        return ""
    try:
        head = _git(root, "rev-parse", "--short=10", "HEAD")
        # results of this very run are not a change of what is measured
        changed = _git(
            root, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!benchmarks/results", ":!docs"
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head + ("+" if changed else "")


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=root, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ).stdout.strip()
