# SPDX-License-Identifier: Apache-2.0
"""What went wrong with a frame, in words, and whether there can be another."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

import torch

from depthpro_ros.errors import DepthProError

NO_MEMORY = ("ALLOC_FAILED", "out of memory", "DefaultCPUAllocator")
"""What texts of torch's plain errors have in them where memory is used up: of cuBLAS and cuDNN, CUDA, and the host."""
CUDA_ERRORS = ("CUDA error", "CUDA driver error")
"""How the texts begin of what `CUDA_BROKEN` has no type for, in versions of torch before 2.8."""
CUDA_BROKEN: tuple[type[Exception], ...] = (torch.AcceleratorError,) if hasattr(torch, "AcceleratorError") else ()
"""Errors after which CUDA answers nothing any more in this process."""


@dataclass(frozen=True)
class Failure:
    """Why a frame was not served.

    Attributes:
        reason: for users.
        details: where it happened; empty if the reason says it all.
        device_lost: nothing works any more in this process.
        out_of_memory: on the device or the host; fewer images at once may go.
    """

    reason: str
    details: str = ""
    device_lost: bool = False
    out_of_memory: bool = False

    @staticmethod
    def of(error: Exception) -> Failure:
        """What an exception means; to be called where it is handled."""
        if isinstance(error, DepthProError):
            return Failure(str(error))
        # a kind of the accelerator's errors in some versions of torch
        if isinstance(error, torch.cuda.OutOfMemoryError):
            return Failure(f"out of device memory: {error}", out_of_memory=True)
        text = str(error)
        if isinstance(error, MemoryError) or (
            isinstance(error, RuntimeError) and any(part in text for part in NO_MEMORY)
        ):
            return Failure(f"out of memory: {text}".rstrip(": "), out_of_memory=True)
        if isinstance(error, CUDA_BROKEN) or (isinstance(error, RuntimeError) and text.startswith(CUDA_ERRORS)):
            return Failure(f"the GPU does not answer any more: {text}", device_lost=True)
        return Failure(f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)))
