# SPDX-License-Identifier: Apache-2.0
"""Scores of models as markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from depthpro_ros.evaluation.comparison import Comparison, Result, Row
from depthpro_ros.machine import machine


@dataclass(frozen=True)
class Figure:
    """A column of `Row`: how it is called, where it is, and which way is better."""

    title: str
    read: Callable[[Row], float]
    higher_is_better: bool


DELTA1 = Figure("delta1, metric ↑", lambda row: row.delta1, True)
ABS_REL_METRIC = Figure("abs_rel, metric ↓", lambda row: row.abs_rel_metric, False)
ABS_REL = Figure("abs_rel, median scale ↓", lambda row: row.abs_rel, False)
BOUNDARY_F1 = Figure("boundary F1 ↑", lambda row: row.boundary_f1, True)


@dataclass(frozen=True)
class Run:
    """How results were made.

    Attributes:
        models: as given on the command line.
        scenes: how many held-out scenes.
        kinect: whether the dining room was there.
        devices: what the models computed on, such as `cpu`.
    """

    models: tuple[str, ...]
    scenes: int
    kinect: bool
    devices: tuple[str, ...]

    @property
    def command(self) -> str:
        """What to type for the same figures; folders of this machine are left out."""
        models = [Path(model).name if Path(model).is_absolute() else model for model in self.models]
        parts = ["python -m depthpro_ros.evaluation.held_out", *(f"--model {model}" for model in models)]
        return " ".join([*parts, f"--count {self.scenes}", *(["--kinect FOLDER"] if self.kinect else [])])


def table(results: Sequence[Result]) -> str:
    """All figures, one column for each model, and one for the best of the trivial predictors.

    Args:
        results: at least one, all of the same scenes and sets.
    """
    models = [result.model for result in results]
    lines = [f"| images | figure | {' | '.join(models)} | best trivial |", "|---" * (len(models) + 3) + "|"]
    lines += _rows([result.scenes for result in results], DELTA1, ABS_REL_METRIC, ABS_REL, BOUNDARY_F1)
    for percent in (25, 50):
        own = [f"{result.focal.share_within(percent / 100):.3f}" for result in results]
        trivial = results[0].trivial_focal.share_within(percent / 100)
        lines.append(
            f"| {_images(results[0].scenes)} | focal within {percent} % ↑ | {' | '.join(own)} "
            f"| {trivial:.3f} (median field of view) |"
        )
    for kind in zip(*(result.kinds for result in results), strict=True):
        lines += _rows(kind, DELTA1, ABS_REL, BOUNDARY_F1)
    for real in zip(*(result.real for result in results), strict=True):
        lines += _rows(real, DELTA1, ABS_REL)
    lines.append("")
    lines += [
        f"{result.model} against the best trivial predictor on held-out scenes: abs_rel x{result.abs_rel_ratio:.2f}, "
        f"delta1 x{result.delta1_ratio:.2f}."
        for result in results
    ]
    return "\n".join(lines)


def page(results: Sequence[Result], skipped: Sequence[str], run: Run) -> str:
    """The report as a page of its own."""
    paragraphs = [
        "# What the models score",
        f"Written by `{run.command} --markdown FILE`, on {machine(run.devices)}. Do not edit; run it again.",
        "All depths are made with the true focal length and scored up to 80 m. delta1 is the share of pixels within "
        "25 % of the true depth and abs_rel the mean of |p - d| / d, both in metres as predicted, or after scaling "
        "each image by median(truth) / median(prediction). Boundary F1 is Depth Pro's, blind to scale. Focal lengths "
        "are the model's own estimates. Every figure is a mean over images.",
        "The trivial predictors look at no pixel: the median depth (constant), flat ground below a level camera of "
        "mean height (ground_plane), and the mean depth of each pixel (mean_map) of 256 training scenes. For each "
        "figure the best of the three is shown. On real sets they know nothing of these places either.",
        table(results),
        *(f"Skipped: {reason}." for reason in skipped),
    ]
    return "\n\n".join(paragraphs) + "\n"


def _rows(comparisons: Sequence[Comparison], *figures: Figure) -> list[str]:
    """One line for each figure; the models' comparisons are of the same images."""
    first = comparisons[0]
    lines = []
    for figure in figures:
        best = (max if figure.higher_is_better else min)(first.trivial, key=figure.read)
        values = " | ".join(f"{figure.read(comparison.model):.3f}" for comparison in comparisons)
        lines.append(f"| {_images(first)} | {figure.title} | {values} | {figure.read(best):.3f} ({best.predictor}) |")
    return lines


def _images(comparison: Comparison) -> str:
    return f"{comparison.name} ({comparison.images})"
