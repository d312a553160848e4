# SPDX-License-Identifier: Apache-2.0
"""Opening data sets with what a command line says of them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from depthpro_ros.errors import DataError, InputError
from depthpro_ros.evaluation.datasets import DATASETS, ids_sha256, open_dataset
from depthpro_ros.evaluation.datasets.dataset import Dataset
from depthpro_ros.evaluation.datasets.formats.files import MissingFile
from depthpro_ros.evaluation.run.frames import Selection


def parse_options(name: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """Options of a data set from words: `true` and `false` where it takes these, else text.

    Args:
        name: one of `DATASETS`.
        texts: by option.

    Raises:
        InputError: an unknown option, or another word than true and false.
    """
    known = inspect.signature(DATASETS[name]).parameters
    options: dict[str, Any] = {}
    for key, text in texts.items():
        if key not in known or key == "root":
            names = ", ".join(option for option in known if option != "root") or "none"
            raise InputError(f"data set {name} has no option {key!r}, it has {names}")
        if isinstance(known[key].default, bool):
            if text not in ("true", "false"):
                raise InputError(f"option {key} of data set {name} is {text!r}, expected true or false")
            options[key] = text == "true"
        else:
            options[key] = text
    return options


def option_help(name: str) -> str:
    """The options of a data set with their defaults, on one line; empty without any."""
    known = inspect.signature(DATASETS[name]).parameters
    return ", ".join(f"{key}={_word(value.default)}" for key, value in known.items() if key != "root")


def opened_dataset(name: str, root: Path, options: Mapping[str, Any], *, blame_options: bool = False) -> Dataset[Any]:
    """Open a data set.

    Args:
        name, root, options: see `open_dataset`.
        blame_options: some options are the user's own, so an error may be of their making.

    Raises:
        DataError: it is not there, or cannot be read.
        InputError: an option that it does not take.
    """
    try:
        return open_dataset(name, root, **options)
    except MissingFile as error:
        raise DataError(str(error)) from error
    except InputError as error:
        if blame_options:
            raise
        raise DataError(str(error)) from error


def frames_identity(dataset: Dataset[Any], options: Mapping[str, Any], selection: Selection) -> dict[str, str]:
    """Which images these are, for `Settings.extra`: results of other ones do not compare."""
    ids = [dataset.entries[number].id for number in selection.of([None] * len(dataset))]
    return {
        "data set": ", ".join([dataset.name, *(f"{key}={value}" for key, value in options.items())]),
        "images": f"{len(ids)}, SHA-256 of their ids {ids_sha256(ids)}",
    }


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
