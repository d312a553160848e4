# SPDX-License-Identifier: Apache-2.0
"""What malloc does with memory that was freed, where it is glibc's; elsewhere nothing here has an effect."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8
"""Of glibc's <malloc.h>."""
DEFAULT_TRIM_THRESHOLD, DEFAULT_MMAP_MAX = 128 * 1024, 65536
"""What they are in glibc, by mallopt(3)."""


def give_back_freed_memory() -> None:
    """Return freed memory to the system.

    glibc keeps what was freed between blocks that are still used: after a network's weights were exchanged for others
    that is hundreds of megabytes.
    """
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)


def share_one_heap() -> None:
    """Let all threads allocate from one heap. To be called before there are threads.

    glibc gives threads heaps of their own, and one does not use what another has freed: with `keep_freed_memory`, each
    keeps the memory of the largest message that it ever held. The node's threads allocate rarely, and much at once.
    """
    _set({M_ARENA_MAX: 1})


def keep_freed_memory() -> None:
    """Make malloc use freed memory again rather than give it back.

    Taking a message, the middleware and rclpy allocate its size two to four times and free it again. glibc
    maps blocks of megabytes anew each time, and the kernel has to find, clear and map every page: for an image or a
    cloud of 5 MB and more that is two thirds of the time. The process keeps the memory of its largest frame instead.
    """
    _set({M_MMAP_MAX: 0, M_TRIM_THRESHOLD: 2**31 - 1})


def keep_no_freed_memory() -> None:
    """Undo `keep_freed_memory`, and give back what was kept."""
    _set({M_MMAP_MAX: DEFAULT_MMAP_MAX, M_TRIM_THRESHOLD: DEFAULT_TRIM_THRESHOLD})
    give_back_freed_memory()


def _set(values: dict[int, int]) -> None:
    if (libc := _glibc()) is not None:
        for parameter, value in values.items():
            libc.mallopt(parameter, value)


@functools.cache
def _glibc() -> Any:
    """The C library, if it is glibc; else None."""
    try:
        libc = ctypes.CDLL(None)
        return libc if libc.mallopt and libc.malloc_trim else None
    except (AttributeError, OSError, TypeError):
        return None
