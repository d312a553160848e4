# SPDX-License-Identifier: Apache-2.0
"""YAML that asks for too much is refused."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

pytest.importorskip("yaml")

from depthpro_ros.errors import InputError
from depthpro_ros.yaml_file import MAX_BYTES, read_yaml_file


def written(folder: Path, text: str) -> Path:
    path = folder / "a.yaml"
    path.write_text(text)
    return path


def test_plain_values_and_aliases_are_read(tmp_path: Path) -> None:
    text = "a: &one {x: 1.5, y: [1, two]}\nb: *one\nc: {<<: *one, x: 2}\n"
    one = {"x": 1.5, "y": [1, "two"]}
    assert read_yaml_file(written(tmp_path, text), "file") == {"a": one, "b": one, "c": one | {"x": 2}}
    assert read_yaml_file(written(tmp_path, ""), "file") is None


def test_aliases_that_stand_for_billions_are_refused_at_once(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    begun = time.process_time()
    with pytest.raises(InputError, match="more than 100000 values"):
        read_yaml_file(written(tmp_path, "\n".join(lines)), "file")
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("&a [*a]", "within what it stands for"),
        ("[" * 5000, "not YAML"),
        ("!!python/object/apply:os.system [ls]", "not YAML.*could not determine a constructor"),
        ("a: 2001-99-99", "not YAML"),
        ("a: !!timestamp 1", "not YAML"),
        ("a: 0x_", "not YAML"),
        ("? [a]\n: b", "not YAML"),
        ("a: [", "not YAML"),
        ("#" * (MAX_BYTES + 1), "longer than"),
    ],
)
def test_what_is_refused_is_told_why(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InputError, match=f"(?s)^file .*a.yaml.*{problem}"):
        read_yaml_file(written(tmp_path, text), "file")


def test_a_missing_file_and_one_that_is_no_text_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_yaml_file(tmp_path / "none.yaml", "file")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not YAML"):
        read_yaml_file(tmp_path / "b.yaml", "file")
