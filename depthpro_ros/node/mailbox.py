# SPDX-License-Identifier: Apache-2.0
"""Hand-over from several senders to one taker, in which each sender's newest item wins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailboxes(Generic[Item]):
    """A slot for each sender. A new item replaces one that was not taken, so a slow taker never falls behind.

    Args:
        senders: how many; they are called by their number, from 0.
        ready_in: given a sender and its item, after how many seconds that may be taken; 0 or less is now. It is asked
            again when something is put and when `look_again` is called, with the slots locked.
    """

    def __init__(self, senders: int, ready_in: Callable[[int, Item], float] = lambda sender, item: 0.0) -> None:
        self._ready_in = ready_in
        self._changed = threading.Condition()
        self._newest: list[Item | None] = [None] * senders
        # what was not ready when it was looked at: newer items must not replace it again and again
        self._held: list[Item | None] = [None] * senders
        self._last_turn = [0] * senders
        self._turn = 0
        self._closed = False

    def put(self, sender: int, item: Item) -> bool:
        """Leave an item; true if one was lost for it: that which was not taken, or once closed this one."""
        with self._changed:
            if self._closed:
                return True
            replaced = self._newest[sender] is not None
            self._newest[sender] = item
            self._changed.notify()
            return replaced

    def take(self, most: int = 0) -> list[tuple[int, Item]]:
        """Wait until an item is ready, and take every sender's that is.

        Args:
            most: if there are more than this, those whose senders were served the longest ago; 0 is no limit.

        Returns:
            Senders, in the order of their numbers, and items; nothing once the mailboxes are closed.
        """
        with self._changed:
            while not self._closed:
                ready, wait_s = self._look()
                if ready:
                    ready.sort(key=lambda sender: self._last_turn[sender])
                    self._turn += 1
                    return [(sender, self._take_from(sender)) for sender in sorted(ready[: most or None])]
                self._changed.wait(wait_s)
            return []

    def look_again(self) -> None:
        """Something happened on which it depends whether an item is ready."""
        with self._changed:
            self._changed.notify()

    def close(self) -> list[int]:
        """Drop what is in the slots and let the taker go; how many items of each sender were dropped."""
        with self._changed:
            self._closed = True
            pairs = zip(self._newest, self._held, strict=True)
            dropped = [sum(item is not None for item in pair) for pair in pairs]
            self._newest, self._held = [None] * len(dropped), [None] * len(dropped)
            self._changed.notify_all()
            return dropped

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def _look(self) -> tuple[list[int], float | None]:
        """Senders whose item is ready, and in how many seconds the next one is; None where that is unknown."""
        ready: list[int] = []
        waits: list[float] = []
        for sender in range(len(self._newest)):
            held = self._held[sender]
            item = self._newest[sender] if held is None else held
            if item is None:
                continue
            wait_s = self._ready_in(sender, item)
            if wait_s <= 0:
                ready.append(sender)
                continue
            waits.append(wait_s)
            if held is None:
                self._held[sender], self._newest[sender] = item, None
        return ready, min(waits, default=None)

    def _take_from(self, sender: int) -> Item:
        self._last_turn[sender] = self._turn
        slots = self._newest if self._held[sender] is None else self._held
        item, slots[sender] = slots[sender], None
        assert item is not None
        return item
