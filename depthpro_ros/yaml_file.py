# SPDX-License-Identifier: Apache-2.0
"""YAML files that people write, read with bounds on what they may ask of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from depthpro_ros.errors import InputError

MAX_BYTES = 1 << 20
MAX_VALUES = 100_000
"""Of a file, each counted as often as aliases repeat it: a few lines of them can stand for billions."""


def read_yaml_file(path: Path, what: str) -> Any:
    """The plain values in a YAML file; None for an empty one.

    Args:
        path: of the file, UTF-8.
        what: that an error calls it.

    Raises:
        InputError: missing, too long, not YAML, with tags of another language's objects, or with aliases that stand
            for too much.
    """
    import yaml

    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{what} {path} cannot be read: {error}") from error
    if len(content) > MAX_BYTES:
        raise InputError(f"{what} {path} is longer than {MAX_BYTES} bytes: this is not what a person wrote")
    try:
        loader = yaml.SafeLoader(content.decode())
        try:
            root = loader.get_single_node()
            if root is None:
                return None
            _check_size(root, f"{what} {path}")
            return loader.construct_document(root)
        finally:
            loader.dispose()
    except InputError:
        raise
    except Exception as error:  # besides its own, PyYAML raises what damaged numbers and dates raise
        raise InputError(f"{what} {path} is not YAML: {error}") from error


def _check_size(root: Any, what: str) -> None:
    """Count the values under each node, those of an alias again at each place."""
    counted: dict[int, int] = {}
    open_: set[int] = set()

    def count(node: Any) -> int:
        if id(node) in counted:
            return counted[id(node)]
        if id(node) in open_:
            raise InputError(f"{what} has an alias within what it stands for")
        open_.add(id(node))
        children = node.value if isinstance(node.value, list) else []
        total = 1
        for child in children:
            total += sum(map(count, child)) if isinstance(child, tuple) else count(child)
        open_.discard(id(node))
        counted[id(node)] = total
        return total

    if count(root) > MAX_VALUES:
        raise InputError(f"{what} holds more than {MAX_VALUES} values, counted as often as its aliases repeat them")
