# SPDX-License-Identifier: Apache-2.0
"""SIGINT and SIGTERM as a wish to stop after the step that is being computed."""

from __future__ import annotations

import signal
from typing import Any


class StopOnSignals:
    """Notes the signals while it is entered; outside of the main thread it notes none, whoever owns that handles them.

    Attributes:
        came: whether one did.
    """

    def __init__(self) -> None:
        self.came = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopOnSignals:
        try:
            self._before = {n: signal.signal(n, self._stop) for n in (signal.SIGINT, signal.SIGTERM)}
        except ValueError:  # not the main thread
            self._before = {}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _stop(self, number: int, frame: object) -> None:
        self.came = True
