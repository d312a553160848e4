# SPDX-License-Identifier: Apache-2.0
"""How many processes with the full network fit into memory at once."""

from __future__ import annotations

from dataclasses import replace

import torch

from depthpro_ros.bench.network_groups import Group

WEIGHTS, NUMBERS_AT_WORK = 0.952e9, 1.3e9
"""Of the full network: its weights, and the other numbers that a pass holds at its peak, about."""
BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}
CUDA_CONTEXT = 0.6e9


def free_bytes(device: str) -> float:
    """Memory that is free on a device; infinite where nobody tells."""
    if device.startswith("cuda"):
        return float(torch.cuda.mem_get_info(device)[0])
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024.0 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return float("inf")


def fitting(
    group: Group, free: float, on_cuda: bool, weights: float = WEIGHTS, at_work: float = NUMBERS_AT_WORK
) -> list[Group]:
    """A group, or several that each begin with its first entrant, so that all entrants of one fit into memory.

    Args:
        group: what is to be compared.
        free: bytes.
        on_cuda: each process keeps what it needed once; in host memory it gives it back between its turns.
        weights, at_work: numbers that the network holds always, and at its peak.

    Returns:
        The groups; without entrants where not even two fit.
    """
    each = BYTES[group.precision] * weights
    working = BYTES[group.precision] * at_work
    most = free / (each + working + CUDA_CONTEXT) if on_cuda else (free - working) / each
    if len(group.entrants) <= most:
        return [group]
    if most < 2:
        return [replace(group, entrants=())]
    first, others, step = group.entrants[0], group.entrants[1:], int(most) - 1
    return [
        replace(group, title=f"{group.title} ({1 + start // step})", entrants=(first, *others[start : start + step]))
        for start in range(0, len(others), step)
    ]
