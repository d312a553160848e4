# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from depthpro_ros.node.pairing import CameraInfos


def header(second: int) -> Header:
    result = Header()
    result.stamp.sec, result.stamp.nanosec = second, 1
    return result


def info(second: int) -> CameraInfo:
    return CameraInfo(header=header(second))


def found(infos: CameraInfos, second: int) -> int | None:
    result = infos.find(header(second))
    return None if result is None else result.header.stamp.sec


def test_the_stamp_decides() -> None:
    infos = CameraInfos()
    for second in (1, 2, 3):
        infos.put(info(second))
    assert [found(infos, s) for s in (2, 1, 3)] == [2, 1, 3]


def test_an_image_awaits_its_own() -> None:
    infos = CameraInfos()
    infos.put(info(1))
    assert not infos.awaited(header(1))
    assert infos.awaited(header(2))
    infos.put(info(2))
    assert not infos.awaited(header(2))


def test_without_its_own_the_newest_is_used() -> None:
    infos = CameraInfos()
    infos.put(info(1))
    infos.put(info(2))
    assert found(infos, 5) == 2


def test_a_calibration_published_now_and_then_is_awaited_once() -> None:
    infos = CameraInfos()
    infos.put(info(1))
    assert infos.awaited(header(5))
    assert found(infos, 5) == 1
    assert not infos.awaited(header(6))


def test_waiting_begins_again_once_stamps_match() -> None:
    infos = CameraInfos()
    infos.put(info(1))
    found(infos, 5)
    assert not infos.awaited(header(6))
    infos.put(info(5))  # the info of the image before, late
    assert infos.awaited(header(6))


def test_nobody_publishes_so_nothing_is_awaited() -> None:
    infos = CameraInfos()
    assert not infos.awaited(header(1), lambda: False)
    assert infos.awaited(header(1), lambda: True)
    infos.put(info(1))
    assert infos.awaited(header(2), lambda: False), "somebody has published"


def test_a_bag_that_loops_forgets_the_future() -> None:
    infos = CameraInfos()
    for second in (10, 11, 12):
        infos.put(info(second))
    infos.put(info(1))
    assert found(infos, 12) == 1


def test_memory_is_bounded() -> None:
    infos = CameraInfos()
    for second in range(1, 100):
        infos.put(info(second))
    assert found(infos, 1) == 99
