# SPDX-License-Identifier: Apache-2.0
"""Tables say what the results say."""

from __future__ import annotations

import os

from depthpro_ros.evaluation.comparison import Comparison, Result, Row
from depthpro_ros.evaluation.focal import score_focals
from depthpro_ros.evaluation.held_out_page import Run, page, table
from depthpro_ros.machine import machine


def result(model: str, abs_rel: float) -> Result:
    rows = (Row(model, abs_rel, 0.2, 0.9, 0.5), Row("near", 0.4, 0.8, 0.2, 0.0), Row("far", 0.8, 0.6, 0.3, 0.0))
    scenes = Comparison.of("held-out scenes", [rows])
    kinds = (Comparison.of("room", [rows]),)
    real = (Comparison.of("kinect_dining", [rows]),)
    return Result(model, scenes, kinds, real, score_focals([12.0], [10.0]), score_focals([14.0], [10.0]))


def cells(results: list[Result], figure: str, images: str) -> list[str]:
    (line,) = [line for line in table(results).splitlines() if f"| {images} (1) | {figure}" in line]
    return [cell.strip() for cell in line.strip("|").split("|")][2:]


def test_models_stand_side_by_side_with_the_best_trivial() -> None:
    results = [result("bundled", 0.25), result("candidate", 0.125)]
    assert cells(results, "abs_rel, median scale", "held-out scenes") == ["0.250", "0.125", "0.400 (near)"]
    assert cells(results, "abs_rel, metric", "held-out scenes") == ["0.200", "0.200", "0.600 (far)"]
    assert cells(results, "delta1", "kinect_dining") == ["0.900", "0.900", "0.300 (far)"]
    assert cells(results, "delta1", "room") == ["0.900", "0.900", "0.300 (far)"]


def test_focal_shares() -> None:
    """20 % off is within 25 %; 40 % off, by the median field of view, is not."""
    assert cells([result("m", 0.2)], "focal within 25 %", "held-out scenes")[:2] == [
        "1.000",
        "0.000 (median field of view)",
    ]
    assert cells([result("m", 0.2)], "focal within 50 %", "held-out scenes")[0] == "1.000"


def test_all_lines_of_the_table_have_the_same_columns() -> None:
    lines = [line for line in table([result("a", 0.2), result("b", 0.1)]).splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {6}


def test_the_page_says_how_it_was_made() -> None:
    run = Run(("depth_pro_nano", "/home/me/out/candidate.safetensors"), 256, True, ("cpu",))
    text = page([result("m", 0.2)], ["motorcycle: not there"], run)
    assert (
        "`python -m depthpro_ros.evaluation.held_out --model depth_pro_nano --model candidate.safetensors --count 256 "
        "--kinect FOLDER --markdown FILE`" in text
    )
    assert f"{os.cpu_count()} cores" in text and machine() in text
    assert "Skipped: motorcycle: not there." in text
    assert "/home/me" not in text
