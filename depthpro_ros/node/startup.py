# SPDX-License-Identifier: Apache-2.0
"""How long it took from the start of the process to the first depth, and where that time went."""

from __future__ import annotations

import os
import threading
import time
from itertools import pairwise

IMPORTED_S = time.monotonic()
SHORT_S = 0.05
"""Waiting for a lifecycle manager is not spoken of where it took less."""


def process_started_s() -> float:
    """When this process was started, on the monotonic clock; where the system does not tell, when this was imported."""
    try:
        with open("/proc/self/stat", encoding="ascii", errors="replace") as stat:
            # the name, in brackets, may hold anything; the start is the 22nd field, the one after the name the third
            ticks = int(stat.read().rpartition(")")[2].split()[22 - 3])
        age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return IMPORTED_S
    return min(time.monotonic() - age_s, IMPORTED_S)


class Startup:
    """The stages of a start. Each ends once; from then on nothing is noted."""

    def __init__(self, started_s: float | None = None) -> None:
        self._lock = threading.Lock()
        self._ends: dict[str, float] = {"": process_started_s() if started_s is None else started_s}

    def ended(self, stage: str, time_s: float | None = None) -> bool:
        """Note the end of a stage, which began when the one noted before ended; false if that is known already.

        Args:
            stage: its name.
            time_s: monotonic; now if it is not given.
        """
        with self._lock:
            if stage in self._ends:
                return False
            self._ends[stage] = time.monotonic() if time_s is None else time_s
            return True

    def text(self) -> str:
        """For users, once all is noted."""
        with self._lock:
            names, ends = list(self._ends), list(self._ends.values())
        parts = [
            f"{name} {took:.1f} s"
            for name, took in zip(names[1:], (b - a for a, b in pairwise(ends)), strict=True)
            if took >= SHORT_S or not name.startswith("waiting to be")
        ]
        return f"first depth {ends[-1] - ends[0]:.1f} s after the process started: {', '.join(parts)}"
