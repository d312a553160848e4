# SPDX-License-Identifier: Apache-2.0
"""The messages of a rosbag2 SQLite file that is damaged or cut off."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from depthpro_ros.evaluation.bags.scan import RawMessage, Report

SQLITE_MAGIC = b"SQLite format 3\0"
MAX_MISSES = 1000
"""So many rows in a row that cannot be read are taken for the end."""


def has_log(path: Path) -> bool:
    """Whether there is a write-ahead log with something in it."""
    return _log(path).is_file() and _log(path).stat().st_size > 0


def _log(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def scan_sqlite(path: Path, report: Report) -> Iterator[RawMessage]:
    """Every message that is whole, in the order in which they were written.

    A write-ahead log beside the file, which a recorder that was killed leaves, is read with it.
    """
    if has_log(path):
        with tempfile.TemporaryDirectory(prefix="depthpro_bag_") as folder:
            # SQLite writes to the file what is in its log, which must not happen to the recording
            for file in (path, _log(path)):
                shutil.copy(file, folder)
            with closing(sqlite3.connect(Path(folder) / path.name)) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            yield from scan_sqlite(Path(folder) / path.name, report)
        return
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            # without this, SQLite opens no file that is shorter than its header says
            database.execute("PRAGMA writable_schema=ON")
            names: dict[int, tuple[str, str]] = {}
            for number, topic, kind in database.execute("SELECT id, name, type FROM topics"):
                if isinstance(topic, str) and isinstance(kind, str):
                    names[number] = (topic, kind)
                else:
                    report(
                        f"a topic has the name {topic!r} and the type {kind!r}: its messages are left out", "damaged"
                    )
            yield from _messages(database, names, report)
    except sqlite3.Error as error:
        report(f"its tables cannot be read: {error}", "damaged")


def _messages(database: sqlite3.Connection, names: dict[int, tuple[str, str]], report: Report) -> Iterator[RawMessage]:
    after, misses, lost, reason = 0, 0, 0, ""
    while misses < MAX_MISSES:
        try:
            # by row number: the index of times lies at the end of the file
            rows = database.execute(
                "SELECT id, topic_id, timestamp, data FROM messages NOT INDEXED WHERE id > ? ORDER BY id", (after,)
            )
            for row, topic, time_ns, data in rows:
                if not isinstance(row, int) or row <= after:
                    raise sqlite3.DatabaseError("its rows are not in order")  # else it would be read for ever
                after, lost, misses = row, lost + misses, 0
                if topic in names and isinstance(data, bytes) and isinstance(time_ns, int):
                    yield RawMessage(*names[topic], time_ns, data)
            break
        except sqlite3.DatabaseError as error:
            reason = str(error)
            after, misses = after + 1, misses + 1
    if misses:
        report(f"it cannot be read beyond its {after - misses}th message: {reason}", "cut_off")
    if lost:
        report(f"{lost} of its messages cannot be read: {reason}", "damaged")
