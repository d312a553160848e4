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

    rclpy copies each message into a C structure that it allocates for the purpose, and frees it again. glibc
    maps blocks of megabytes anew each time, and the kernel has to find, clear and map every page: for the cloud
    of a 1920x1080 camera, 33 MB, that is as long as the rest of publish(). The process keeps the memory of
    its largest frame instead.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    kept = bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, 2**31 - 1))
    logger.debug("malloc keeps what is freed: %s", kept)
    return kept
