# SPDX-License-Identifier: Apache-2.0
"""How the process allocates its messages."""

from __future__ import annotations

import ctypes
import logging

logger = logging.getLogger(__name__)

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""Of glibc's <malloc.h>."""


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
