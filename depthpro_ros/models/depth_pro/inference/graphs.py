# SPDX-License-Identifier: Apache-2.0
"""CUDA graphs: a pass of some thousand kernels, recorded once and launched as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Network = Callable[[Tensor, bool | Sequence[int]], tuple[Tensor, Tensor | None]]
_REHEARSALS = 2
"""Passes before recording, in which libraries choose their kernels and allocate."""


class Graphs:
    """Runs a network by replaying recordings, one for each batch size and choice of fields of view.

    All recordings share their memory, so what a pass returns is overwritten by the next one.

    Args:
        network: to be recorded; always computes the same for inputs of the same shape.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._recorded: dict[tuple[object, ...], tuple[torch.cuda.CUDAGraph, Tensor, tuple[Tensor, Tensor | None]]] = {}
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, image: Tensor, want_fov: bool | Sequence[int]) -> tuple[Tensor, Tensor | None]:
        """See `MergedDepthPro.forward`."""
        key = (*image.shape, want_fov if isinstance(want_fov, bool) else tuple(want_fov))
        if key not in self._recorded:
            self._recorded[key] = self._record(image, want_fov)
        graph, static, results = self._recorded[key]
        static.copy_(image)
        graph.replay()
        return results

    def _record(
        self, image: Tensor, want_fov: bool | Sequence[int]
    ) -> tuple[torch.cuda.CUDAGraph, Tensor, tuple[Tensor, Tensor | None]]:
        static = image.clone()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(_REHEARSALS):
                self._network(static, want_fov)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            results = self._network(static, want_fov)
        return graph, static, results

    def clear(self) -> None:
        """Forget all recordings and free their memory."""
        self._recorded.clear()
        self._pool = torch.cuda.graph_pool_handle()
        torch.cuda.empty_cache()
