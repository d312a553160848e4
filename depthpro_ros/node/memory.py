# SPDX-License-Identifier: Apache-2.0
"""How the process allocates its messages."""

from __future__ import annotations

import ctypes
import gc
import logging

logger = logging.getLogger(__name__)

M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8
"""Of glibc's <malloc.h>."""
DEFAULT_TRIM_THRESHOLD, DEFAULT_MMAP_MAX = 128 * 1024, 65536
"""What they are in glibc, by mallopt(3)."""


def share_one_heap() -> bool:
    """Let all threads allocate from one heap; false where it is not glibc's. To be called before there are threads.

    glibc gives threads heaps of their own, and one does not use what another has freed: with `keep_freed_memory`, each
    keeps the memory of the largest message that it ever held. The node's threads allocate rarely, and much at once.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1))
    except (AttributeError, OSError, TypeError):
        return False


def keep_freed_memory() -> bool:
    """Make malloc use freed memory again rather than give it back; false where it is not glibc's.

    Taking a message, the middleware and rclpy allocate its size two to four times and free it again. glibc
    maps blocks of megabytes anew each time, and the kernel has to find, clear and map every page: for an image or a
    cloud of 5 MB and more that is two thirds of the time. The process keeps the memory of its largest frame instead.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    kept = bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, 2**31 - 1))
    logger.debug("malloc keeps what is freed: %s", kept)
    return kept


def give_back_freed_memory() -> bool:
    """Give what nobody uses back to the system, and keep no more of it; false where malloc is not glibc's.

    Else a node that does nothing would hold on to it, and a model that is loaded next would be strewn about in it.
    Objects that refer to each other, such as a worker and its threads, are freed first: Python does so when it likes,
    and with them a whole model.
    """
    gc.collect()
    try:
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_MAX, DEFAULT_MMAP_MAX)
        libc.mallopt(M_TRIM_THRESHOLD, DEFAULT_TRIM_THRESHOLD)
        return bool(libc.malloc_trim(0))
    except (AttributeError, OSError, TypeError):
        return False


def give_back_device_memory() -> None:
    """The same for what torch keeps of a GPU's memory."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
