# SPDX-License-Identifier: Apache-2.0
"""Every figure that a frame can have: its name, title, unit, and which way is better.

A name with `@`, such as `abs_rel@median_scale`, is the figure after that alignment; without, nothing was aligned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from depthpro_ros.errors import InputError

Better = Literal["lower", "higher", "neither"]
HEADLINE = ("abs_rel", "delta1", "rmse", "silog", "bias", "scale")
"""What the first table of a report shows for each alignment."""


@dataclass(frozen=True)
class Figure:
    """How to show a figure.

    Attributes:
        name: in files and options.
        title: in reports.
        unit: empty for shares and ratios.
        better: lower, higher, or neither.
        digits: after the point.
    """

    name: str
    title: str
    unit: str = ""
    better: Better = "lower"
    digits: int = 3


FIGURES = {
    figure.name: figure
    for figure in (
        Figure("abs_rel", "abs_rel"),
        Figure("sq_rel", "sq_rel", "m"),
        Figure("sq_rel_kitti", "sq_rel (KITTI)"),
        Figure("rmse", "rmse", "m"),
        Figure("mae", "mae", "m"),
        Figure("rmse_log", "rmse_log"),
        Figure("log10", "log10"),
        Figure("silog", "silog", digits=2),
        Figure("delta1", "delta1", better="higher"),
        Figure("delta2", "delta2", better="higher"),
        Figure("delta3", "delta3", better="higher"),
        Figure("delta1_complement", "1 - delta1"),
        Figure("delta_102", "delta 1.02", better="higher"),
        Figure("delta_103", "delta 1.03", better="higher"),
        Figure("delta_105", "delta 1.05", better="higher"),
        Figure("delta_110", "delta 1.10", better="higher"),
        Figure("median_log", "100 |median log ratio|", digits=2),
        Figure("bias", "bias", better="neither"),
        Figure("ratio", "median p / d", better="neither"),
        Figure("scale", "fitted scale", better="neither"),
        Figure("invalid_share", "invalid share", digits=4),
        Figure("boundary_f1", "boundary F1", better="higher"),
        Figure("boundary_recall", "boundary recall", better="higher"),
        Figure("pe_fla", "plane flatness", "cm", digits=2),
        Figure("pe_ori", "plane orientation", "deg", digits=2),
        Figure("pe_planes", "planes", better="neither", digits=0),
        Figure("dbe_acc", "depth boundary error, accuracy", "px", digits=2),
        Figure("dbe_comp", "depth boundary error, completeness", "px", digits=2),
        Figure("chamfer_m", "chamfer distance", "m"),
        Figure("f_score_005", "F-score at 5 cm", better="higher"),
        Figure("f_score_010", "F-score at 10 cm", better="higher"),
        Figure("f_score_025", "F-score at 25 cm", better="higher"),
        Figure("f_score_1pc", "F-score at 1 % of the range", better="higher"),
        Figure("f_score_5pc", "F-score at 5 % of the range", better="higher"),
        Figure("flicker", "flicker", digits=4),
        Figure("opw", "OPW", digits=4),
        Figure("reprojection", "reprojection error"),
        Figure("frame_scale", "scale that the frame lacks", better="neither"),
        Figure("focal_error", "focal length error"),
        Figure("focal_ratio", "estimated / true focal length", better="neither"),
        Figure("model_ms", "model", "ms", digits=1),
        Figure("pipeline_ms", "pipeline", "ms", digits=1),
        Figure("frame_ms", "whole frame", "ms", digits=1),
        Figure("latency_ms", "latency", "ms", digits=1),
    )
}


def figure(name: str) -> Figure:
    """How to show a figure, with its alignment in the title.

    Raises:
        InputError: there is no figure of this name.
    """
    base, _, alignment = name.partition("@")
    if base not in FIGURES:
        raise InputError(f"there is no figure {base!r}; there are {', '.join(FIGURES)}")
    known = FIGURES[base]
    if not alignment:
        return known
    return Figure(name, f"{known.title}, {alignment.replace('_', ' ')}", known.unit, known.better, known.digits)


def aligned(name: str, alignment: str) -> str:
    """The name of a figure after an alignment."""
    return name if alignment == "none" else f"{name}@{alignment}"


def shown(name: str, value: float) -> str:
    """A value with its digits and unit; `-` for none."""
    known = figure(name)
    if value != value:
        return "-"
    return f"{value:.{known.digits}f}{' ' + known.unit if known.unit else ''}"
