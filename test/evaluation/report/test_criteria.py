# SPDX-License-Identifier: Apache-2.0
"""Criteria fail an evaluation when they are true, and when nothing is known."""

from __future__ import annotations

import dataclasses
import math

import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.aggregate import aggregate
from depthpro_ros.evaluation.report.criteria import Criterion, CriterionResult, check
from depthpro_ros.evaluation.results.summary import Summary, summarise
from test.evaluation.report.synthetic import Synthetic


def summary_with(**figures: list[float]) -> Summary:
    empty = summarise(Synthetic().run_info(), [])
    return dataclasses.replace(empty, figures={name: aggregate(values) for name, values in figures.items()})


def result(text: str, summary: Summary) -> CriterionResult:
    (only,) = check([Criterion.parse(text)], summary)
    return only


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        ("abs_rel>0.2", False),
        ("abs_rel>=0.2", True),
        ("abs_rel<0.2", False),
        ("abs_rel<=0.2", True),
        (" abs_rel > 0.19 ", True),
        ("abs_rel<2.1e-1", True),
    ],
)
def test_the_mean_is_held_against_the_limit(text: str, failed: bool) -> None:
    found = result(text, summary_with(abs_rel=[0.1, 0.3]))
    assert found.failed is failed and found.value == pytest.approx(0.2)
    assert bool(found.reason) is failed


def test_an_alignment_is_part_of_the_name() -> None:
    summary = summary_with(abs_rel=[0.5], **{"abs_rel@median_scale": [0.1]})
    assert result("abs_rel>0.3", summary).failed
    assert not result("abs_rel@median_scale>0.3", summary).failed


def test_nan_fails_and_says_so() -> None:
    found = result("abs_rel>0.2", summary_with(abs_rel=[math.nan, math.nan]))
    assert found.failed and "NaN in all 2 frames" in found.reason
    assert found.to_json()["value"] is None


def test_a_missing_figure_fails_and_says_so() -> None:
    found = result("boundary_f1<0.2", summary_with(abs_rel=[0.1]))
    assert found.failed and "no frame has boundary_f1" in found.reason
    assert found.text.startswith("FAILED boundary_f1<0.2: ")


def test_without_frames_all_criteria_fail() -> None:
    assert result("abs_rel>0.2", summarise(Synthetic().run_info(), [])).failed


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("absrel>0.12", "no figure 'absrel'"),
        ("abs_rel@mean>0.12", "alignment 'mean' is unknown"),
        ("abs_rel@none>0.12", "alignment 'none' is unknown"),
        ("abs_rel=0.12", "expected a figure"),
        ("abs_rel>", "expected a figure"),
        ("abs_rel>much", "no limit"),
        ("abs_rel>nan", "no limit"),
        ("", "expected a figure"),
    ],
)
def test_what_cannot_be_meant_is_an_error(text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        Criterion.parse(text)


def test_results_are_recorded() -> None:
    found = result("abs_rel>0.2", summary_with(abs_rel=[0.25]))
    assert found.to_json() == {
        "criterion": "abs_rel>0.2",
        "value": 0.25,
        "failed": True,
        "reason": "the mean of 1 frames is 0.25",
    }
