# SPDX-License-Identifier: Apache-2.0
"""Real-time replay: a bag's images at their recorded times into a depth node, which drops what it has no time for.

Four threads, so that measuring does not change what is measured: one reads and serialises ahead, one sends at the due
time, one receives, and the caller's thread works on the frames that are done. The time of an answer is the
middleware's, not that of our getting to it.
"""

from __future__ import annotations

import dataclasses
import math
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from depthpro_ros.errors import InputError
from depthpro_ros.node.bag_images import BagImages, BagMessage
from depthpro_ros.node.read_ahead import ReadAhead
from depthpro_ros.node.replay_base import ReplayBase
from depthpro_ros.node.replayed_frame import Answer, ReplayedFrame, ReplayStats

LONGEST_PAUSE_S = 60.0
"""A longer pause in the bag, or a clock that was set, is shortened to this."""
READ_AHEAD_BYTES = 64_000_000
BACKLOG_BYTES = 256_000_000
"""Answers that wait for a callback that is too slow; beyond this, their content is let go."""
_FILL_S = 10.0
_IDLE_REPORTS = 2


@dataclass
class _Sent:
    """An image that is under way.

    Attributes:
        whole_s: monotonic time at which its required outputs were there; None before.
    """

    image: BagMessage
    sent_ns: int
    late_s: float
    answers: dict[str, Answer] = field(default_factory=dict)
    whole_s: float | None = None


class RealTimeReplay(ReplayBase):
    """Replays bags into a depth node that runs in another process, at the pace of the recording.

    An image counts as dropped once a later one has been answered; at the end, once the node says that it has nothing
    more to do, or nothing has come for `timeout_s`.

    Args:
        rate: 2 is twice as fast as recorded.
        others: of `ReplayBase`.

    Raises:
        InputError: the rate is not positive.
    """

    def __init__(self, *, rate: float = 1.0, **others: Any) -> None:
        if not 0 < rate < math.inf:
            raise InputError(f"rate is {rate:g}, expected more than 0, such as 1 for the pace of the recording")
        super().__init__(**others)
        self._rate = rate
        self._lock = threading.Lock()
        self._under_way: deque[_Sent] = deque()
        self._stop, self._all_sent = threading.Event(), threading.Event()
        self._done: queue.SimpleQueue[ReplayedFrame | BaseException | None] = queue.SimpleQueue()
        self._backlog_bytes = 0

    def run(self, images: BagImages, on_frame: Callable[[ReplayedFrame], None]) -> ReplayStats:
        """Replay a bag, once.

        Args:
            images: of the bag.
            on_frame: called in this thread with each frame, answered or dropped, in the order of sending. Where it is
                too slow for long, answers come without content.

        Raises:
            ReplayError: no node listens; says what the node said.
        """
        sent, latencies = 0, []
        with self._publishing(images) as publishers:
            started = time.monotonic()
            with ReadAhead(images.timeline(), lambda message: len(message.data), READ_AHEAD_BYTES) as messages:
                messages.wait(_FILL_S)
                threads = [
                    threading.Thread(target=self._guarded, args=(self._send, messages, *publishers), daemon=True),
                    threading.Thread(target=self._guarded, args=(self._receive,), daemon=True),
                ]
                for thread in threads:
                    thread.start()
                try:
                    while (done := self._done.get()) is not None:
                        if isinstance(done, BaseException):
                            raise done
                        sent += 1
                        if done.answered:
                            latencies.append(done.latency_s)
                        self._count_backlog(-_size(done))
                        on_frame(done)
                finally:
                    self._stop.set()
                    for thread in threads:
                        thread.join()
        return ReplayStats(sent, len(latencies), tuple(latencies), time.monotonic() - started)

    def _guarded(self, work: Callable[..., None], *arguments: Any) -> None:
        """Errors of a thread are raised in the caller's, after the frames that were done before."""
        try:
            work(*arguments)
        except BaseException as error:
            self._done.put(error)

    def _send(self, messages: Iterable[BagMessage], images: Any, infos: Any) -> None:
        due_s, last_ns = time.monotonic(), None
        for message in messages:
            if last_ns is not None:
                due_s += min(max(message.time_ns - last_ns, 0) / 1e9 / self._rate, LONGEST_PAUSE_S)
            last_ns = message.time_ns
            if self._stop.wait(max(due_s - time.monotonic(), 0)):
                return
            if not message.is_image:
                infos.publish(message.data)
                continue
            late_s = max(time.monotonic() - due_s, 0.0)
            sent = _Sent(dataclasses.replace(message, data=b""), time.time_ns(), late_s)
            with self._lock:
                self._under_way.append(sent)
            images.publish(message.data)
        self._all_sent.set()

    def _receive(self) -> None:
        news_s = time.monotonic()
        ending = False
        while not self._stop.is_set():
            self._spinner.spin_once(0.05)
            if self._hand_over():
                news_s = time.monotonic()
            if self._all_sent.is_set():
                if not ending:
                    ending, news_s, self.words.idle_reports = True, time.monotonic(), 0
                idle = self.words.idle_reports >= _IDLE_REPORTS
                if not self._under_way or idle or time.monotonic() - news_s > self._timeout_s:
                    self._hand_over(everything=True)
                    self._done.put(None)
                    return

    def _on_answer(self, answer: Answer) -> None:
        with self._lock:
            for sent in self._under_way:
                if sent.image.stamp_ns == answer.stamp_ns and answer.name not in sent.answers:
                    sent.answers[answer.name] = answer
                    self._compare_frames(answer, sent.image.frame_id)
                    if sent.whole_s is None and all(name in sent.answers for name in self._required):
                        sent.whole_s = time.monotonic()
                    return

    def _hand_over(self, everything: bool = False) -> bool:
        """Give frames that are settled to the caller: answered ones, and all that were sent before them."""
        now = time.monotonic()
        with self._lock:
            settled = [n + 1 for n, sent in enumerate(self._under_way) if self._complete(sent, now)]
            count = len(self._under_way) if everything else max(settled, default=0)
            frames = [self._under_way.popleft() for _ in range(count)]
        for sent in frames:
            self._done.put(self._frame(sent))
        return bool(frames)

    def _complete(self, sent: _Sent, now: float) -> bool:
        if sent.whole_s is None:
            return False
        return now - sent.whole_s >= self._patience_s() or all(name in sent.answers for name in self._optional)

    def _frame(self, sent: _Sent) -> ReplayedFrame:
        answers = sent.answers if sent.whole_s is not None else {}
        if answers:
            self._note_optional(answers)
        frame = ReplayedFrame(
            stamp_ns=sent.image.stamp_ns,
            frame_id=sent.image.frame_id,
            sent_ns=sent.sent_ns,
            answers=answers,
            latency_s=self._latency_s(sent.sent_ns, answers) if answers else math.nan,
            late_s=sent.late_s,
        )
        size = _size(frame)
        if self._backlog_bytes + size > BACKLOG_BYTES:
            kept = {name: dataclasses.replace(answer, data=b"") for name, answer in answers.items()}
            return dataclasses.replace(frame, answers=kept)
        self._count_backlog(size)
        return frame

    def _count_backlog(self, size: int) -> None:
        with self._lock:
            self._backlog_bytes += size


def _size(frame: ReplayedFrame) -> int:
    return sum(len(answer.data) for answer in frame.answers.values())
