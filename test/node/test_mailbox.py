# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time

from depthpro_ros.node.mailbox import Mailboxes


def taken(boxes: Mailboxes[int], most: int = 0) -> list[tuple[int, int]]:
    """What is taken at once; nothing if there is nothing."""
    timer = threading.Timer(0.05, boxes.close)
    timer.start()
    items = boxes.take(most)
    timer.cancel()
    return items


def test_the_newest_item_of_each_sender_wins() -> None:
    boxes: Mailboxes[int] = Mailboxes(2)
    assert [boxes.put(0, i) for i in (1, 2, 3)] == [False, True, True]
    assert not boxes.put(1, 9), "another sender's item was replaced"
    assert sorted(boxes.take()) == [(0, 3), (1, 9)]
    assert taken(boxes) == []


def test_take_waits_for_an_item() -> None:
    boxes: Mailboxes[int] = Mailboxes(1)
    threading.Timer(0.05, boxes.put, [0, 7]).start()
    assert boxes.take() == [(0, 7)]


def test_closing_lets_the_taker_go_and_drops_the_items() -> None:
    boxes: Mailboxes[int] = Mailboxes(1)
    threading.Timer(0.05, boxes.close).start()
    assert boxes.take() == []
    assert boxes.put(0, 1), "an item that comes too late is lost"
    assert boxes.take() == [] and boxes.closed


def test_closing_tells_how_many_items_are_dropped() -> None:
    ready = {0: 0.0, 1: 60.0, 2: 0.0}
    boxes: Mailboxes[int] = Mailboxes(3, lambda sender, item: ready[sender])
    boxes.put(1, 1)
    boxes.put(2, 1)
    assert boxes.take() == [(2, 1)]
    boxes.put(1, 2)  # beside one that is held
    assert boxes.close() == [0, 2, 0]
    assert boxes.close() == [0, 0, 0]


def test_a_fast_sender_does_not_keep_the_others_from_their_turn() -> None:
    boxes: Mailboxes[int] = Mailboxes(3)
    served = []
    for turn in range(6):
        boxes.put(0, turn)
        if turn in (0, 3):
            boxes.put(1, turn)
            boxes.put(2, turn)
        served += boxes.take(most=1)
    # with three that wait, every third turn is each one's; a sender that has sent nothing is passed over
    assert [sender for sender, _ in served] == [0, 1, 2, 0, 1, 2]
    assert served[3] == (0, 3), "an old item was kept"


def test_those_served_the_longest_ago_come_first() -> None:
    boxes: Mailboxes[int] = Mailboxes(3)
    boxes.put(1, 0)
    assert boxes.take() == [(1, 0)]
    for sender in range(3):
        boxes.put(sender, 1)
    assert boxes.take(most=2) == [(0, 1), (2, 1)]
    assert boxes.take(most=2) == [(1, 1)]


def test_an_item_that_is_not_ready_waits_and_holds_nobody_up() -> None:
    ready_at = {0: time.monotonic() + 0.2, 1: 0.0}
    boxes: Mailboxes[int] = Mailboxes(2, lambda sender, item: ready_at[sender] - time.monotonic())
    boxes.put(0, 5)
    boxes.put(1, 6)
    assert boxes.take() == [(1, 6)]
    assert boxes.take() == [(0, 5)]
    assert time.monotonic() >= ready_at[0]


def test_newer_items_do_not_replace_one_that_waits_to_be_ready() -> None:
    looked, ready = threading.Event(), threading.Event()

    def ready_in(sender: int, item: int) -> float:
        looked.set()
        return 0.0 if ready.is_set() else 60.0

    boxes: Mailboxes[int] = Mailboxes(1, ready_in)
    taken: list[list[tuple[int, int]]] = []
    thread = threading.Thread(target=lambda: taken.append(boxes.take()))
    thread.start()
    boxes.put(0, 1)
    assert looked.wait(10)
    assert [boxes.put(0, 2), boxes.put(0, 3)] == [False, True]
    ready.set()
    boxes.look_again()
    thread.join(10)
    assert taken == [[(0, 1)]]
    assert boxes.take() == [(0, 3)]
