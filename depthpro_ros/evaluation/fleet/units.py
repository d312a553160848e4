# SPDX-License-Identifier: Apache-2.0
"""Units of work: some of the frames of one recording."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from depthpro_ros.evaluation.bags.topics import Choice
from depthpro_ros.evaluation.fleet.find import Bag

SHARD_FRAMES = 500


@dataclass(frozen=True)
class Survey:
    """What is known of a recording before it is evaluated.

    Attributes:
        bag: which one.
        frames: how many are to be evaluated.
        choice: the topics; None where it cannot be evaluated.
        notes: what was wrong with it, and how stamps matched.
        reason: why it cannot be evaluated; empty if it can.
    """

    bag: Bag
    frames: int = 0
    choice: Choice | None = None
    notes: tuple[str, ...] = ()
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        value = asdict(self)
        value["bag"]["path"] = str(self.bag.path)
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Survey:
        """The reverse."""
        bag, choice = value["bag"], value["choice"]
        return cls(
            Bag(Path(bag["path"]), bag["name"], bag["version"]),
            value["frames"],
            None if choice is None else Choice(**choice),
            tuple(value["notes"]),
            value["reason"],
        )


@dataclass(frozen=True)
class Unit:
    """Frames of a recording that one worker evaluates at a stretch.

    Attributes:
        bag: the recording.
        start, stop: numbers of its chosen frames; the stop is left out.
        fleet_frames: of all recordings; few of many keep a picture.
    """

    bag: Bag
    start: int
    stop: int
    fleet_frames: int = field(default=0, compare=False)

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def folder_name(self) -> str:
        """A file name that no other unit has."""
        readable = re.sub(r"[^A-Za-z0-9.-]+", "_", self.bag.name)[-60:].strip("_.")
        digest = hashlib.sha256(self.bag.name.encode()).hexdigest()[:8]
        return f"{readable}-{digest}-{self.start:06d}-{self.stop:06d}"


def units_of(surveys: Sequence[Survey], shard_frames: int = SHARD_FRAMES) -> tuple[Unit, ...]:
    """Cut recordings into units, in the order of names and frames.

    Where they are cut depends on the recording alone. So does what is estimated in a unit, and the merged result is the
    same whoever does which unit.
    """
    return tuple(_units_of(surveys, shard_frames))


def _units_of(surveys: Sequence[Survey], shard_frames: int) -> Iterator[Unit]:
    total = sum(survey.frames for survey in surveys)
    for survey in sorted(surveys, key=lambda survey: survey.bag.name):
        for start in range(0, survey.frames, shard_frames):
            yield Unit(survey.bag, start, min(start + shard_frames, survey.frames), total)
