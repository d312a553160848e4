# SPDX-License-Identifier: Apache-2.0
"""Conditions under which an evaluation fails, for continuous integration."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.alignment import AlignmentMode
from depthpro_ros.evaluation.results.figures import aligned, figure, shown
from depthpro_ros.evaluation.results.summary import Summary

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
FORM = re.compile(r"\s*([\w@]+)\s*(>=|<=|>|<)\s*(\S+)\s*")


@dataclass(frozen=True)
class Criterion:
    """The evaluation fails if the mean of a figure over frames is beyond a limit.

    Attributes:
        name: of the figure, such as `abs_rel` or `abs_rel@median_scale`.
        operator: one of > >= < <=; what is true fails.
        limit: in the figure's unit.
    """

    name: str
    operator: str
    limit: float

    @classmethod
    def parse(cls, text: str) -> Criterion:
        """From `abs_rel>0.12`.

        Raises:
            InputError: another form, a figure or alignment that there is not, or a limit that is no finite number.
        """
        found = FORM.fullmatch(text)
        if found is None:
            raise InputError(f"criterion {text!r}: expected a figure, one of > >= < <=, and a number: abs_rel>0.12")
        name, sign, number = found.groups()
        figure(name)
        _, at, alignment = name.partition("@")
        if at and alignment not in get_args(AlignmentMode)[1:]:
            raise InputError(
                f"criterion {text!r}: alignment {alignment!r} is unknown: use one of "
                f"{', '.join(get_args(AlignmentMode)[1:])}, or no @ for none"
            )
        try:
            limit = float(number)
        except ValueError:
            limit = math.nan
        if not math.isfinite(limit):
            raise InputError(f"criterion {text!r}: {number!r} is no limit, expected a finite number such as 0.12")
        return cls(name, sign, limit)

    def __str__(self) -> str:
        return f"{self.name}{self.operator}{self.limit:g}"


@dataclass(frozen=True)
class CriterionResult:
    """What became of a criterion.

    Attributes:
        criterion: what was asked.
        value: mean over frames; NaN if there is none.
        failed: whether it fails the evaluation.
        reason: why it does; empty if it does not.
    """

    criterion: Criterion
    value: float
    failed: bool
    reason: str = ""

    @property
    def text(self) -> str:
        """One line for a report."""
        if self.failed:
            return f"FAILED {self.criterion}: {self.reason}"
        return f"passed {self.criterion}: {shown(self.criterion.name, self.value)}"

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        value = None if math.isnan(self.value) else self.value
        return {"criterion": str(self.criterion), "value": value, "failed": self.failed, "reason": self.reason}


def check(criteria: Sequence[Criterion], summary: Summary) -> tuple[CriterionResult, ...]:
    """Hold a summary against criteria; a figure that nothing is known of fails."""
    return tuple(_check(criterion, summary) for criterion in criteria)


def _check(criterion: Criterion, summary: Summary) -> CriterionResult:
    found = summary.figures.get(criterion.name)
    if found is None:
        reason = f"no frame has {criterion.name}: was it asked for?"
        if not summary.metric and "@" not in criterion.name:
            reason += f" Depth up to scale has scores after alignment only, as {_example(criterion.name, summary)}"
        return CriterionResult(criterion, math.nan, True, reason)
    if math.isnan(found.mean):
        return CriterionResult(criterion, math.nan, True, f"{criterion.name} is NaN in all {found.missing} frames")
    failed = OPERATORS[criterion.operator](found.mean, criterion.limit)
    reason = f"the mean of {found.images} frames is {found.mean:.6g}" if failed else ""
    return CriterionResult(criterion, found.mean, failed, reason)


def _example(name: str, summary: Summary) -> str:
    modes = summary.run.settings.alignments
    return aligned(name, modes[0] if modes else "median_ratio")
