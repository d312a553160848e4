# SPDX-License-Identifier: Apache-2.0
"""What malloc does with memory that was freed."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable


def give_back_freed_memory() -> None:
    """Return freed memory to the system, where malloc is glibc's.

    glibc keeps what was freed between blocks that are still used: after a network's weights were exchanged for others
    that is hundreds of megabytes.
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@functools.cache
def _malloc_trim() -> Callable[[int], int] | None:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
