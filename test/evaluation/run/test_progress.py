# SPDX-License-Identifier: Apache-2.0
"""Progress: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import io

from depthpro_ros.evaluation.run import progress
from depthpro_ros.evaluation.run.progress import Progress


class Clock:
    def __init__(self, monkeypatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: self.now)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_elsewhere_there_is_a_line_every_ten_seconds(monkeypatch):
    clock, stream = Clock(monkeypatch), io.StringIO()
    with Progress(100, stream=stream) as shown:
        for _ in range(50):
            clock.now += 0.5
            shown.step()
    assert stream.getvalue() == "20 of 100 frames, 2.00/s, 0:40 left\n40 of 100 frames, 2.00/s, 0:30 left\n"


def test_on_a_terminal_there_is_a_bar_that_ends_its_line(monkeypatch):
    clock, stream = Clock(monkeypatch), Terminal()
    with Progress(2, stream=stream) as shown:
        for _ in range(2):
            clock.now += 1.0
            shown.step()
    assert stream.getvalue().count("\r[") >= 2 and stream.getvalue().endswith("\n")
    assert "2 of 2 frames, 1.00/s, 0:00 left" in stream.getvalue()


def test_frames_of_an_earlier_run_do_not_count_for_the_speed(monkeypatch):
    clock, stream = Clock(monkeypatch), io.StringIO()
    with Progress(100, done=90, stream=stream) as shown:
        clock.now += 10
        shown.step()
    assert stream.getvalue() == "91 of 100 frames, 0.10/s, 1:30 left\n"
