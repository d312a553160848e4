# SPDX-License-Identifier: Apache-2.0
"""What torch says of itself and of the GPUs, in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from depthpro_ros.doctor.outside import Answer, ask

FACTS = """{
    "version": torch.__version__,
    "cuda": torch.version.cuda or torch.version.hip,
    "available": torch.cuda.is_available(),
    "architectures": torch.cuda.get_arch_list(),
    "gpus": [
        {"name": p.name, "capability": [p.major, p.minor], "memory": p.total_memory}
        for p in map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
    ] if torch.cuda.is_available() else [],
    "free": torch.cuda.mem_get_info(0)[0] if torch.cuda.is_available() else None,
}"""
"""What is asked of torch."""
GIGABYTE = 1e9


@dataclass(frozen=True)
class Gpu:
    """One CUDA device, as torch sees it.

    Attributes:
        name: of the product.
        capability: compute capability, major and minor.
        memory_gb: in all.
    """

    name: str
    capability: tuple[int, int]
    memory_gb: float


@dataclass(frozen=True)
class TorchFacts:
    """What torch says of itself.

    Attributes:
        version: of torch.
        cuda: version of CUDA that it was built with; None for a CPU build.
        available: whether it can use a GPU.
        architectures: for which it has kernels, such as sm_80, compute_90.
        gpus: that it can use.
        free_gb: unused memory of the first; None without one.
    """

    version: str
    cuda: str | None
    available: bool
    architectures: tuple[str, ...]
    gpus: tuple[Gpu, ...]
    free_gb: float | None

    @classmethod
    def from_json(cls, value: Any) -> TorchFacts:
        """From the value of `FACTS`."""
        gpus = [Gpu(g["name"], tuple(g["capability"]), g["memory"] / GIGABYTE) for g in value["gpus"]]
        free = value["free"]
        return cls(
            value["version"],
            value["cuda"],
            value["available"],
            tuple(value["architectures"]),
            tuple(gpus),
            None if free is None else free / GIGABYTE,
        )


def look() -> Answer:
    """What torch says, as `FACTS`."""
    return ask("torch", FACTS)
