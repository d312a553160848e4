# SPDX-License-Identifier: Apache-2.0
"""How the node's process is told to end, and how it keeps its time when it does."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

ANSWERED_S = 0.5
"""How long the process lives on after the lifecycle's transition to its last state: for the answer to whoever asked
for that, and to a manager that asks for the state thereupon."""
STOP_S = 1.0
"""How long a frame in progress may delay the end of the process."""
END_S = 1.8
"""How long the end may take at most, from when the process was told; two seconds are promised."""


class DeviceLost(RuntimeError):
    """The GPU does not answer any more; only a new process helps."""

    status = 1


class Hung(RuntimeError):
    """A frame takes longer than it may, and its thread cannot be ended; only a new process helps."""

    status = 3


class EndSignals:
    """SIGINT and SIGTERM, each of which asks for the end.

    Until `leave_to_rclpy` the first one interrupts Python, as Ctrl-C does. From then on they only end rclpy's contexts,
    which whoever waits for something looks at: an exception that comes from nowhere could leave locks behind.

    To be made on the main thread before `rclpy.init`, whose own handlers call these.

    Attributes:
        came: whether there was one.
    """

    def __init__(self) -> None:
        self.came = False
        self._interrupts = True
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle)

    def leave_to_rclpy(self) -> None:
        """Interrupt nothing from now on. A signal that comes before `rclpy.init` is seen in `came` alone."""
        self._interrupts = False

    def _handle(self, number: int, frame: FrameType | None) -> None:
        # `ros2 launch` and the terminal may both send SIGINT
        first, self.came = not self.came, True
        if first and self._interrupts:
            raise KeyboardInterrupt


def limit_the_end(status: int, spent_s: float = 0.0) -> None:
    """End the process with this status `END_S` after it was told, whatever else it does until then.

    Args:
        status: of the process.
        spent_s: how long ago it was told.
    """
    timer = threading.Timer(END_S - spent_s, leave, [status, "giving up an orderly end, which takes too long"])
    timer.daemon = True
    timer.start()


def leave(status: int, reason: str = "") -> NoReturn:
    """End the process at once.

    The interpreter's own end would take another half a second for torch's objects, and crash where a thread still
    computes.

    Args:
        status: of the process.
        reason: for users, where the end is not as it should be.
    """
    with contextlib.suppress(OSError, ValueError):  # nobody reads, or the disk is full
        if reason:
            print(f"depth_node: {reason}", file=sys.stderr)
        sys.stderr.flush()
        sys.stdout.flush()
    os._exit(status)
