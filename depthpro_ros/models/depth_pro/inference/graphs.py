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
    """Runs a network by replaying recordings, two for each batch size: with the fields of view and without.

    All recordings share their memory, so what a pass returns is overwritten by the next one. Where only some fields of
    view are wanted all are computed: there would be a recording for each subset of the cameras.

    Args:
        network: to be recorded; always computes the same for inputs of the same shape.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._recorded: dict[tuple[object, ...], tuple[torch.cuda.CUDAGraph, Tensor, tuple[Tensor, Tensor | None]]] = {}
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, image: Tensor, want_fov: bool | Sequence[int]) -> tuple[Tensor, Tensor | None]:
        """See `MergedDepthPro.forward`."""
        some = None if isinstance(want_fov, bool) else want_fov
        key = (len(image), bool(want_fov))
        if key not in self._recorded:
            self._recorded[key] = self._record(image, bool(want_fov))
        graph, static, (canonical, fov_deg) = self._recorded[key]
        static.copy_(image)
        graph.replay()
        return canonical, fov_deg if some is None or fov_deg is None else fov_deg[list(some)]

    def _record(
        self, image: Tensor, want_fov: bool
    ) -> tuple[torch.cuda.CUDAGraph, Tensor, tuple[Tensor, Tensor | None]]:
        static = image.clone()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(_REHEARSALS):
                self._network(static, want_fov)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        # other threads may copy meanwhile, such as the one that publishes
        with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
            results = self._network(static, want_fov)
        return graph, static, results

    def clear(self) -> None:
        """Forget all recordings and free their memory."""
        self._recorded.clear()
        self._pool = torch.cuda.graph_pool_handle()
        torch.cuda.empty_cache()
