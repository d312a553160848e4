# SPDX-License-Identifier: Apache-2.0
"""A scored frame, and those of its figures that need its camera."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.clouds import back_project, score_clouds
from depthpro_ros.evaluation.masks import BoolMap
from depthpro_ros.evaluation.planes import Plane, score_planes
from depthpro_ros.evaluation.run.frames import Predicted, SourceFrame

F_SCORES = {0.05: "f_score_005", 0.1: "f_score_010", 0.25: "f_score_025"}
RELATIVE_F_SCORES = {0.01: "f_score_1pc", 0.05: "f_score_5pc"}


@dataclass(frozen=True)
class Scored:
    """A frame that was scored: what the next one is compared with.

    Attributes:
        frame, predicted: what was scored, of any sizes.
        depth_m: the depth in metres, of the ground truth's size. Of a model up to scale it is what the headline's
            alignment made of it, and None without ground truth to align to.
        relative: of a model up to scale, its depth as it was, of the ground truth's size; else None.
    """

    frame: SourceFrame
    predicted: Predicted
    depth_m: NDArray[np.float32] | None
    relative: NDArray[np.float32] | None = None

    @property
    def depth(self) -> NDArray[np.float32]:
        """As the model said it, in metres or not."""
        depth = self.depth_m if self.relative is None else self.relative
        assert depth is not None
        return depth


def camera_of(scored: Scored) -> Intrinsics:
    """The camera that the depth was made with, for the depth's size.

    Raises:
        InputError: none is known.
    """
    camera = scored.predicted.intrinsics
    if camera is None:
        raise InputError("the camera of this depth is not known, which its points need")
    height, width = scored.depth.shape
    return camera.resized(width, height)


def focal_figures(predicted: Predicted) -> dict[str, float]:
    """The estimated focal length against the true one; empty where either is not known."""
    focal = predicted.focal
    if focal.estimated is None or focal.true is None:
        return {}
    ratio = focal.estimated / focal.true
    return {"focal_ratio": ratio, "focal_error": abs(ratio - 1)}


def cloud_figures(scored: Scored, counts: BoolMap) -> dict[str, float]:
    """Both clouds by the camera that the depth was made with, where the truth counts."""
    truth_m = scored.frame.truth_m
    assert truth_m is not None
    camera = camera_of(scored)
    scores = score_clouds(back_project(scored.depth, camera, counts), back_project(truth_m, camera, counts))
    f_scores = {
        (RELATIVE_F_SCORES if score.relative else F_SCORES)[score.threshold]: score.f1 for score in scores.f_scores
    }
    return {"chamfer_m": scores.chamfer_m, **f_scores}


def plane_figures(scored: Scored) -> dict[str, float]:
    """Means over the frame's planes, which are scaled one by one, and how many there are."""
    frame = scored.frame
    assert frame.extras.planes is not None and frame.truth_m is not None
    planes = [Plane.of_ibims(plane.mask, plane.normal.tolist()) for plane in frame.extras.planes]
    scores = score_planes(scored.depth, frame.truth_m, planes, camera_of(scored))
    return {
        "pe_fla": _mean([score.flatness_cm for score in scores]),
        "pe_ori": _mean([score.orientation_deg for score in scores]),
        "pe_planes": float(sum(not math.isnan(score.flatness_cm) for score in scores)),
    }


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
