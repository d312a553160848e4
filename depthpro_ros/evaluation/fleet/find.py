# SPDX-License-Identifier: Apache-2.0
"""The recordings in a folder, each once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from depthpro_ros.errors import DataError

STORAGE_ENDINGS = (".mcap", ".db3", ".bag", ".bag.active", ".mcap.zstd", ".db3.zstd")


@dataclass(frozen=True)
class Bag:
    """A recording that was found.

    Attributes:
        path: absolute, the same on every machine.
        name: path within the folder that was searched, with slashes; unique.
        version: sizes and times of its files, by which a recording that has changed is told.
    """

    path: Path
    name: str
    version: str = ""


def find_bags(folder: Path) -> tuple[Bag, ...]:
    """All recordings in a folder and those below it, by name.

    A folder with metadata.yaml is one recording, and so is a folder whose storage files are all named after it, as
    rosbag2 does it (the recorder did not live to write metadata.yaml). Any other storage file is a recording of its
    own. Links are followed; what can be reached in two ways counts once. A folder that cannot be listed counts as a
    recording, which then cannot be opened.

    Raises:
        DataError: there is no such folder, or no recording in it.
    """
    root = folder.resolve()
    if not root.is_dir():
        raise DataError(f"there is no folder {folder}: give one with recordings in it")
    seen: set[Path] = set()
    bags = []
    for path in _recordings(root, set()):
        real = path.resolve()
        if real not in seen:
            seen.add(real)
            name = root.name if path == root else path.relative_to(root).as_posix()
            bags.append(Bag(path, name, _version(path)))
    if not bags:
        raise DataError(
            f"there are no recordings in {folder}: rosbag2 folders, .mcap, .db3 or .bag files are looked for"
        )
    return tuple(sorted(bags, key=lambda bag: bag.name))


def _recordings(folder: Path, entered: set[Path]) -> Iterator[Path]:
    real = folder.resolve()
    if real in entered:
        return
    entered.add(real)
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        yield folder
        return
    files = [entry for entry in entries if entry.name.endswith(STORAGE_ENDINGS) and entry.is_file()]
    if _has_metadata(folder) or (files and all(_split(folder, file) for file in files)):
        yield folder
        return
    yield from files
    for entry in entries:
        if entry.is_dir():
            yield from _recordings(entry, entered)


def _has_metadata(folder: Path) -> bool:
    """Whether rosbag2's own metadata.yaml is there; other programs write files of that name too."""
    try:
        return b"rosbag2_bagfile_information" in (folder / "metadata.yaml").read_bytes()[:4096]
    except OSError:
        return False


def _split(folder: Path, file: Path) -> bool:
    """Whether rosbag2 wrote this file as a part of a recording of the folder's name."""
    return re.fullmatch(re.escape(folder.name) + r"_\d+\.(mcap|db3)(\.zstd)?", file.name) is not None


def _version(path: Path) -> str:
    try:
        files = [path] if path.is_file() else [entry for entry in path.iterdir() if entry.is_file()]
        states = [file.stat() for file in files]
    except OSError:
        return ""
    return f"{sum(state.st_size for state in states)} bytes at {max((s.st_mtime_ns for s in states), default=0)}"
