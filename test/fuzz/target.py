# SPDX-License-Identifier: Apache-2.0
"""A parser of bytes from outside, and what a case is."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from depthpro_ros.errors import DepthProError

Repair = Callable[[bytes], bytes]


def as_it_is(content: bytes) -> bytes:
    """No repair."""
    return content


@dataclass(frozen=True)
class Target:
    """A parser under test.

    Attributes:
        name: of the parser.
        parse: gives it the bytes; whatever it raises but `DepthProError` is a fault of ours.
        make_seeds: valid inputs, from which damaged ones are made.
        tokens: pieces that mean something in this format.
        repair: puts right what would stop the parser at once, such as checksums.
    """

    name: str
    parse: Callable[[bytes], object]
    make_seeds: Callable[[], Sequence[bytes]]
    tokens: tuple[bytes, ...] = ()
    repair: Repair = as_it_is

    @property
    def seeds(self) -> tuple[bytes, ...]:
        """The valid inputs, made once."""
        return _seeds(self)

    def attempt(self, content: bytes) -> bool:
        """Parse; whether the bytes were accepted.

        Raises:
            Exception: any that is no `DepthProError`, which is what fuzzing looks for.
        """
        try:
            self.parse(content)
        except DepthProError:
            return False
        return True


@cache
def _seeds(target: Target) -> tuple[bytes, ...]:
    return tuple(target.make_seeds())


@cache
def scratch() -> Path:
    """A folder for the files of cases, in memory where there is such a file system."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="depthpro_fuzz_", dir=memory if memory.is_dir() else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def file_of(name: str, content: bytes) -> Path:
    """A file of these bytes, new on every call: the last one may still be mapped by somebody."""
    path = scratch() / name
    path.unlink(missing_ok=True)
    if not path.parent.exists():
        path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path
