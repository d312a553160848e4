# SPDX-License-Identifier: Apache-2.0
"""How recordings are cut."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from depthpro_ros.evaluation.bags.topics import Choice
from depthpro_ros.evaluation.fleet.find import Bag
from depthpro_ros.evaluation.fleet.units import Survey, Unit, units_of


def bag(name: str) -> Bag:
    return Bag(Path("/fleet") / name, name, "1 bytes at 2")


@given(st.lists(st.integers(0, 60), max_size=5), st.integers(1, 25))
def test_every_frame_is_in_one_unit_and_in_order(frames: list[int], shard: int) -> None:
    surveys = [Survey(bag(f"run_{number}"), count) for number, count in enumerate(frames)]
    units = units_of(surveys[::-1], shard)
    covered = [(unit.bag.name, number) for unit in units for number in range(unit.start, unit.stop)]
    assert covered == [(survey.bag.name, number) for survey in surveys for number in range(survey.frames)]
    assert all(0 < len(unit) <= shard for unit in units)


def test_where_a_recording_is_cut_does_not_depend_on_the_others() -> None:
    alone = units_of([Survey(bag("b"), 1200)])
    among_others = units_of([Survey(bag("a"), 333), Survey(bag("b"), 1200), Survey(bag("c"), 1)])
    bounds = [(unit.start, unit.stop) for unit in alone]
    assert bounds == [(0, 500), (500, 1000), (1000, 1200)]
    assert [(unit.start, unit.stop) for unit in among_others if unit.bag.name == "b"] == bounds


def test_folders_of_units_have_names_of_their_own() -> None:
    # the same but for what a file name cannot hold
    units = [Unit(bag(name), start, 9) for name in ("a/b", "a_b", "a b", "ä", "ö") for start in (0, 3)]
    folders = [unit.folder_name for unit in units]
    assert len(set(folders)) == len(units)
    assert not any(set(folder) & set("/ ä") for folder in folders)


def test_a_survey_survives_json() -> None:
    choice = Choice("/image", None, "/depth", "registered", reason="told")
    for survey in (Survey(bag("a"), 7, choice, ("note",)), Survey(bag("b"), reason="broken")):
        assert Survey.from_json(json.loads(json.dumps(survey.to_json()))) == survey
