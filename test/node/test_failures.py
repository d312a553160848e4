# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from depthpro_ros.errors import CameraError
from depthpro_ros.node.failures import Failure

LOST = getattr(torch, "AcceleratorError", RuntimeError)


def of(error: Exception) -> Failure:
    try:
        raise error
    except Exception as caught:
        return Failure.of(caught)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("CUDA error: out of memory"),
        torch.cuda.OutOfMemoryError("CUDA out of memory."),
    ],
)
def test_memory_that_is_used_up(error: Exception) -> None:
    failure = of(error)
    assert failure.out_of_memory and not failure.device_lost
    assert failure.reason.startswith("out of ")


@pytest.mark.parametrize(
    "error",
    [
        LOST("CUDA error: an illegal memory access was encountered"),
        RuntimeError("CUDA error: unspecified launch failure"),  # of torch before 2.8
        RuntimeError("CUDA driver error: device lost"),
    ],
)
def test_a_device_that_is_lost(error: Exception) -> None:
    failure = of(error)
    assert failure.device_lost and not failure.out_of_memory
    assert str(error) in failure.reason


def test_what_a_user_can_act_on_needs_no_traceback() -> None:
    assert of(CameraError("calibrate it")) == Failure("calibrate it")
    failure = of(RuntimeError("a bug"))
    assert failure.reason == "RuntimeError: a bug" and "raise error" in failure.details
    assert not failure.device_lost and not failure.out_of_memory
