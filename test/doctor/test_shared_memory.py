# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from depthpro_ros.doctor.finding import Level
from depthpro_ros.doctor.shared_memory import (
    DEFAULT_SEGMENT,
    MIB,
    Room,
    check_all,
    check_left_over,
    check_profile,
    check_room,
    look,
    profile_file,
    segment_size,
)

SHIPPED = Path(__file__).parents[2] / "config" / "fastdds.xml"
CLOUD = 640 * 480 * 16


def test_the_distributions_variable_counts() -> None:
    both = {"FASTDDS_DEFAULT_PROFILES_FILE": "/new", "FASTRTPS_DEFAULT_PROFILES_FILE": "/old"}
    assert profile_file(both) == "/new"
    assert profile_file(both | {"ROS_DISTRO": "humble"}) == "/old"
    assert profile_file({"ROS_DISTRO": "humble", "FASTDDS_DEFAULT_PROFILES_FILE": "/new"}) == ""


def test_segments_of_the_shipped_profile() -> None:
    assert segment_size(SHIPPED) == 128 * MIB


def test_a_profile_without_a_segment_has_the_default(tmp_path: Path) -> None:
    (tmp_path / "p.xml").write_text("<profiles/>")
    assert segment_size(tmp_path / "p.xml") == DEFAULT_SEGMENT


@pytest.mark.parametrize(
    ("content", "message", "level"),
    [
        (None, CLOUD, Level.PROBLEM),
        ("no XML", CLOUD, Level.PROBLEM),
        ("<p><segment_size>many</segment_size></p>", CLOUD, Level.PROBLEM),
        ("<p><segment_size>1000000</segment_size></p>", CLOUD, Level.WARNING),
        ("<p><segment_size>10000000</segment_size></p>", CLOUD, Level.OK),
    ],
)
def test_profile(tmp_path: Path, content: str | None, message: int, level: Level) -> None:
    path = tmp_path / "p.xml"
    if content is not None:
        path.write_text(content)
    finding = check_profile({"FASTDDS_DEFAULT_PROFILES_FILE": str(path)}, message)
    assert finding.level is level and str(path) in finding.found


def test_without_a_profile_the_export_line_is_said() -> None:
    finding = check_profile({"ROS_DISTRO": "humble"}, CLOUD, "/share/fastdds.xml")
    assert finding.level is Level.WARNING
    assert finding.advice.endswith("export FASTRTPS_DEFAULT_PROFILES_FILE=/share/fastdds.xml")


@pytest.mark.parametrize(
    ("free", "level"), [(64 * MIB, Level.PROBLEM), (400 * MIB, Level.WARNING), (1024 * MIB, Level.OK)]
)
def test_room(free: int, level: Level) -> None:
    assert check_room(Room(2048 * MIB, free, 0, 0), 128 * MIB).level is level


def test_no_shared_memory_at_all(tmp_path: Path) -> None:
    assert look(tmp_path / "none") is None
    assert check_room(None, MIB).level is Level.WARNING


def test_segments_whose_lock_is_free_are_left_over(tmp_path: Path) -> None:
    for name in ("fastdds_0123456789abcdef", "fastrtps_fedcba9876543210", "fastdds_aaaaaaaaaaaaaaaa"):
        (tmp_path / name).write_bytes(bytes(1000))
        (tmp_path / f"{name}_el").touch()
    (tmp_path / "fastdds_port7411").write_bytes(bytes(1000))  # ports are kept for the next process
    (tmp_path / "fastdds_port7411_el").touch()
    (tmp_path / "fastdds_bbbbbbbbbbbbbbbb").write_bytes(bytes(1000))  # a segment that is being made
    with (tmp_path / "fastdds_aaaaaaaaaaaaaaaa_el").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        room = look(tmp_path)
    assert room is not None and (room.left_over, room.left_over_bytes) == (2, 2000)


def test_many_left_over_segments_are_worth_a_warning() -> None:
    assert check_left_over(Room(1000 * MIB, 0, 0, 0)).level is Level.OK
    assert check_left_over(Room(1000 * MIB, 0, 1, MIB)).level is Level.OK
    assert check_left_over(Room(1000 * MIB, 0, 9, 100 * MIB)).advice == "fastdds shm clean"


def test_other_middlewares_have_no_profile() -> None:
    (finding,) = check_all({}, "rmw_cyclonedds_cpp", CLOUD)
    assert finding.level is Level.OK and "rmw_cyclonedds_cpp" in finding.found
