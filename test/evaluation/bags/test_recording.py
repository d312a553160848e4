# SPDX-License-Identifier: Apache-2.0
"""Recordings of every storage and compression, whole and damaged on purpose."""

from __future__ import annotations

import shutil
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rosbags")

from backports import zstd

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.bags.compression import ZSTD_MAGIC
from depthpro_ros.evaluation.bags.recording import Recording
from depthpro_ros.evaluation.bags.scan_sqlite import MAX_MISSES
from depthpro_ros.evaluation.bags.scan_sqlite import _messages as scan_sqlite_messages
from depthpro_ros.evaluation.bags.transforms import TransformTree
from test.bag_writer import BagWriter
from test.fuzz import repairs

FORMS = [
    ("mcap", ""),
    ("mcap", "file"),
    ("mcap", "message"),
    ("mcap", "storage"),
    ("sqlite", ""),
    ("sqlite", "file"),
    ("sqlite", "message"),
    ("ros1", ""),
    ("ros1", "bz2"),
    ("ros1", "lz4"),
]
SECOND = 10**9
START_NS = 1000 * SECOND
FRAMES = 12


def pixels(index: int) -> np.ndarray:
    # noise, so that compressed bags are cut within the data as well
    return np.random.default_rng(index).integers(0, 256, (64, 512, 3), np.uint8)


def stamp(index: int) -> int:
    return START_NS + index * SECOND // 10


def write(path: Path, storage: str, compression: str = "", frames: int = FRAMES) -> Path:
    with BagWriter(path, storage, compression) as bag:
        bag.transform(START_NS, "base", "camera", (0, 0, 1), static=True)
        for index in range(frames):
            bag.info("/c/camera_info", stamp(index), 5.0)
            bag.image("/c/image", stamp(index), pixels(index), "rgb8")
    return bag.path


def storage_file(bag: Path) -> Path:
    return bag if bag.is_file() else next(f for f in bag.iterdir() if f.name != "metadata.yaml")


def images(recording: Recording) -> list[int]:
    """The frames that are there, each compared with what was written."""
    found = []
    for read in recording.messages(["/c/image"]):
        index = (read.place.stamp_ns - START_NS) * 10 // SECOND
        np.testing.assert_array_equal(read.message.data, pixels(index).reshape(-1))
        found.append(index)
    return found


def kinds(recording: Recording) -> set[str]:
    return {problem.kind for problem in recording.problems}


@pytest.mark.parametrize(("storage", "compression"), FORMS)
def test_every_storage_and_compression(tmp_path: Path, storage: str, compression: str) -> None:
    with Recording(write(tmp_path / "bag", storage, compression)) as recording:
        assert recording.problems == ()
        assert recording.counts == {"/tf_static": 1, "/c/camera_info": FRAMES, "/c/image": FRAMES}
        assert recording.types["/c/image"] == "sensor_msgs/msg/Image"
        assert images(recording) == list(range(FRAMES))
        assert [place.stamp_ns for place in recording.places("/c/image")] == [stamp(i) for i in range(FRAMES)]
        assert recording.places("/c/image")[0].time_ns == START_NS + 5_000_000
        last = recording.read(recording.references("/c/image")[-1])
        np.testing.assert_array_equal(last.message.data, pixels(FRAMES - 1).reshape(-1))


@pytest.mark.parametrize(("storage", "compression"), FORMS)
def test_cut_off(tmp_path: Path, storage: str, compression: str) -> None:
    bag = write(tmp_path / "bag", storage, compression)
    file = storage_file(bag)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) * 6 // 10])
    if bag.is_dir():
        (bag / "metadata.yaml").unlink()
    with Recording(bag) as recording:
        assert kinds(recording) & {"cut_off", "damaged"}
        assert file.name in recording.account()
        found = images(recording)
        assert found == list(range(len(found)))
        # bzip2 gives whole blocks of 900 kB only
        assert len(found) >= (5 if compression != "bz2" else 0)
        assert len(found) < FRAMES
        assert recording.counts.get("/c/image", 0) == len(found)


@pytest.mark.parametrize(("storage", "compression"), [("mcap", "file"), ("mcap", "message"), ("sqlite", "message")])
def test_cut_off_with_its_metadata(tmp_path: Path, storage: str, compression: str) -> None:
    bag = write(tmp_path / "bag", storage, compression)
    content = storage_file(bag).read_bytes()
    storage_file(bag).write_bytes(content[: len(content) * 6 // 10])
    with Recording(bag) as recording:
        assert "bad_metadata" in kinds(recording)
        assert 5 <= len(images(recording)) < FRAMES


@pytest.mark.parametrize(("storage", "compression"), [form for form in FORMS if form[0] != "ros1"])
def test_no_metadata(tmp_path: Path, storage: str, compression: str) -> None:
    bag = write(tmp_path / "bag", storage, compression)
    (bag / "metadata.yaml").unlink()
    with Recording(bag) as recording:
        assert images(recording) == list(range(FRAMES))
        assert kinds(recording) == {"no_metadata"}
    with Recording(storage_file(bag)) as recording:
        assert images(recording) == list(range(FRAMES))


def test_metadata_cut_off(tmp_path: Path) -> None:
    bag = write(tmp_path / "bag", "mcap")
    text = (bag / "metadata.yaml").read_text()
    (bag / "metadata.yaml").write_text(text[: len(text) // 2])
    with Recording(bag) as recording:
        assert kinds(recording) == {"bad_metadata"}
        assert images(recording) == list(range(FRAMES))


def test_one_of_two_files_is_cut_off(tmp_path: Path) -> None:
    folder = tmp_path / "both"
    folder.mkdir()
    for name, first in (("bag_9", 0), ("bag_10", 4)):
        with BagWriter(tmp_path / name) as bag:
            for index in range(first, first + 4):
                bag.image("/c/image", stamp(index), pixels(index), "rgb8")
        content = (tmp_path / name / f"{name}.mcap").read_bytes()
        (folder / f"{name}.mcap").write_bytes(content[: len(content) * 2 // 5] if first else content)
    with Recording(folder) as recording:
        assert images(recording) == [0, 1, 2, 3, 4]
        assert kinds(recording) == {"no_metadata", "cut_off", "damaged"}


def test_a_damaged_chunk_costs_its_own_messages(tmp_path: Path) -> None:
    bag = tmp_path / "bag"
    with BagWriter(bag, "mcap", "storage") as writer:
        for index in range(36):  # three chunks of 1 MiB and a little
            writer.image("/c/image", stamp(index), pixels(index), "rgb8")
    file = storage_file(bag)
    content = bytearray(file.read_bytes())
    second = content.index(ZSTD_MAGIC, content.index(ZSTD_MAGIC) + 1)
    content[second : second + 8] = bytes(8)
    file.write_bytes(content)
    with Recording(bag) as recording:
        found = [(p.stamp_ns - START_NS) * 10 // SECOND for p in recording.places("/c/image")]
        assert found[:11] == list(range(11)) and found[-1] == 35
        assert found[11:] == list(range(22, 36))  # 11 images fill a chunk
        assert {"bad_metadata", "damaged"} <= kinds(recording)


def test_a_chunk_whose_checksum_does_not_fit_is_left_out(tmp_path: Path) -> None:
    bag = tmp_path / "bag"
    with BagWriter(bag) as writer:
        for index in range(24):
            writer.image("/c/image", stamp(index), pixels(index), "rgb8")
    content = bytearray(storage_file(bag).read_bytes())
    # of the first chunk: after magic, header record, kind and length, two times and a size
    (header,) = struct.unpack_from("<Q", content, 9)
    struct.pack_into("<I", content, 8 + 9 + header + 9 + 24, 12345)
    storage_file(bag).write_bytes(content)
    with Recording(bag) as recording:
        assert images(recording) == list(range(11, 24))  # 11 images fill a chunk
        assert "checksum does not fit" in recording.account()


def test_a_recorder_that_was_killed_leaves_a_log(tmp_path: Path) -> None:
    bag = write(tmp_path / "bag", "sqlite")
    killed = tmp_path / "killed"
    killed.mkdir()
    with sqlite3.connect(storage_file(bag)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA wal_autocheckpoint=0")
        database.execute("DELETE FROM messages WHERE id > 21")  # only the log knows
        database.commit()
        for file in bag.glob("*.db3*"):
            shutil.copy(file, killed)
    before = (killed / "bag.db3").read_bytes()
    with Recording(killed) as recording:
        assert recording.counts["/c/image"] == 10
        assert "there is a write-ahead log" in recording.account()
    assert (killed / "bag.db3").read_bytes() == before


def test_messages_without_stamps_have_the_time_of_recording(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        for index in range(3):
            bag.image("/c/image", 0, pixels(index), "rgb8", time_ns=stamp(index))
    with Recording(bag.path) as recording:
        assert kinds(recording) == {"no_stamp"}
        assert [place.stamp_ns for place in recording.places("/c/image")] == [stamp(i) for i in range(3)]


@pytest.mark.parametrize("storage", ["mcap", "sqlite", "ros1"])
def test_empty(tmp_path: Path, storage: str) -> None:
    with BagWriter(tmp_path / "bag", storage) as bag:
        pass
    with Recording(bag.path) as recording:
        assert kinds(recording) == {"empty"}
        assert recording.types == {} and list(recording.messages(["/c/image"])) == []


@pytest.mark.parametrize("name", ["a.mcap", "a.db3", "a.bag", "a.mcap.zstd"])
@pytest.mark.parametrize("content", [b"", b"no bag at all"])
def test_a_file_that_holds_nothing(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with Recording(tmp_path / name) as recording:
        assert kinds(recording) == {"damaged", "empty"}
        assert ("is empty" if not content else "which is no MCAP, SQLite or ROS 1 bag") in recording.account()


def test_every_cut_of_a_small_bag_is_survived(tmp_path: Path) -> None:
    for storage in ("mcap", "ros1"):
        with BagWriter(tmp_path / storage, storage) as bag:
            for index in range(2):
                bag.image("/c/image", stamp(index), np.full((2, 2), index, np.uint8), "mono8")
        content = storage_file(bag.path).read_bytes()
        file = tmp_path / f"cut{storage_file(bag.path).suffix}"
        for length in range(0, len(content), 97):
            file.write_bytes(content[:length])
            with Recording(file) as recording:
                assert recording.problems
                assert recording.counts.get("/c/image", 0) <= 2


def test_a_file_packed_by_hand(tmp_path: Path) -> None:
    file = storage_file(write(tmp_path / "bag", "mcap"))
    packed = tmp_path / "alone.mcap.zstd"
    packed.write_bytes(zstd.compress(file.read_bytes()))
    with Recording(packed) as recording:
        assert images(recording) == list(range(FRAMES))


@pytest.mark.parametrize("storage", ["mcap", "sqlite", "ros1"])
def test_messages_written_out_of_order_are_read_in_order(tmp_path: Path, storage: str) -> None:
    with BagWriter(tmp_path / "bag", storage) as bag:
        for index in (2, 0, 3, 1):
            bag.image("/c/image", stamp(index), pixels(index), "rgb8")
    with Recording(bag.path) as recording:
        assert images(recording) == [0, 1, 2, 3]


def test_clocks_that_jump(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        for index in range(6):
            # the camera's clock is set back an hour in the middle
            shift = 0 if index < 3 else -3600 * SECOND
            bag.image("/c/image", stamp(index) + shift, pixels(index), "rgb8", time_ns=stamp(index))
    with Recording(bag.path) as recording:
        assert kinds(recording) == {"clock_jump", "unsorted"}
        assert "/c/image: the clock of the stamps jumps once, by -3600.000 s" in recording.account()
        assert len(recording.places("/c/image")) == 6


def test_gaps(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        for index in (0, 1, 2, 3, 4, 100, 101):
            bag.image("/c/image", stamp(index), pixels(0), "rgb8")
    with Recording(bag.path) as recording:
        assert kinds(recording) == {"gap"}
        assert "nothing for 9.6 s in 1 gaps (usually every 0.1 s)" in recording.account()


def test_rows_that_are_gone_are_counted(tmp_path: Path) -> None:
    bag = write(tmp_path / "bag", "sqlite")
    with sqlite3.connect(storage_file(bag)) as database:
        database.execute("DELETE FROM messages WHERE id > 21")
    with Recording(bag) as recording:
        assert "missing_messages" in kinds(recording)
        assert "/c/image: metadata tells of 12 messages, 10 are there" in recording.account()


def test_messages_that_belong_together_are_gathered(tmp_path: Path) -> None:
    with Recording(write(tmp_path / "bag", "mcap", "storage")) as recording:
        image, info = recording.references("/c/image"), recording.references("/c/camera_info")
        groups = [(image[3], info[5]), (image[1], info[5]), (image[2],)]
        gathered = dict(recording.gather(groups))
        assert set(gathered) == {0, 1, 2}
        for number, group in enumerate(groups):
            assert [read.place for read in gathered[number]] == [reference.place for reference in group]
        np.testing.assert_array_equal(gathered[0][0].message.data, pixels(3).reshape(-1))


def test_what_is_no_bag(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no"):
        Recording(tmp_path / "none")
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(InputError, match="it is no bag"):
        Recording(tmp_path)


def test_copies_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bag = write(tmp_path / "bag", "mcap", "message")
    (bag / "metadata.yaml").unlink()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    with Recording(bag):
        assert list(scratch.iterdir())
    assert not list(scratch.iterdir())


def test_a_damaged_message_does_not_end_the_reading_of_the_others(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag", "sqlite") as bag:
        for stamp in (10, 20, 30):
            bag.info("/camera/camera_info", stamp, 500.0)
    storage = next((tmp_path / "bag").glob("*.db3"))
    with closing(sqlite3.connect(storage)) as database, database:
        (content,) = database.execute("SELECT data FROM messages WHERE timestamp = 20").fetchone()
        # the length of the frame's name
        damaged = content[:12] + b"\xff\xff\xff\x7f" + content[16:]
        database.execute("UPDATE messages SET data = ? WHERE timestamp = 20", (damaged,))
    with Recording(tmp_path / "bag") as recording:
        first, second, third = recording.messages(["/camera/camera_info"])
        assert [first.message.k[0], third.message.k[0]] == [500.0, 500.0]
        with pytest.raises(InputError, match="is no sensor_msgs/msg/CameraInfo, it is damaged"):
            _ = second.message


def test_a_definition_that_is_not_that_of_ros_is_not_believed(tmp_path: Path) -> None:
    content = storage_file(write(tmp_path / "bag", "mcap")).read_bytes()
    assert b"] transforms" in content
    path = tmp_path / "alone.mcap"
    path.write_bytes(repairs.mcap(content.replace(b"] transforms", b"] trantforms")))
    with Recording(path) as recording:
        assert "its definition of tf2_msgs/msg/TFMessage is not that of ROS 2" in recording.account()
        assert images(recording) == list(range(FRAMES))
        assert TransformTree.of(recording).between("base", START_NS, "camera", START_NS)[2, 3] == 1.0


def test_a_time_that_is_text_costs_its_own_message(tmp_path: Path) -> None:
    bag = write(tmp_path / "bag", "sqlite")
    with closing(sqlite3.connect(storage_file(bag))) as database, database:
        database.execute("UPDATE messages SET timestamp = 'noon' WHERE id = 3")
    with Recording(bag) as recording:
        assert "a message with the time 'noon'" in recording.account()
        assert len(images(recording)) == FRAMES - 1


def test_a_topic_without_a_name_costs_its_own_messages(tmp_path: Path) -> None:
    bag = write(tmp_path / "bag", "sqlite")
    path = storage_file(bag).rename(tmp_path / "alone.db3")
    with closing(sqlite3.connect(path)) as database, database:
        # what a damaged page makes of a column that may not be empty
        database.execute("PRAGMA writable_schema=ON")
        database.execute("UPDATE sqlite_master SET sql = replace(sql, 'name TEXT NOT NULL', 'name TEXT')")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE topics SET name = NULL WHERE name = '/c/camera_info'")
    with Recording(path) as recording:
        assert "a topic has the name None" in recording.account()
        assert set(recording.types) == {"/tf_static", "/c/image"}
        assert images(recording) == list(range(FRAMES))


@pytest.mark.parametrize("summary", [2**40, 2**63, 2**64 - 1])
def test_an_mcap_whose_summary_lies_beyond_every_file_is_read(tmp_path: Path, summary: int) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        bag.info("/camera/camera_info", 10, 500.0)
    storage = next((tmp_path / "bag").glob("*.mcap"))
    content = bytearray(storage.read_bytes())
    # the footer: its kind and length, where the summary is, where its index is, a checksum, and the magic
    struct.pack_into("<Q", content, len(content) - 8 - 20, summary)
    path = tmp_path / "alone.mcap"
    path.write_bytes(content)
    with Recording(path) as recording:
        assert recording.counts == {"/camera/camera_info": 1}
        assert recording.problems


def test_rows_of_sqlite_that_are_not_in_order_do_not_make_it_read_for_ever() -> None:
    class Damaged:
        """Each query gives a row that was before it, and then fails, as SQLite does on a damaged tree."""

        queries = 0

        def execute(self, query: str, values: tuple[int, ...]) -> Iterator[tuple[int, int, int, bytes]]:
            self.queries += 1
            yield 5, 1, 10, b"data"
            raise sqlite3.DatabaseError("database disk image is malformed")

    damaged, said = Damaged(), list[str]()
    names = {1: ("/camera/camera_info", "sensor_msgs/msg/CameraInfo")}
    found = list(scan_sqlite_messages(damaged, names, lambda text, kind: said.append(text)))  # type: ignore[arg-type]
    assert len(found) == 1 and damaged.queries <= MAX_MISSES + 2
    assert any("beyond its 5th message" in text for text in said)
