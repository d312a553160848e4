# SPDX-License-Identifier: Apache-2.0
"""What this machine is, to stand beside every figure that was measured on it."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

import torch

BFLOAT16_UNITS = frozenset({"avx512_bf16", "amx_bf16"})
"""Of `cpu_flags`, those of processors that multiply in bfloat16; others convert to float32 and back."""


def cpu_flags() -> frozenset[str]:
    """What the processor can do, in Linux's words; empty where that is not told."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            line = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:
        return frozenset()
    return frozenset(line.partition(":")[2].split())


def machine(devices: Sequence[str] = ()) -> str:
    """Processor and number of cores and, where one of `devices` is CUDA's, the GPU."""
    processor = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            processor = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass  # not Linux, or a processor without a name
    gpu = f", {torch.cuda.get_device_name()}" if any(d.startswith("cuda") for d in devices) else ""
    return f"{processor}, {os.cpu_count()} cores{gpu}"
