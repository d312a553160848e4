# SPDX-License-Identifier: Apache-2.0
"""An iterator that is worked off ahead of time by another thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class ReadAhead(Generic[Item]):
    """Holds what comes next, up to a number of bytes; use it in a `with` statement, in one thread.

    Args:
        items: worked off in a thread of ours.
        size: of an item, bytes.
        most_bytes: what may be held; one item may always be.
    """

    def __init__(self, items: Iterable[Item], size: Callable[[Item], int], most_bytes: int) -> None:
        self._items, self._size, self._most_bytes = items, size, most_bytes
        self._changed = threading.Condition()
        self._held: deque[Item] = deque()
        self._bytes = 0
        self._ended = self._closed = self._filled = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="read_ahead", daemon=True)

    def wait(self, timeout_s: float) -> None:
        """Wait until no more fits, there is no more, or so long."""
        with self._changed:
            self._changed.wait_for(lambda: self._filled or self._ended, timeout_s)

    def __iter__(self) -> Iterator[Item]:
        """The items; raises what working them off raised, when it is its turn."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._held or self._ended or self._closed)
                if self._held and not self._closed:
                    item = self._held.popleft()
                    self._bytes -= self._size(item)
                    self._changed.notify_all()
                elif self._error is not None:
                    raise self._error
                else:
                    return
            yield item

    def __enter__(self) -> ReadAhead[Item]:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._closed = True
            self._held.clear()
            self._changed.notify_all()
        self._thread.join()

    def _fits(self, size: int) -> bool:
        return not self._held or self._bytes + size <= self._most_bytes

    def _work(self) -> None:
        try:
            for item in self._items:
                size = self._size(item)
                with self._changed:
                    while not self._fits(size) and not self._closed:
                        self._filled = True
                        self._changed.notify_all()
                        self._changed.wait()
                    if self._closed:
                        return
                    self._held.append(item)
                    self._bytes += size
                    self._changed.notify_all()
        except BaseException as error:  # raised again where the items are taken
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()
