# SPDX-License-Identifier: Apache-2.0
"""Runs the merged network: how it is launched, and what is done when memory does not suffice."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from depthpro_ros.errors import first_line
from depthpro_ros.models.depth_pro.inference import MergedDepthPro, budget
from depthpro_ros.models.depth_pro.inference.graphs import Graphs, Network

logger = logging.getLogger(__name__)

CPU_ALLOCATOR = "DefaultCPUAllocator"
"""How torch begins to say that host memory is used up."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that device or host memory is used up."""
    return isinstance(error, torch.cuda.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and CPU_ALLOCATOR in str(error)
    )


class NetworkRunner:
    """A merged network that falls back to less memory rather than fail.

    Args:
        network: on its device.
        memory: `auto` or `low`.
        accelerate: `eager`, `graphs` (CUDA only) or `compile`.

    Attributes:
        memory: what is in use; `low` also after memory ran out once.
    """

    def __init__(self, network: MergedDepthPro, memory: str, accelerate: str) -> None:
        self.network, self.memory = network, memory
        self.device = network.patch_encoder.position.device
        network.budget = budget(memory, self.device)
        self._launch: Network | Graphs = network
        if accelerate == "compile":
            # each shape is compiled on its own: there are few, and fixed sizes make faster code
            self._launch = torch.compile(network, dynamic=False)
        # the low setting moves weights about, and reuse computes another number of windows each time
        if accelerate != "eager" and self.device.type == "cuda" and memory != "low" and network.reuse is None:
            self._launch = Graphs(self._launch)

    def __call__(self, image: Tensor, want_fov: bool | Sequence[int]) -> tuple[Tensor, Tensor | None]:
        """See `MergedDepthPro.forward`. What it returns may be overwritten by the next call.

        Raises:
            torch.cuda.OutOfMemoryError, RuntimeError: not even one image fits in the low setting.
        """
        done, result = self._tried(lambda: self._launch(image, want_fov), last=False)
        if done:
            return result
        if self.memory != "low":
            self._save_memory()
            done, result = self._tried(lambda: self._launch(image, want_fov), last=len(image) == 1)
            if done:
                return result
        return self._one_by_one(image, range(len(image)) if want_fov is True else want_fov or ())

    def _one_by_one(self, image: Tensor, wanted: Sequence[int]) -> tuple[Tensor, Tensor | None]:
        canonical: list[Tensor] = []
        fovs: list[Tensor] = []
        for index in range(len(image)):
            one, fov = self.network(image[index : index + 1], index in wanted)
            canonical.append(one)
            if fov is not None:
                fovs.append(fov)
        return torch.cat(canonical), torch.cat(fovs) if fovs else None

    def _tried(
        self, attempt: Callable[[], tuple[Tensor, Tensor | None]], last: bool
    ) -> tuple[bool, tuple[Tensor, Tensor | None]]:
        """Whether memory sufficed, and the result. Outside of the handler nothing holds the failed pass's tensors."""
        try:
            return True, attempt()
        except (RuntimeError, MemoryError) as error:
            if last or not is_out_of_memory(error):
                raise
            reason = first_line(error)
        logger.warning("out of memory (%s)", reason)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return False, (torch.empty(0), None)

    def _save_memory(self) -> None:
        logger.warning("going on with the low memory setting: frames take longer; set memory to 'low' to begin with it")
        self.memory = "low"
        if isinstance(self._launch, Graphs):
            self._launch.clear()
        self._launch = self.network
        self.network.budget = budget("low", self.device)
        if self.network.fov is not None and self.device.type == "cuda":
            self.network.fov.to("cpu")
            torch.cuda.empty_cache()
