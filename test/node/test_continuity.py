# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from std_msgs.msg import Header

from depthpro_ros.node.accounting import Statistics
from depthpro_ros.node.continuity import Continuity
from depthpro_ros.node.focal_watch import FocalWatch
from depthpro_ros.node.sources import SourceWatch


def header(second: float, frame_id: str = "cam") -> Header:
    result = Header(frame_id=frame_id)
    result.stamp.sec, result.stamp.nanosec = int(second), int(second % 1 * 1e9)
    return result


class Watched:
    def __init__(self) -> None:
        self.statistics = Statistics()
        self.warned: list[str] = []
        self.informed: list[str] = []
        self.continuity = Continuity(self.statistics, warn=self.warned.append, inform=self.informed.append)


@pytest.mark.parametrize(
    ("second", "frame_id", "size", "what"),
    [
        (10.5, "cam", (4, 6), ""),
        (9.5, "cam", (4, 6), ""),  # images may overtake each other
        (8.0, "cam", (4, 6), "time went back"),
        (11, "other", (4, 6), "images are of frame 'other' now"),
        (11, "cam", (8, 12), "images are 12x8 now, they were 6x4"),
    ],
)
def test_what_earlier_images_said_is_void(second: float, frame_id: str, size: tuple[int, int], what: str) -> None:
    w = Watched()
    assert not w.continuity.broken(header(10), (4, 6))
    assert w.continuity.broken(header(second, frame_id), size) == bool(what)
    assert [text.partition(":")[0] for text in w.informed] == ([what] if what else [])


def test_a_calibration_is_missed_only_where_it_came_with_its_images() -> None:
    w = Watched()
    w.continuity.calibrated_by(header(1), header(60))
    assert not w.statistics.warnings(), "it is published once"
    w.continuity.calibrated_by(header(60), header(60))
    w.continuity.calibrated_by(header(60), header(61.5))
    w.continuity.calibrated_by(header(60), header(5))  # a bag that loops
    assert not w.statistics.warnings()
    w.continuity.calibrated_by(header(60), header(62.5))
    assert w.statistics.warnings() == w.warned and "has stopped coming" in w.warned[0]


def seen(*headers: Header) -> list[str]:
    watch = SourceWatch()
    return [watch.seen(h) for h in headers]


def test_one_camera_is_one_source() -> None:
    assert not any(seen(*[header(n / 30) for n in range(90)]))
    assert not any(seen(*[header(0)] * 50)), "without stamps"
    # another camera after the first, and a recording that loops every four seconds
    assert not any(seen(*[header(n, "a") for n in range(9)], *[header(n, "b") for n in range(9, 20)]))
    assert not any(seen(*[header(n % 120 / 30) for n in range(600)]))


def test_two_cameras_take_turns() -> None:
    texts = seen(*[header(n, "ab"[n % 2]) for n in range(8)])
    assert "frames 'a', 'b' come in turns" in texts[-1]


def test_two_recordings_take_turns() -> None:
    texts = seen(*[header(n + 1000 * (n % 2)) for n in range(10)])
    assert "stamps go back" in texts[-1]


def test_focal_lengths_are_compared_relative_to_the_width() -> None:
    watch = FocalWatch()
    assert not watch.jump(500, 640, locked=False, tolerance=0.1)
    assert not watch.jump(1050, 1280, locked=False, tolerance=0.1)
    assert "jumped from 525.0 to 600.0 px (+14.3%)" in watch.jump(600, 640, locked=False, tolerance=0.1)
    assert "jumped from 600.0 to 525.0 px (-12.5%)" in watch.jump(525, 640, locked=False, tolerance=0.1)


@pytest.mark.parametrize("locked", [True, False])
def test_any_change_of_a_held_focal_length_is_told(locked: bool) -> None:
    watch = FocalWatch()
    watch.jump(500, 640, locked=True, tolerance=0.1)
    assert not watch.jump(1000, 1280, locked=True, tolerance=0.1)
    assert "was given up and goes from 500.0 to 505.0 px (+1.0%)" in watch.jump(505, 640, locked=locked, tolerance=0.1)


def test_another_camera_is_no_jump_and_a_new_start_only_a_large_one() -> None:
    watch = FocalWatch()
    watch.jump(500, 640, locked=True, tolerance=0.1)
    watch.unlock()
    assert not watch.jump(505, 640, locked=False, tolerance=0.1)
    assert watch.jump(600, 640, locked=False, tolerance=0.1)
    watch.forget()
    assert not watch.jump(900, 640, locked=False, tolerance=0.1)
