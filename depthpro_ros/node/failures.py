# SPDX-License-Identifier: Apache-2.0
"""What went wrong with a frame, in words, and whether there can be another."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

import torch

from depthpro_ros.errors import DepthProError

CUDA_BROKEN: tuple[type[Exception], ...] = (torch.AcceleratorError,) if hasattr(torch, "AcceleratorError") else ()
"""Errors after which CUDA answers nothing any more in this process."""


@dataclass(frozen=True)
class Failure:
    """Why a frame was not served.

    Attributes:
        reason: for users.
        details: where it happened; empty if the reason says it all.
        device_lost: nothing works any more in this process.
        out_of_memory: on the device; fewer images at once may go.
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
        if isinstance(error, CUDA_BROKEN):
            return Failure(f"the GPU does not answer any more: {error}", device_lost=True)
        return Failure(f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)))
