# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading

from depthpro_ros.node.mailbox import Mailbox


def test_the_newest_item_wins() -> None:
    box: Mailbox[int] = Mailbox()
    assert [box.put(i) for i in (1, 2, 3)] == [False, True, True]
    assert box.take() == 3
    assert box.take(timeout_s=0.01) is None


def test_take_waits_for_an_item() -> None:
    box: Mailbox[int] = Mailbox()
    taken: list[int | None] = []
    thread = threading.Thread(target=lambda: taken.append(box.take()))
    thread.start()
    box.put(7)
    thread.join(10)
    assert taken == [7]


def test_closing_lets_the_taker_go_and_drops_the_item() -> None:
    box: Mailbox[int] = Mailbox()
    taken: list[int | None] = []
    thread = threading.Thread(target=lambda: taken.append(box.take()))
    thread.start()
    box.close()
    thread.join(10)
    assert taken == [None]
    assert not box.put(1)
    assert box.take() is None and box.closed
