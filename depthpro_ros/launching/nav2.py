# SPDX-License-Identifier: Apache-2.0
"""Costmap layers for our clouds, merged into somebody's Nav2 parameters."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from depthpro_ros.errors import InputError
from depthpro_ros.yaml_file import read_yaml_file

SOURCES, PLUGINS = "observation_sources", "plugins"
POINTS = "/depth/points"
"""The topic in our layers: absolute, since Humble's and Jazzy's costmaps look for relative ones in their own place."""


def write_parameters(theirs: Path, ours: Path, namespace: str) -> Path:
    """Write a parameters file with both, and return where: a new temporary file.

    Args:
        theirs: Nav2 parameters.
        ours: costmap layers.
        namespace: of the depth node.

    Raises:
        InputError: a file is not there, or is no YAML mapping.
    """
    import yaml

    both = merged(_read(theirs), in_namespace(_read(ours), namespace))
    with tempfile.NamedTemporaryFile("w", prefix="depthpro_nav2_", suffix=".yaml", delete=False) as file:
        yaml.safe_dump(both, file, sort_keys=False)
    return Path(file.name)


def merged(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    """Theirs, with ours added; ours win where both name a value.

    Two kinds of values are not replaced: `observation_sources` gets our sources besides theirs, and `plugins` our
    layers, before an inflation layer, which has to see them.
    """
    result = dict(theirs)
    for key, value in ours.items():
        there = result.get(key)
        if key == SOURCES and there:
            result[key] = " ".join(dict.fromkeys([*there.split(), *value.split()]))
        elif key == PLUGINS and there:
            result[key] = _with_layers(there, value, theirs)
        elif isinstance(value, Mapping):
            result[key] = merged(there if isinstance(there, Mapping) else {}, value)
        else:
            result[key] = value
    return result


def _with_layers(theirs: list[str], ours: list[str], layers: Mapping[str, Any]) -> list[str]:
    """Names of layers in their order; ours that are missing come before the first that inflates."""
    inflating = [n for n in theirs if "Inflation" in str(layers.get(n, {}).get("plugin", ""))]
    place = theirs.index(inflating[0]) if inflating else len(theirs)
    new = [n for n in ours if n not in theirs]
    return [*theirs[:place], *new, *theirs[place:]]


def in_namespace(layers: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    """Our layers, with the topic of a depth node in this namespace."""
    name = "/".join(["", *filter(None, namespace.split("/"))])
    return {
        key: in_namespace(value, namespace)
        if isinstance(value, Mapping)
        else (name + value if value == POINTS else value)
        for key, value in layers.items()
    }


def _read(path: Path) -> dict[str, Any]:
    values = read_yaml_file(path.expanduser(), "the Nav2 parameters")
    if not isinstance(values, dict):
        raise InputError(f"{path} holds {type(values).__name__}, expected a mapping such as local_costmap: ...")
    return values
