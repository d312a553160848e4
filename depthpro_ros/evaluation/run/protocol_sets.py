# SPDX-License-Identifier: Apache-2.0
"""Which data sets of a protocol are there, and where."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from depthpro_ros.errors import DataError, InputError
from depthpro_ros.evaluation.datasets import DATASETS
from depthpro_ros.evaluation.datasets.dataset import Dataset
from depthpro_ros.evaluation.protocol import Protocol, ProtocolSet, protocol_names, read_protocol
from depthpro_ros.evaluation.run.dataset_options import opened_dataset, parse_options


@dataclass(frozen=True)
class Wish:
    """What a user says of a protocol's sets, by their titles.

    Attributes:
        titles: only these; all where empty.
        roots: folders that are not where they are looked for.
        options: for the data set, as words.
    """

    titles: tuple[str, ...] = ()
    roots: Mapping[str, Path] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class FoundSet:
    """A set that is there.

    Attributes:
        column: what the protocol says of it.
        folder: its name for a folder.
        dataset: open.
        options: that it was opened with.
    """

    column: ProtocolSet
    folder: str
    dataset: Dataset[Any]
    options: dict[str, Any]


@dataclass(frozen=True)
class MissingSet:
    """A set that is not there.

    Attributes:
        reason: with the expected tree.
    """

    column: ProtocolSet
    reason: str


def folder_names(protocol: Protocol) -> dict[str, str]:
    """By title: the data set's name, or the title where several sets are of one data set.

    Raises:
        InputError: two sets would share a folder.
    """
    counts = Counter(each.dataset for each in protocol.sets)
    names = {
        each.title: each.dataset if counts[each.dataset] == 1 else re.sub(r"[^\w.-]+", "_", each.title)
        for each in protocol.sets
    }
    shared = [title for title, name in names.items() if list(names.values()).count(name) > 1]
    if shared:
        raise InputError(f"{protocol.title}: sets {', '.join(shared)} would share a folder: give them other titles")
    return names


def find_sets(protocol: Protocol, root: Path, wish: Wish) -> tuple[list[FoundSet], list[MissingSet]]:
    """Open every wanted set, each in a folder below `root` unless it is said to be elsewhere.

    Raises:
        InputError: a title or an option that there is not.
        DataError: a folder that was named is not there, or none of the wanted sets is.
    """
    for title in (*wish.titles, *wish.roots, *wish.options):
        protocol.of(title)
    names = folder_names(protocol)
    found: list[FoundSet] = []
    missing: list[MissingSet] = []
    for column in protocol.sets:
        title = column.title
        if wish.titles and title not in wish.titles:
            continue
        own = parse_options(column.dataset, wish.options.get(title, {}))
        options = {**column.options, **own}
        path = wish.roots.get(title, root / names[title])
        try:
            dataset = opened_dataset(column.dataset, path, options, blame_options=bool(own))
        except DataError as error:
            if title in wish.roots:
                raise
            missing.append(MissingSet(column, str(error)))
        else:
            found.append(FoundSet(column, names[title], dataset, options))
    if not found:
        reasons = "\n".join(f"{each.column.title}: {each.reason}" for each in missing)
        raise DataError(f"nothing to evaluate of {protocol.title} in {root}:\n{reasons}")
    return found, missing


def dataset_of(title: str) -> str:
    """The data set of the set with this title in a bundled protocol.

    Raises:
        InputError: none has it.
    """
    columns = [column for name in protocol_names() for column in read_protocol(name).sets]
    for column in columns:
        if column.title == title:
            return column.dataset
    titles = dict.fromkeys(column.title for column in columns)
    raise InputError(f"no data set {title!r}: use one of {', '.join((*DATASETS, *titles))}")
