# SPDX-License-Identifier: Apache-2.0
"""The thread that publishes frames while the next are computed."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Frame = TypeVar("Frame")
PATIENCE_S = 1.0
"""How long the frame in publication may delay `stop`."""


class PublishingThread(Generic[Frame]):
    """Publishes what it is handed, in that order, on a thread of its own.

    It holds the frames of one cycle of the worker at most: `put` of a later cycle's waits until they are out. So the
    messages of the cycle before the last are free again.

    Args:
        publish: called with each frame; must not raise.
        give_up: called with each that was handed over and comes too late, after `stop`; must not raise.
    """

    def __init__(self, publish: Callable[[Frame], None], give_up: Callable[[Frame], None] = lambda frame: None) -> None:
        self._publish, self._give_up = publish, give_up
        self._changed = threading.Condition()
        # the cycle of each frame, and the frame; the first is in publication
        self._frames: deque[tuple[int, Frame]] = deque()
        self._stopped = False
        self._in_publication = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="publish", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def put(self, cycle: int, frame: Frame) -> bool:
        """Hand over a frame once all frames of earlier cycles are out; false if it is too late for any."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or not self._frames or self._frames[0][0] >= cycle)
            if self._stopped:
                return False
            self._frames.append((cycle, frame))
            self._changed.notify_all()
            return True

    def stop(self) -> None:
        """Publish nothing from now on; a frame in publication is out when this returns."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        # not for ever: a GPU that hangs must not keep the node from ending
        if self._in_publication.acquire(timeout=PATIENCE_S):
            self._in_publication.release()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the thread's end, after `stop`; false if it did not come in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._frames)
            with self._in_publication:
                if self._stopped:
                    break
                self._publish(self._frames[0][1])
            with self._changed:
                self._frames.popleft()
                self._changed.notify_all()
        # nothing is added any more
        for _, frame in self._frames:
            self._give_up(frame)
