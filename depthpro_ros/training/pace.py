# SPDX-License-Identifier: Apache-2.0
"""How a stage gets on, from step to step."""

from __future__ import annotations

import math
import time

LOG_EVERY = 20
"""Steps between two entries of the curve."""
LONGEST_STEP_S = 60.0
"""A paused process (SIGSTOP) must not count its sleep as training time."""


class Pace:
    """Times steps, from its own making on.

    Attributes:
        loss: its running mean; NaN before the first step.
    """

    def __init__(self) -> None:
        self._last_s = time.monotonic()
        self.loss = float("nan")

    def step(self, loss: float) -> float:
        """Note the loss of a step that has just ended; how long it took, seconds."""
        now_s = time.monotonic()
        took_s, self._last_s = min(now_s - self._last_s, LONGEST_STEP_S), now_s
        self.loss = 0.95 * self.loss + 0.05 * loss if math.isfinite(self.loss) else loss
        return took_s
