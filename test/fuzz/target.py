# SPDX-License-Identifier: Apache-2.0
"""A parser of bytes from outside, and what a case is."""

from __future__ import annotations

import atexit
import resource
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import FrameType

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

    @cached_property
    def seeds(self) -> tuple[bytes, ...]:
        """The valid inputs, made once."""
        return tuple(self.make_seeds())

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


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Bound the time that something takes.

    Raises:
        TimeoutError: it takes longer.
    """

    def too_long(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"a case took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def largest_mb() -> float:
    """The most memory that this process has had, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_memory() -> Path:
    """A folder in memory, where there is such a file system; else that of temporary files."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() else Path(tempfile.gettempdir())


@cache
def scratch() -> Path:
    """A folder for the files of cases."""
    folder = Path(tempfile.mkdtemp(prefix="depthpro_fuzz_", dir=in_memory()))
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
