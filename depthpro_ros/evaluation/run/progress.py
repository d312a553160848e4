# SPDX-License-Identifier: Apache-2.0
"""Progress on standard error: a bar on a terminal, else a line every ten seconds."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TextIO

EVERY_S = 10.0
BAR_EVERY_S = 0.2
BAR_WIDTH = 30


class Progress:
    """Counts frames.

    Args:
        total: how many there are.
        done: how many were done by an earlier run.
        stream: where to write.
    """

    def __init__(self, total: int, done: int = 0, stream: TextIO | None = None) -> None:
        self._total, self._first, self._done = total, done, done
        self._stream = sys.stderr if stream is None else stream
        self._bar = self._stream.isatty()
        self._started = self._shown = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar and self._done > self._first:
            self._show()
            self._stream.write("\n")

    def step(self) -> None:
        """One more frame is done."""
        self._done += 1
        if time.monotonic() - self._shown >= (BAR_EVERY_S if self._bar else EVERY_S):
            self._show()

    def _show(self) -> None:
        self._shown = time.monotonic()
        share = self._done / max(self._total, 1)
        speed = (self._done - self._first) / max(self._shown - self._started, 1e-9)
        left = (self._total - self._done) / speed if speed > 0 else float("inf")
        text = f"{self._done} of {self._total} frames, {speed:.2f}/s, {_duration(left)} left"
        if self._bar:
            filled = round(BAR_WIDTH * share)
            self._stream.write(f"\r[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {text}\x1b[K")
        else:
            self._stream.write(text + "\n")
        self._stream.flush()


def _duration(seconds: float) -> str:
    if seconds == float("inf"):
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
