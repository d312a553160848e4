# SPDX-License-Identifier: Apache-2.0
"""A model beside the trivial predictors on the same images."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from depthpro_ros.evaluation.boundaries import boundary_f1
from depthpro_ros.evaluation.focal import FocalScores
from depthpro_ros.evaluation.metrics import FloatMap, score_depth
from depthpro_ros.evaluation.trivial import FAR_M


@dataclass(frozen=True)
class Row:
    """Scores of one image, or their means over images, given the true focal length.

    Attributes:
        predictor: its name.
        abs_rel: after scaling each prediction by median(truth) / median(prediction).
        abs_rel_metric, delta1: in metres as they are, without alignment.
        boundary_f1: scale-invariant (see `boundaries`).
    """

    predictor: str
    abs_rel: float
    abs_rel_metric: float
    delta1: float
    boundary_f1: float

    @classmethod
    def of(cls, predictor: str, predicted_m: FloatMap, truth_m: FloatMap) -> Row:
        """Score one image; truth is NaN where unknown, +inf for sky. Predictions end at `FAR_M`, but for edges."""
        bounded = np.minimum(predicted_m, FAR_M)
        metric = score_depth(bounded, truth_m)
        aligned = score_depth(bounded, truth_m, align=True)
        return cls(predictor, aligned.abs_rel, metric.abs_rel, metric.delta1, boundary_f1(predicted_m, truth_m))

    @classmethod
    def mean(cls, rows: Sequence[Row]) -> Row:
        """Mean over images; an image without ground truth within range has no depth scores and is left out there."""

        def of(read: Callable[[Row], float]) -> float:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # a mean of nothing is NaN
                return float(np.nanmean([read(row) for row in rows]))

        return cls(
            rows[0].predictor,
            of(lambda row: row.abs_rel),
            of(lambda row: row.abs_rel_metric),
            of(lambda row: row.delta1),
            of(lambda row: row.boundary_f1),
        )


@dataclass(frozen=True)
class Comparison:
    """Means over the images of one set.

    Attributes:
        name: of the set.
        images: how many.
        model, trivial: the model, and every trivial predictor.
    """

    name: str
    images: int
    model: Row
    trivial: tuple[Row, ...]

    @classmethod
    def of(cls, name: str, images: Sequence[tuple[Row, ...]]) -> Comparison:
        """From each image's rows, the model's first, the others in the same order."""
        model, *trivial = (Row.mean(rows) for rows in zip(*images, strict=True))
        return cls(name, len(images), model, tuple(trivial))

    @property
    def abs_rel_ratio(self) -> float:
        """The model's abs_rel over the best trivial one: below 1 is better."""
        return self.model.abs_rel / min(row.abs_rel for row in self.trivial)

    @property
    def delta1_ratio(self) -> float:
        """The model's delta1 over the best trivial one: above 1 is better."""
        return self.model.delta1 / max(row.delta1 for row in self.trivial)


@dataclass(frozen=True)
class Result:
    """Everything about one model.

    Attributes:
        model: its name.
        scenes: on all held-out scenes.
        kinds: the same by kind of scene.
        real: on each real set.
        focal, trivial_focal: estimated focal lengths on the held-out scenes, and those of one field of view for all.
    """

    model: str
    scenes: Comparison
    kinds: tuple[Comparison, ...]
    real: tuple[Comparison, ...]
    focal: FocalScores
    trivial_focal: FocalScores

    @property
    def abs_rel_ratio(self) -> float:
        """Of the held-out scenes."""
        return self.scenes.abs_rel_ratio

    @property
    def delta1_ratio(self) -> float:
        """Of the held-out scenes."""
        return self.scenes.delta1_ratio
