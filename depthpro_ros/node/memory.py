# SPDX-License-Identifier: Apache-2.0
"""Giving back what the node does not use any more."""

from __future__ import annotations

import gc

import torch

from depthpro_ros.allocator import keep_no_freed_memory


def give_back_memory(*, of_device: bool = False) -> None:
    """Give memory that nobody uses back to the system, and keep no more of it.

    Else a node that does nothing would hold on to it, and a model that is loaded next would be strewn about in it.
    Objects that refer to each other, such as a worker and its threads, are freed first: Python does so when it likes,
    and with them a whole model.

    Args:
        of_device: the GPU's, too.
    """
    gc.collect()
    keep_no_freed_memory()
    if of_device and torch.cuda.is_available():
        torch.cuda.empty_cache()
