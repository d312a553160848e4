# SPDX-License-Identifier: Apache-2.0
"""Which recordings a folder holds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytest.importorskip("rosbags")

from depthpro_ros.errors import DataError
from depthpro_ros.evaluation.fleet.find import find_bags
from test.evaluation.fleet.fleet_fixtures import write_bag


def names(folder: Path) -> list[str]:
    return [bag.name for bag in find_bags(folder)]


def test_rosbag2_folders_and_single_files_at_any_depth(tmp_path: Path) -> None:
    write_bag(tmp_path / "monday" / "robot_1", 1)
    write_bag(tmp_path / "old", 1, storage="ros1")
    alone = write_bag(tmp_path / "tuesday" / "run", 1, storage="sqlite")
    shutil.move(next(alone.glob("*.db3")), tmp_path / "tuesday" / "alone.db3")
    shutil.rmtree(alone)
    (tmp_path / "tuesday" / "notes.txt").write_text("no recording")
    assert names(tmp_path) == ["monday/robot_1", "old.bag", "tuesday/alone.db3"]


def test_a_recording_whose_metadata_was_never_written_is_one(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "run", 1)
    (bag / "metadata.yaml").unlink()
    shutil.copy(bag / "run.mcap", bag / "run_0.mcap")
    (bag / "run.mcap").rename(bag / "run_1.mcap")
    assert names(tmp_path) == ["run"]


def test_the_folder_may_be_a_recording_itself(tmp_path: Path) -> None:
    assert names(write_bag(tmp_path / "run", 1)) == ["run"]


def test_another_programs_metadata_makes_no_recording(tmp_path: Path) -> None:
    write_bag(tmp_path / "run", 1)
    (tmp_path / "metadata.yaml").write_text("title: recordings of May\n")
    assert names(tmp_path) == ["run"]


def test_links_do_not_count_twice(tmp_path: Path) -> None:
    write_bag(tmp_path / "a" / "run", 1)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "again").symlink_to(tmp_path / "a" / "run")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    assert len(names(tmp_path)) == 1


def test_a_recording_that_grew_has_another_version(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "run", 1)
    before = find_bags(tmp_path)
    with next(bag.glob("*.mcap")).open("ab") as file:
        file.write(b"more")
    assert find_bags(tmp_path)[0].version != before[0].version


def test_a_folder_without_recordings_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there are no recordings in"):
        find_bags(tmp_path)
    with pytest.raises(DataError, match="there is no folder"):
        find_bags(tmp_path / "nowhere")
