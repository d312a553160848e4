# SPDX-License-Identifier: Apache-2.0
"""Notices a frame that takes longer than it may, and where it hangs."""

from __future__ import annotations

import itertools
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

Frame = TypeVar("Frame")
LOOK_S = 0.1
"""Time between two looks."""
FIRST = 3
"""So many frames have to go through before it is known how long they take."""
FIRST_S, FIRST_ON_GPU_S = 1200.0, 600.0
"""What the frames before may take, for each image: Apple's network needs two minutes of an idle laptop's CPU."""
LEAST_S, LEAST_ON_GPU_S = 120.0, 30.0
"""Later frames may take as long as this at least, for each image."""
TIMES_LONGER = 10.0
"""And so many times as long as the longest of the last `KEPT`."""
KEPT = 100
PLACES = 4
"""The innermost calls that a short text names."""


def automatic_limit_s(took_s: Sequence[float], images: int, *, on_gpu: bool) -> float:
    """How long a piece of work may take, where the user does not say.

    Args:
        took_s: what the last ones took.
        images: how many there are in it.
        on_gpu: where the network computes.
    """
    if len(took_s) < FIRST:
        return images * (FIRST_ON_GPU_S if on_gpu else FIRST_S)
    return images * max(LEAST_ON_GPU_S if on_gpu else LEAST_S, TIMES_LONGER * max(took_s))


@dataclass(frozen=True)
class Work(Generic[Frame]):
    """What a thread is at.

    Attributes:
        number: tells this piece of work from the others of its thread.
        thread: its identifier.
        stage: in words.
        frames: that it is about.
        waits: whether it waits for another thread that is watched.
        begun_s: monotonic.
    """

    number: int
    thread: int
    stage: str
    frames: tuple[Frame, ...]
    begun_s: float
    waits: bool = False


class Activity(Generic[Frame]):
    """What one thread is at, told by that thread and read by the watchdog."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._work: Work[Frame] | None = None
        self.took_s: deque[float] = deque(maxlen=KEPT)

    @property
    def work(self) -> Work[Frame] | None:
        """What it is at; None while there is nothing to do."""
        return self._work

    @contextmanager
    def on(self, frames: Sequence[Frame], stage: str) -> Iterator[None]:
        """A piece of work on these frames.

        Args:
            frames: what it is about.
            stage: where it begins.
        """
        self._work = Work(next(self._numbers), threading.get_ident(), stage, tuple(frames), time.monotonic())
        try:
            yield
        finally:
            self._work = None

    def went_well(self) -> None:
        """The work is through: how long it took says how long later work may take."""
        if self._work is not None:
            self.took_s.append(time.monotonic() - self._work.begun_s)

    def at(self, stage: str, *, waits: bool = False) -> None:
        """Go on with another stage of the same work."""
        if self._work is not None:
            self._work = replace(self._work, stage=stage, waits=waits)


@dataclass(frozen=True)
class Hang:
    """A frame that takes longer than it may.

    Attributes:
        text: for users: which frame, how long, and in which stage.
        place: the innermost calls of the thread, the last one last.
        stack: the thread's Python stack, as a traceback prints it.
    """

    text: str
    place: str
    stack: str


class Watchdog(Generic[Frame]):
    """Looks at what threads are at, on a thread of its own, and tells what takes too long.

    Time in which this process does not run at all (it is stopped, or the machine sleeps) is not counted. Native code
    that holds Python's lock keeps the watchdog from looking, like everything else in the process.

    Args:
        activities: the threads'.
        limit_s: gives how long a piece of work may take, seconds; 0 is by `automatic_limit_s`.
        on_gpu: where the network computes.
        name: a frame in words.
        on_hang: called once with what hangs, and the frames.
        on_gone_on: called with the same when that is over.
    """

    def __init__(
        self,
        activities: Sequence[Activity[Frame]],
        *,
        limit_s: Callable[[], float],
        on_gpu: bool,
        name: Callable[[Frame], str],
        on_hang: Callable[[Hang, Sequence[Frame]], None],
        on_gone_on: Callable[[Hang, Sequence[Frame]], None],
    ) -> None:
        self._limit_s, self._on_gpu, self._name = limit_s, on_gpu, name
        self._on_hang, self._on_gone_on = on_hang, on_gone_on
        self._watched = [_Watched(activity) for activity in activities]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for it."""
        self._ended.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        last = time.monotonic()
        while not self._ended.wait(LOOK_S):
            now = time.monotonic()
            for watched in self._watched:
                self._look(watched, min(now - last, 2 * LOOK_S))
            last = now
        for watched in self._watched:
            if watched.hang is not None:
                self._on_gone_on(watched.hang, watched.frames)

    def _look(self, watched: _Watched[Frame], passed_s: float) -> None:
        work = watched.activity.work
        if work is None or work.number != watched.number:
            if watched.hang is not None:
                self._on_gone_on(watched.hang, watched.frames)
            watched.number, watched.seen_s, watched.hang = 0 if work is None else work.number, 0.0, None
            return
        if work.waits:
            return
        watched.seen_s += passed_s
        limit_s = self._limit_s() or automatic_limit_s(watched.activity.took_s, len(work.frames), on_gpu=self._on_gpu)
        if watched.hang is None and watched.seen_s > limit_s:
            frames = " and ".join(self._name(frame) for frame in work.frames)
            text = f"{frames} hangs in stage {work.stage!r}: more than {limit_s:.4g} s (frame_limit_s)"
            watched.frames, watched.hang = work.frames, _hang(text, work.thread)
            self._on_hang(watched.hang, work.frames)


class _Watched(Generic[Frame]):
    """What the watchdog knows of one thread."""

    def __init__(self, activity: Activity[Frame]) -> None:
        self.activity = activity
        self.number = 0
        self.seen_s = 0.0
        self.hang: Hang | None = None
        self.frames: tuple[Frame, ...] = ()


def _hang(text: str, thread: int) -> Hang:
    frame = sys._current_frames().get(thread)
    if frame is None:
        return Hang(text, "the thread has ended", "")
    stack = traceback.extract_stack(frame)
    place = " > ".join(f"{entry.filename.rsplit('/', 1)[-1]}:{entry.lineno} {entry.name}" for entry in stack[-PLACES:])
    return Hang(text, place, "".join(traceback.format_list(stack)))
