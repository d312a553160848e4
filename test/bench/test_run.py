# SPDX-License-Identifier: Apache-2.0
"""Running parts, with parts that measure nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from depthpro_ros.bench.parts import PARTS, Part, Run, chosen
from depthpro_ros.bench.results import DeviceResults, Figure, PartResult, Row, RunContext, Table
from depthpro_ros.bench.run import run_parts
from depthpro_ros.errors import InputError


@dataclass(frozen=True)
class FakePart(Part):
    value: float = 1.0
    asked: list[RunContext] = field(default_factory=list)

    def load(self) -> Run:
        def run(context: RunContext) -> PartResult:
            self.asked.append(context)
            if self.value < 0:
                raise RuntimeError("it broke")
            table = Table("Speed", "what", ("time",), (Row("all", (Figure.once(self.value, "ms"),)),))
            return PartResult(self.name, (table,))

        return run


def measured(folder) -> dict[str, float]:
    (path,) = folder.glob("*.json")
    results = DeviceResults.from_json(path.read_text(encoding="utf-8"))
    return {part.part: part.tables[0].rows[0].cells[0].value for part in results.parts}


def run(folder, *parts, **options) -> int:
    return run_parts(parts, folder, command="depthpro bench", device="cpu", say=lambda line: None, **options)


def test_parts_are_kept_with_where_they_come_from(tmp_path):
    assert run(tmp_path, FakePart("machine", "")) == 0
    (path,) = tmp_path.glob("*.json")
    (part,) = DeviceResults.from_json(path.read_text(encoding="utf-8")).parts
    assert part.provenance is not None
    assert part.provenance.command == "depthpro bench" and part.provenance.torch and part.provenance.threads >= 1


def test_other_parts_of_the_same_device_are_kept(tmp_path):
    run(tmp_path, FakePart("machine", "", value=1.0), FakePart("node", "", value=2.0))
    run(tmp_path, FakePart("node", "", value=3.0))
    assert measured(tmp_path) == {"machine": 1.0, "node": 3.0}


def test_a_part_that_fails_is_said_and_keeps_neither_the_others_nor_its_old_figures_away(tmp_path, capsys):
    run(tmp_path, FakePart("machine", "", value=1.0))
    assert run(tmp_path, FakePart("machine", "", value=-1.0), FakePart("node", "", value=2.0)) == 1
    assert measured(tmp_path) == {"machine": 1.0, "node": 2.0}
    assert "it broke" in capsys.readouterr().err


def test_time_is_shared_among_the_parts(tmp_path):
    parts = FakePart("machine", "", 3.0), FakePart("node", "", 1.0)
    run(tmp_path, *parts, minutes=2.0)
    assert [part.asked[0].seconds for part in parts] == [90.0, 30.0]


def test_no_name_means_all_parts():
    assert chosen([]) == PARTS


def test_parts_run_in_their_own_order():
    assert [part.name for part in chosen(["node", "machine"])] == ["machine", "node"]


def test_an_unknown_part_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="choose from machine"):
        chosen(["speed"])


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_every_part_can_be_loaded(part):
    assert callable(part.load())
