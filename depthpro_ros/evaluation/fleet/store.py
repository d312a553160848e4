# SPDX-License-Identifier: Apache-2.0
"""The units' own folders, so that what was done is never done again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from depthpro_ros.evaluation.fleet.find import Bag
from depthpro_ros.evaluation.fleet.units import Survey, Unit
from depthpro_ros.evaluation.fleet.work import Result
from depthpro_ros.evaluation.results.folder import ResultsFolder
from depthpro_ros.evaluation.results.record import FrameRecord
from depthpro_ros.evaluation.results.run_info import RunInfo

SURVEYS, COMPLETE = "recordings.jsonl", "complete.json"


@dataclass(frozen=True)
class Complete:
    """What is known of a unit that is done, without reading its records.

    Attributes:
        version: of its recording.
        places, errors: frames with a picture, by their number in the recording, and what they are compared by.
    """

    version: str
    places: tuple[int, ...]
    errors: tuple[float | None, ...]


class UnitStore:
    """`units/` in the folder of a fleet's evaluation: a results folder for each unit, and what is known of the
    recordings.

    Args:
        folder: the evaluation's; it exists.
        run: how units are evaluated, to stand in their folders.
        keep: whether to go on with what is there; else it is removed.
    """

    def __init__(self, folder: Path, run: RunInfo, *, keep: bool = False) -> None:
        self._path, self._run = folder / "units", run
        self._writers: dict[Unit, _Writer] = {}
        # never a folder of this name that something else made
        if (self._path / SURVEYS).exists() and not keep:
            shutil.rmtree(self._path)
        self._path.mkdir(exist_ok=True)
        (self._path / SURVEYS).touch()

    def surveys(self, bags: Sequence[Bag]) -> dict[Bag, Survey]:
        """What is known of these recordings as they are now; those that could not be read are looked at again."""
        known = {}
        with (self._path / SURVEYS).open(encoding="utf-8") as lines:
            for line in lines:
                try:
                    survey = Survey.from_json(json.loads(line))
                except ValueError:
                    continue  # a run was killed while it wrote this; the recording is looked at again
                known[survey.bag] = survey
        return {bag: known[bag] for bag in bags if bag in known and not known[bag].reason}

    def add_survey(self, survey: Survey) -> None:
        """Keep what was found out about a recording."""
        with (self._path / SURVEYS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(survey.to_json(), separators=(",", ":")) + "\n")

    def complete(self, unit: Unit) -> Complete | None:
        """What is known of a unit; None unless it is done, with the recording as it is now."""
        try:
            value = json.loads((self._path / unit.folder_name / COMPLETE).read_text(encoding="utf-8"))
        except OSError:
            return None
        known = Complete(value["version"], tuple(value["places"]), tuple(value["errors"]))
        return known if known.version == unit.bag.version else None

    def folder(self, unit: Unit) -> ResultsFolder:
        """Where a unit's records are."""
        return ResultsFolder(self._path / unit.folder_name)

    def add(self, unit: Unit, results: Sequence[Result]) -> None:
        """Write some of a unit's results, in their order."""
        if unit not in self._writers:
            self._writers[unit] = _Writer(self._begin(unit))
        for result in results:
            self._writers[unit].add(result)

    def finish(self, unit: Unit) -> None:
        """All of a unit's results have been written."""
        writer = self._writers.pop(unit)
        value = {"version": unit.bag.version, "places": writer.places, "errors": writer.errors}
        marker = writer.folder.path / COMPLETE
        # the marker is there whole, or not at all
        half = marker.with_suffix(".part")
        half.write_text(json.dumps(value) + "\n", encoding="utf-8")
        half.replace(marker)

    def discard(self, unit: Unit) -> None:
        """What has been written of a unit does not count; it begins anew."""
        self._writers.pop(unit, None)

    def _begin(self, unit: Unit) -> ResultsFolder:
        path = self._path / unit.folder_name
        (path / COMPLETE).unlink(missing_ok=True)
        source = f"{unit.bag.name}, frames {unit.start} to {unit.stop - 1}"
        return ResultsFolder.create(path, replace(self._run, kind="bag", source=source), force=True)


@dataclass
class _Writer:
    """A unit that is being done."""

    folder: ResultsFolder
    places: list[int] = field(default_factory=list)
    errors: list[float | None] = field(default_factory=list)

    def add(self, result: Result) -> None:
        record: FrameRecord = result.record
        self.folder.add(record, result.picture)
        if result.picture is not None:
            self.places.append(record.index)
            self.errors.append(record.headline_error)
