# SPDX-License-Identifier: Apache-2.0
"""What every data set can do; each one is a folder that the user has, never a download."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.formats.files import MissingFile
from depthpro_ros.evaluation.datasets.frame import DatasetFrame


@dataclass(frozen=True)
class Entry:
    """Where a frame is; each data set adds its paths.

    Attributes:
        id: unique in the data set, the same on every machine.
        scene: what results are grouped by.
    """

    id: str
    scene: str


EntryT = TypeVar("EntryT", bound=Entry)


class Dataset(ABC, Generic[EntryT]):
    """Frames by number. Opening lists files; reading a frame reads its files only.

    Args:
        root: the folder that `tree` describes.

    Raises:
        InputError: the folder is not there, or holds no frame of this data set; it shows the expected tree.
    """

    name: ClassVar[str]
    tree: ClassVar[str]
    """The folder as the data set's makers distribute it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        if not root.is_dir():
            raise self._unlike_tree(f"{root} is no folder")
        try:
            self.entries = tuple(self._find())
        except MissingFile as error:
            raise self._unlike_tree(str(error)) from error
        if not self.entries:
            raise self._unlike_tree(f"{root} holds no frame")

    @abstractmethod
    def _find(self) -> Iterable[EntryT]:
        """All frames, in the same order on every machine."""

    @abstractmethod
    def _read(self, entry: EntryT) -> DatasetFrame:
        """Read one frame's files."""

    def __len__(self) -> int:
        return len(self.entries)

    def frame(self, index: int) -> DatasetFrame:
        """Read the frame with this number, 0 to `len(self) - 1`.

        Raises:
            InputError: a file that is missing, damaged, or belongs to another image.
        """
        entry = self.entries[index]
        try:
            return self._read(entry)
        except MissingFile as error:
            raise self._unlike_tree(f"frame {entry.id}: {error}") from error
        except InputError as error:
            raise InputError(f"{self.name} frame {entry.id}: {error}") from error

    @property
    def ids(self) -> tuple[str, ...]:
        """All frames' ids, without reading them."""
        return tuple(entry.id for entry in self.entries)

    def _unlike_tree(self, problem: str) -> MissingFile:
        indented = "\n".join(f"  {line}" for line in self.tree.strip().splitlines())
        return MissingFile(f"{self.name}: {problem}; expected in {self.root}:\n{indented}")


def ids_sha256(ids: Iterable[str]) -> str:
    """Hash of a list of frames, by which two results can tell whether they are of the same ones."""
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()


def folders(parent: Path) -> list[Path]:
    """Folders in a folder, by name; none if it is not there."""
    return sorted(path for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []


def one_of(name: str, value: str, known: Iterable[str]) -> str:
    """An option that must have one of a few values.

    Raises:
        InputError: it has another one.
    """
    if value not in tuple(known):
        raise InputError(f"{name} is {value!r}, expected one of {', '.join(known)}")
    return value
