# SPDX-License-Identifier: Apache-2.0
"""Whether there is memory for the model."""

from __future__ import annotations

import re

from depthpro_ros.doctor.finding import Finding, ok, problem, warning
from depthpro_ros.doctor.torch_facts import GIGABYTE, TorchFacts

HOST_NEED_GB = {"depth_pro": 4.9}
"""Peak memory of a process on a CPU in float32, from docs/performance.md; the bundled models need less than 1 GB."""
GPU_NEED_GB = {"depth_pro": 2.3}
"""Memory on a GPU in float16, as predicted in docs/performance.md, never measured so far."""
GPU_LOW_NEED_GB = {"depth_pro": 1.9}
"""The same with `memory: low`."""


def check_gpu_memory(facts: TorchFacts, model: str) -> Finding:
    """Whether the model fits into the GPU's free memory.

    Args:
        facts: with a GPU.
        model: its name.
    """
    need = GPU_NEED_GB.get(model, 0.5)
    free = facts.free_gb or 0.0
    found = f"{model} needs about {need:.1f} GB in float16 (predicted), {free:.1f} GB are free"
    if free >= need:
        return ok("GPU memory", found)
    low = GPU_LOW_NEED_GB.get(model, need)
    if free >= low:
        return warning("GPU memory", found, f"memory: low needs about {low:.1f} GB; the node goes there by itself")
    return problem("GPU memory", found, "end what else uses the GPU, or take resolution: half, or device: cpu")


def check_host_memory(available_gb: float, model: str) -> Finding:
    """Whether the model fits into the machine's memory, for device cpu.

    Args:
        available_gb: what a new process may take, as Linux estimates it.
        model: its name.
    """
    need = HOST_NEED_GB.get(model, 1.0)
    found = f"{model} needs about {need:.1f} GB in float32, {available_gb:.1f} GB are available"
    if available_gb >= need:
        return ok("memory", found)
    return problem("memory", found, "end other processes, or take memory: low and precision: bfloat16")


def available_memory_gb(meminfo: str) -> float | None:
    """`MemAvailable` of /proc/meminfo, which is in KiB; None if it is not there."""
    match = re.search(r"^MemAvailable:\s+(\d+) kB", meminfo, re.MULTILINE)
    return int(match[1]) * 1024 / GIGABYTE if match else None
