# SPDX-License-Identifier: Apache-2.0
"""How long the other Python threads of a process stand still while one of them does something."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

TICK_S = 1e-4
BEFORE_S = 0.002
"""Long enough that the other thread waits for its next tick when the first begins."""


class Ticks:
    """A thread that wants to run every `TICK_S`, and notes when it does."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def longest_gap(self, began: float, ended: float) -> float:
        """Longest time without a tick in this time, seconds; `perf_counter` in and out."""
        inside = [t for t in self._times if began < t < ended]
        edges = [began, *inside, ended]
        return max(b - a for a, b in itertools.pairwise(edges))

    def _run(self) -> None:
        while not self._stop.wait(TICK_S):
            self._times.append(time.perf_counter())

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Ticks]:
        """Ticks that end with the context."""
        ticks = cls()
        ticks._thread.start()
        try:
            yield ticks
        finally:
            ticks._stop.set()
            ticks._thread.join()
