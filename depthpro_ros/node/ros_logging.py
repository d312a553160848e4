# SPDX-License-Identifier: Apache-2.0
"""The package's own log, and errors that come again and again, in the node's log."""

from __future__ import annotations

import logging
import time

from rclpy.impl.rcutils_logger import RcutilsLogger


class RosHandler(logging.Handler):
    """Passes what the rest of the package logs with `logging` on to a ROS logger."""

    def __init__(self, logger: RcutilsLogger) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record at its own severity."""
        # one call per line of code: rclpy ties a severity to the place of the call
        text = record.getMessage()
        if record.levelno >= logging.ERROR:
            self._logger.error(text)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(text)
        elif record.levelno >= logging.INFO:
            self._logger.info(text)
        else:
            self._logger.debug(text)


class Throttle:
    """Says when a text may be logged again. Another text is let through at once.

    Args:
        period_s: time between two of the same text.
    """

    def __init__(self, period_s: float = 5.0) -> None:
        self._period_s = period_s
        self._last: dict[str, float] = {}

    def __call__(self, text: str) -> bool:
        """Whether to log this now."""
        now = time.monotonic()
        if now - self._last.get(text, -self._period_s) < self._period_s:
            return False
        if len(self._last) > 100:  # texts with numbers in them; the memory must not grow
            self._last.clear()
        self._last[text] = now
        return True
