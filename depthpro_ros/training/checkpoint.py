# SPDX-License-Identifier: Apache-2.0
"""Checkpoints that an interrupted write or a full disk cannot cost."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from depthpro_ros.errors import InputError, first_line


@dataclass
class Progress:
    """Where a run stands.

    Attributes:
        stage: index of the stage.
        step: steps done in it.
        best: lowest validation figure of the stage so far.
        stale: validations since then.
        spent_s: training time of this and earlier starts.
    """

    stage: int = 0
    step: int = 0
    best: float = field(default=float("inf"))
    stale: int = 0
    spent_s: float = 0.0


def write_checkpoint(path: Path, progress: Progress, architecture: str, state: dict[str, Any]) -> str | None:
    """Write a checkpoint in place of the last one; see `put_in_place`."""
    everything = {"progress": asdict(progress), "architecture": architecture, **state}

    def write(partial: Path) -> None:
        with partial.open("wb") as file:
            torch.save(everything, file)
            file.flush()
            os.fsync(file.fileno())

    return put_in_place(path, write)


def put_in_place(path: Path, write: Callable[[Path], object]) -> str | None:
    """Write beside a file, then swap.

    Args:
        path: of the file, which need not be there yet.
        write: writes the file that it is given.

    Returns:
        None if all went well, else why it did not (a full disk, say): the file is then as it was.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        write(partial)
        partial.replace(path)
    # PyTorch's writer turns a failed write into a RuntimeError
    except (OSError, RuntimeError) as error:
        partial.unlink(missing_ok=True)
        return first_line(error)
    return None


def read_checkpoint(path: Path, architecture: str) -> tuple[Progress, dict[str, Any]]:
    """Read a checkpoint; plain tensors and numbers only.

    Raises:
        InputError: damaged, no checkpoint of this program, or of another network.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        progress, found = Progress(**state.pop("progress")), state.pop("architecture")
    except Exception as error:  # whatever damaged bytes make of PyTorch's reader
        reason = first_line(error)
        raise InputError(f"checkpoint {path} cannot be read ({reason}): move it away to start the run again") from error
    if found != architecture:
        raise InputError(
            f"checkpoint {path} is of another network ({found}) than the configuration's ({architecture}): "
            "choose another output folder, or set the network back"
        )
    return progress, state
