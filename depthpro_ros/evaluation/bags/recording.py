# SPDX-License-Identifier: Apache-2.0
"""A recording of either ROS, of any storage and compression, whole or damaged, with an account of what is wrong."""

from __future__ import annotations

import heapq
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.bags.clocks import Place, clock_problems
from depthpro_ros.evaluation.bags.messages import STAMPED_TYPES, rosbags_installed
from depthpro_ros.evaluation.bags.part import PackedMessages, Part, Read
from depthpro_ros.evaluation.bags.problems import Problem
from depthpro_ros.evaluation.bags.salvage import salvage
from depthpro_ros.evaluation.bags.scan_sqlite import has_log

STORAGE_SUFFIXES = (".mcap", ".db3", ".bag", ".active", ".zstd")


@dataclass(frozen=True)
class Reference:
    """A message of a recording, not yet read."""

    topic: str
    place: Place


class Recording:
    """A bag, opened for reading; use it in a `with` statement.

    The whole of it is read once on opening. What is damaged is copied as far as it can be read to a temporary bag, in
    the folder that TMPDIR names, which is removed on closing.

    Args:
        path: rosbag2 folder (sqlite3 or MCAP, any compression; also without metadata.yaml), a single .mcap, .db3,
            .mcap.zstd or .db3.zstd, a ROS 1 .bag (also .bag.active), or a folder of them.

    Attributes:
        path: the same.
        problems: what is wrong with it; empty if nothing is.
        types: type of each topic, in ROS 2's spelling.
        counts: messages of each topic that can be read.

    Raises:
        InputError: no such path, nothing in it that is named like a bag, or rosbags is not installed.
    """

    def __init__(self, path: Path) -> None:
        rosbags_installed()
        if not path.exists():
            raise InputError(f"there is no {path}: give a rosbag2 folder, an .mcap, .db3 or .bag file")
        self.path = path
        self._folder = tempfile.TemporaryDirectory(prefix="depthpro_bag_")
        self._parts: list[Part] = []
        problems: list[Problem] = []
        try:
            self._open(problems)
        except BaseException:
            self.close()
            raise
        self._places: dict[str, tuple[Place, ...]] = {}
        self.types: dict[str, str] = {}
        self.counts: dict[str, int] = {}
        self._take_stock(problems)
        self.problems: tuple[Problem, ...] = tuple(problems)

    def places(self, topic: str) -> tuple[Place, ...]:
        """Where a topic's messages are, by time of recording; empty for a topic that is not there or not read."""
        return self._places.get(topic, ())

    def references(self, topic: str) -> tuple[Reference, ...]:
        """The same, to be given to `read` and `gather`."""
        return tuple(Reference(topic, place) for place in self.places(topic))

    def messages(
        self, topics: Collection[str], start_ns: int | None = None, stop_ns: int | None = None
    ) -> Iterator[Read]:
        """All messages of these topics, by time of recording.

        Args:
            topics: their names.
            start_ns, stop_ns: times of recording; the stop is left out.
        """
        streams = [part.messages(topics, start_ns, stop_ns) for part in self._parts]
        yield from heapq.merge(*streams, key=lambda read: read.place.time_ns)

    def read(self, reference: Reference) -> Read:
        """One message.

        Raises:
            InputError: it is not there.
        """
        start = reference.place.time_ns
        for part in self._parts:
            for found in part.messages([reference.topic], start, start + 1):
                if found.place == reference.place:
                    return found
        raise InputError(f"{self.path} has no message of {reference.topic} at {start} ns")

    def gather(self, groups: Sequence[Sequence[Reference]]) -> Iterator[tuple[int, tuple[Read, ...]]]:
        """Messages that belong together, in one pass through the recording.

        Only messages of groups that are not yet whole are kept in memory: a few, where partners were recorded at about
        the same time.

        Args:
            groups: such as an image and its ground truth.

        Returns:
            The position of each group that is whole, and its messages; in the order in which they become whole.
        """
        wanted: dict[Reference, list[int]] = defaultdict(list)
        for number, group in enumerate(groups):
            for reference in set(group):
                wanted[reference].append(number)
        found: dict[int, dict[Reference, Read]] = defaultdict(dict)
        if not wanted:
            return
        topics = {reference.topic for reference in wanted}
        times = [reference.place.time_ns for reference in wanted]
        for read in self.messages(topics, min(times), max(times) + 1):
            reference = Reference(read.topic, read.place)
            for number in wanted.pop(reference, ()):
                here = found[number]
                here[reference] = read
                if len(here) == len(set(groups[number])):
                    yield number, tuple(here[member] for member in groups[number])
                    del found[number]

    def account(self) -> str:
        """The problems, one a line."""
        return "\n".join(problem.text for problem in self.problems)

    def close(self) -> None:
        """Close the bag and remove copies."""
        for part in self._parts:
            part.close()
        self._parts.clear()
        self._folder.cleanup()

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self, problems: list[Problem]) -> None:
        if self.path.is_file():
            self._open_files([self.path], problems)
            return
        files = sorted(f for f in self.path.iterdir() if f.suffix in STORAGE_SUFFIXES and f.is_file())
        if (self.path / "metadata.yaml").is_file():
            try:
                self._parts.append(Part(self.path))
                return
            except InputError as error:
                text = f"{self.path.name} cannot be read as metadata.yaml describes it ({error}); its files are"
                problems.append(Problem("bad_metadata", text))
        elif not files:
            raise InputError(f"{self.path} has no metadata.yaml and no .mcap, .db3 or .bag file: it is no bag")
        elif any(f.suffix not in (".bag", ".active") for f in files):
            problems.append(Problem("no_metadata", f"{self.path.name} has no metadata.yaml: its files are read alone"))
        self._open_files(files, problems)

    def _open_files(self, files: Sequence[Path], problems: list[Problem]) -> None:
        for file in files:
            try:
                if has_log(file):
                    raise InputError(f"{file.name}: its recorder did not close it, there is a write-ahead log")
                self._parts.append(Part(file))
            except InputError as error:
                saved = salvage(file, Path(self._folder.name))
                rescued = [Part(saved.path)] if saved.path is not None else []
                self._parts += rescued
                problems += saved.problems
                expected = isinstance(error, PackedMessages) or file.suffix == ".zstd"
                if saved.problems or not rescued or not expected:
                    text = f"{error}; read without its index: {saved.messages} messages"
                    problems.append(Problem("damaged", text, count=saved.messages))

    def _take_stock(self, problems: list[Problem]) -> None:
        """Merge what the parts hold, and look for what is odd."""
        self._parts.sort(key=lambda part: min((p[0].time_ns for p in part.places.values()), default=0))
        places: dict[str, list[Place]] = defaultdict(list)
        told: dict[str, int] = defaultdict(int)
        for part in self._parts:
            self.types.update(part.types)
            for topic, count in part.counts.items():
                told[topic] += count
                places[topic].extend(part.places.get(topic, ()))
        for topic, kind in self.types.items():
            if kind not in STAMPED_TYPES:
                self.counts[topic] = told[topic]
                continue
            self.counts[topic] = len(places[topic])
            if told[topic] > len(places[topic]):
                lost = told[topic] - len(places[topic])
                text = f"{topic}: metadata tells of {told[topic]} messages, {len(places[topic])} are there"
                problems.append(Problem("missing_messages", text, topic, lost))
            unstamped = sum(part.unstamped.get(topic, 0) for part in self._parts)
            if unstamped:
                text = f"{topic}: {unstamped} messages have no stamp; the time of their recording is taken"
                problems.append(Problem("no_stamp", text, topic, unstamped))
            problems += clock_problems(topic, places[topic])
            self._places[topic] = tuple(sorted(places[topic], key=lambda place: place.time_ns))
        if not any(self.counts.values()):
            problems.append(Problem("empty", f"{self.path.name} holds no messages that can be read", count=0))
