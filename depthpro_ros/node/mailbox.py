# SPDX-License-Identifier: Apache-2.0
"""Hand-over between two threads in which the newest item wins."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """One slot. A new item replaces one that nobody has taken, so a slow taker never falls behind."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: Item | None = None
        self._closed = False

    def put(self, item: Item) -> bool:
        """Leave an item; true if it replaced one that was not taken. A closed mailbox takes nothing."""
        with self._changed:
            if self._closed:
                return False
            replaced = self._item is not None
            self._item = item
            self._changed.notify()
            return replaced

    def take(self, timeout_s: float | None = None) -> Item | None:
        """Wait for an item; None once the mailbox is closed, or after the timeout."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._item is not None, timeout_s)
            item, self._item = self._item, None
            return item

    def close(self) -> None:
        """Drop what is in the slot and let the taker go."""
        with self._changed:
            self._closed, self._item = True, None
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed
