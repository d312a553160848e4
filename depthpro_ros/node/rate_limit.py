# SPDX-License-Identifier: Apache-2.0
"""So many a second, and no more."""

from __future__ import annotations

EARLY = 0.25
"""Share of a period that something may come too early: else jitter would cost a camera of the very rate some images."""


class RateLimit:
    """Says what may pass, by the time at which it comes. It does not make up for a pause."""

    def __init__(self) -> None:
        self._last_s: float | None = None

    def due(self, time_s: float, rate_hz: float) -> bool:
        """Whether what comes now may pass, which the next then follows after a period.

        Args:
            time_s: monotonic.
            rate_hz: how many may pass a second, on average; 0 is no limit.
        """
        if not rate_hz:
            return True
        period = 1 / rate_hz
        late = period if self._last_s is None else time_s - self._last_s - period
        if late < -EARLY * period:
            return False
        self._last_s = time_s if late >= period else time_s - late
        return True
