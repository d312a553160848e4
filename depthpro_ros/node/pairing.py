# SPDX-License-Identifier: Apache-2.0
"""Finding the CameraInfo of an image."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from builtin_interfaces.msg import Time
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

KEPT = 16
JUMP_BACK_NS = 1_000_000_000
"""A stamp earlier than the last by more than this means that time was set back (a bag that loops)."""


def time_ns(time: Time) -> int:
    """A message of time in nanoseconds."""
    return time.sec * 1_000_000_000 + time.nanosec


def stamp_ns(header: Header) -> int:
    """A header's stamp in nanoseconds."""
    return time_ns(header.stamp)


class CameraInfos:
    """The last messages of a camera_info topic, found by stamp.

    Drivers publish each CameraInfo with its image's stamp; then it is worth while to wait for an image's own. Others
    publish the calibration now and then; once that is seen, the newest is used at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._infos: OrderedDict[int, CameraInfo] = OrderedDict()
        self._exact = True
        self._newest_ns = 0
        self._sought_ns: int | None = None

    def put(self, info: CameraInfo) -> None:
        """Keep a message."""
        with self._lock:
            stamp = stamp_ns(info.header)
            if stamp < self._newest_ns - JUMP_BACK_NS:
                self._infos.clear()
            self._newest_ns = stamp
            self._infos[stamp] = info
            self._infos.move_to_end(stamp)
            if stamp == self._sought_ns:
                self._exact = True
            while len(self._infos) > KEPT:
                self._infos.popitem(last=False)

    def clear(self) -> None:
        """Forget all messages and what was learnt about their stamps."""
        with self._lock:
            self._infos.clear()
            self._exact, self._newest_ns, self._sought_ns = True, 0, None

    def awaited(self, image: Header, expected: Callable[[], bool] = lambda: True) -> bool:
        """Whether an image's own CameraInfo is not there and likely to come.

        Args:
            image: the image's header.
            expected: tells whether anybody publishes; if not, there is nothing to wait for.
        """
        with self._lock:
            missing = self._exact and stamp_ns(image) not in self._infos
            return missing and (bool(self._infos) or expected())

    def find(self, image: Header) -> CameraInfo | None:
        """The CameraInfo of an image, the newest one if there is none with its stamp, or None."""
        with self._lock:
            self._sought_ns = stamp = stamp_ns(image)
            self._exact = stamp in self._infos
            if self._exact:
                return self._infos[stamp]
            return self._infos[next(reversed(self._infos))] if self._infos else None
