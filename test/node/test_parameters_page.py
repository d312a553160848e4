# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from depthpro_ros.node import parameters_page
from depthpro_ros.node.outputs import TOPICS
from depthpro_ros.node.parameters import TABLE
from depthpro_ros.node.parameters_page import PAGE, main, page

DOCS = Path(__file__).parents[2] / "docs"


def test_the_committed_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m depthpro_ros.node.parameters_page"


def test_the_page_has_every_parameter_once() -> None:
    named = re.findall(r"^\| `(\w+)` \| `", page(), re.MULTILINE)
    assert sorted(named) == sorted(spec.name for spec in TABLE)


def test_check_tells_an_old_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parameters_page, "PAGE", tmp_path / "parameters.md")
    monkeypatch.setattr(sys, "argv", ["parameters_page", "--check"])
    assert main() == 1
    monkeypatch.setattr(sys, "argv", ["parameters_page"])
    assert main() == 0
    monkeypatch.setattr(sys, "argv", ["parameters_page", "--check"])
    assert main() == 0


def test_the_page_of_topics_has_every_output_with_its_type() -> None:
    rows = dict(re.findall(r"^\| `([\w/]+)` \| ([\w/]+)", (DOCS / "topics.md").read_text(), re.MULTILINE))
    expected = {name: f"{type_.__module__.split('.')[0]}/{type_.__name__}" for name, type_ in TOPICS.items()}
    assert {name: rows.get(name) for name in TOPICS} == expected


def test_parameters_that_other_pages_speak_of_exist() -> None:
    known = {spec.name for spec in TABLE}
    pages = "".join((DOCS / name).read_text() for name in ("tuning.md", "topics.md", "quick_start.md"))
    # `name: value` is how these pages write a setting
    settings = set(re.findall(r"`([a-z]\w*): [^`]*`", pages))
    assert settings and settings <= known | {"use_sim_time"}
