# SPDX-License-Identifier: Apache-2.0
"""One evaluation from the units' folders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from depthpro_ros.evaluation.fleet.pictures import chosen
from depthpro_ros.evaluation.fleet.store import Complete, UnitStore
from depthpro_ros.evaluation.fleet.units import Survey, Unit
from depthpro_ros.evaluation.results.folder import ResultsFolder
from depthpro_ros.evaluation.results.record import FrameRecord
from depthpro_ros.evaluation.results.thumbnail import Thumbnail

NAMED = 5
"""Of recordings with the same note, so many are named."""


@dataclass(frozen=True)
class Whole:
    """What is to be merged.

    Attributes:
        surveys: of the recordings, by name.
        units: of all of them.
        given_up: why units could not be done, of those that were given up.
    """

    surveys: Sequence[Survey]
    units: Sequence[Unit]
    given_up: Mapping[Unit, str]


def merge(whole: Whole, store: UnitStore, folder: ResultsFolder) -> None:
    """Write the records of all units that are complete, in the order of recordings and frames, numbered anew.

    A recording that could not be read is one skipped frame; a unit that was given up is skipped frame by frame; a unit
    that is still to be done is left out. Records are read one at a time.

    Args:
        folder: empty of records.
    """
    pictured = _pictured(whole, store)
    for place, (record, unit) in enumerate(_records(whole, store)):
        picture: Thumbnail | None = None
        if unit is not None and place in pictured:
            picture = store.folder(unit).thumbnail(record.index)
        folder.add(replace(record, index=place), picture)


def notes_of(whole: Whole, store: UnitStore) -> list[str]:
    """What a reader should know of the recordings; the same note of several is one."""
    bags = defaultdict[str, list[str]](list)
    topics = defaultdict[str, list[str]](list)
    for survey in whole.surveys:
        name = survey.bag.name
        if survey.reason:
            bags[f"could not be read: {survey.reason}"].append(name)
            continue
        for note in survey.notes:
            bags[note].append(name)
        if survey.choice is not None:
            truth = f", truth {survey.choice.truth}" if survey.choice.truth else ""
            topics[f"image {survey.choice.image}{truth}"].append(name)
        if not survey.frames:
            bags["none of its frames was chosen"].append(name)
    for unit, reason in whole.given_up.items():
        bags[f"frames {unit.start} to {unit.stop - 1} were given up: {reason}"].append(unit.bag.name)
    notes = [f"{_named(names)}: {note}" for note, names in bags.items()]
    if len(topics) > 1:
        notes += [f"{_named(names)}: {topic}" for topic, names in topics.items()]
    missing = [unit for unit in whole.units if unit not in whole.given_up and store.complete(unit) is None]
    if missing:
        frames = sum(map(len, missing))
        notes.append(f"not finished: {len(missing)} of {len(whole.units)} units with {frames} frames are still to do")
    return notes


def _pieces(whole: Whole, store: UnitStore) -> Iterator[tuple[Survey | Unit, Complete | str]]:
    """What the whole is made of, in order: units that are done, and recordings and units that are not, with why."""
    units = defaultdict[str, list[Unit]](list)
    for unit in whole.units:
        units[unit.bag.name].append(unit)
    for survey in whole.surveys:
        if survey.reason:
            yield survey, f"the recording could not be read: {survey.reason}"
        for unit in units[survey.bag.name]:
            done = store.complete(unit)
            if done is not None:
                yield unit, done
            elif unit in whole.given_up:
                yield unit, f"given up: {whole.given_up[unit]}"


def _records(whole: Whole, store: UnitStore) -> Iterator[tuple[FrameRecord, Unit | None]]:
    """Records with the indices that they have in their units, and the unit if it is done."""
    for piece, state in _pieces(whole, store):
        name = piece.bag.name
        if isinstance(piece, Survey):
            yield FrameRecord(0, name, name, skipped=str(state)), None
        elif isinstance(state, str):
            for number in range(piece.start, piece.stop):
                yield FrameRecord(number, f"{name}/frame {number}", name, skipped=state), None
        else:
            yield from ((record, piece) for record in store.folder(piece).records())


def _pictured(whole: Whole, store: UnitStore) -> set[int]:
    """Places in the whole of the frames whose pictures are kept."""
    places: list[int] = []
    errors: list[float | None] = []
    first = 0
    for piece, state in _pieces(whole, store):
        if isinstance(piece, Unit) and isinstance(state, Complete):
            places += [first + number - piece.start for number in state.places]
            errors += state.errors
        first += len(piece) if isinstance(piece, Unit) else 1
    return chosen(places, errors, first)


def _named(names: Sequence[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")
