# SPDX-License-Identifier: Apache-2.0
"""All figures of one frame."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.alignment import AlignmentMode
from depthpro_ros.evaluation.boundaries import boundary_f1, boundary_recall
from depthpro_ros.evaluation.clouds import back_project, score_clouds
from depthpro_ros.evaluation.edges import boundary_errors
from depthpro_ros.evaluation.flow import warping_error
from depthpro_ros.evaluation.masks import BoolMap, DepthMask
from depthpro_ros.evaluation.metrics import DepthScores, InvalidPolicy, score_alignments
from depthpro_ros.evaluation.planes import Plane, score_planes
from depthpro_ros.evaluation.reprojection import View, reprojection_error
from depthpro_ros.evaluation.results.figures import aligned
from depthpro_ros.evaluation.results.profiles import Profiles
from depthpro_ros.evaluation.results.record import FrameRecord
from depthpro_ros.evaluation.run.frames import Predicted, SourceFrame
from depthpro_ros.evaluation.sums import ErrorSums
from depthpro_ros.evaluation.temporal import flicker, static_pixels

MetricGroup = Literal["boundary", "flicker", "profiles", "opw", "clouds", "dbe", "planes", "reprojection"]
DEFAULT_METRICS: tuple[MetricGroup, ...] = ("boundary", "flicker", "profiles")
DEFAULT_ALIGNMENTS: tuple[AlignmentMode, ...] = ("none", "median_scale", "affine_disparity")
DEFAULT_MASK = DepthMask()
STATIC_SHARE = 0.2
"""With less of the image at rest the camera moves, and flicker says nothing."""

SCORE_NAMES = tuple(
    field.name
    for field in dataclasses.fields(DepthScores)
    if field.type == "float" and field.name not in ("scale", "ratio")
)
F_SCORES = {0.05: "f_score_005", 0.1: "f_score_010", 0.25: "f_score_025"}
RELATIVE_F_SCORES = {0.01: "f_score_1pc", 0.05: "f_score_5pc"}


@dataclass(frozen=True)
class Scored:
    """A frame that was scored: what the next one is compared with."""

    frame: SourceFrame
    predicted: Predicted
    depth_m: NDArray[np.float32]


@dataclass(frozen=True)
class FrameScorer:
    """Scores frames.

    Attributes:
        mask: which ground truth counts.
        alignments: of which there are scores; `none` is the headline of a metric model.
        invalid: what invalid predictions are.
        metrics: groups of figures beside the scores, each where the frame has what it needs.
        masked_boundaries: leave pixels without ground truth out of boundary scores; False is the published code (see
            `boundaries`).

    A prediction of another size is resized bilinearly to the ground truth's, never the reverse.

    Raises:
        InputError: an unknown group.
    """

    mask: DepthMask = DEFAULT_MASK
    alignments: tuple[AlignmentMode, ...] = DEFAULT_ALIGNMENTS
    invalid: InvalidPolicy = "penalise"
    metrics: tuple[MetricGroup, ...] = DEFAULT_METRICS
    masked_boundaries: bool = True

    def __post_init__(self) -> None:
        unknown = sorted(set(self.metrics) - set(get_args(MetricGroup)))
        if unknown:
            raise InputError(f"unknown metrics {', '.join(unknown)}: use some of {', '.join(get_args(MetricGroup))}")

    def score(
        self, index: int, frame: SourceFrame, predicted: Predicted, before: Scored | None
    ) -> tuple[FrameRecord, Scored]:
        """Score a frame.

        Args:
            index: its number in the evaluation.
            before: the frame before it, for what changes over time; None for the first.

        Raises:
            InputError: prediction and ground truth do not fit together.
        """
        depth_m = predicted.depth_m
        if frame.truth_m is not None and depth_m.shape != frame.truth_m.shape:
            depth_m = cv2.resize(depth_m, frame.truth_m.shape[::-1], interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
        scored = Scored(frame, predicted, depth_m)
        figures = dict(predicted.times_ms)
        figures.update(_focal_figures(predicted))
        sums: dict[str, ErrorSums] = {}
        profiles, pixels = None, 0
        if frame.truth_m is not None:
            counts = self.mask.of(frame.truth_m)
            pixels = int(np.count_nonzero(counts))
            # NumPy and OpenCV let go of the interpreter: a second core takes the scores
            with ThreadPoolExecutor(1) as beside:
                scores = beside.submit(self._scores, depth_m, frame.truth_m, counts)
                if "profiles" in self.metrics:
                    profiles = Profiles.of(depth_m, frame.truth_m, counts)
                self._against_truth(scored, counts, figures)
                if before is not None:
                    self._over_time(before, scored, figures)
                of_scores, sums = scores.result()
            figures.update(of_scores)
        elif before is not None:
            self._over_time(before, scored, figures)
        if frame.alpha is not None and "boundary" in self.metrics:
            sized = _sized(depth_m, frame.alpha.shape)
            figures["boundary_recall"] = boundary_recall(sized, frame.alpha, masked=self.masked_boundaries)
        record = FrameRecord(
            index, frame.id, frame.scene, frame.stamp_ns, "", pixels, figures, sums, predicted.focal, profiles
        )
        return record, scored

    def _scores(
        self, depth_m: NDArray[np.float32], truth_m: NDArray[np.float32], counts: BoolMap
    ) -> tuple[dict[str, float], dict[str, ErrorSums]]:
        """Figures and sums of every alignment."""
        figures: dict[str, float] = {}
        sums: dict[str, ErrorSums] = {}
        images = score_alignments(depth_m, truth_m, mask=counts, alignments=self.alignments, invalid=self.invalid)
        for alignment, image in images.items():
            sums[alignment] = image.sums
            figures.update({aligned(name, alignment): getattr(image.scores, name) for name in SCORE_NAMES})
            if alignment == "none":
                ratio = image.scores.ratio
                figures["ratio"], figures["frame_scale"] = ratio, 1 / ratio if ratio > 0 else math.nan
                figures["invalid_share"] = image.scores.invalid_share
            else:
                figures[aligned("scale", alignment)] = image.scores.scale
        return figures, sums

    def _against_truth(self, scored: Scored, counts: BoolMap, figures: dict[str, float]) -> None:
        frame, depth_m = scored.frame, scored.depth_m
        truth_m, extras = frame.truth_m, frame.extras
        assert truth_m is not None
        if "boundary" in self.metrics:
            # sky is farther than everything, and its outline is an edge
            figures["boundary_f1"] = boundary_f1(depth_m, truth_m, masked=self.masked_boundaries)
        if "clouds" in self.metrics:
            _cloud_figures(scored, counts, figures)
        if "dbe" in self.metrics and extras.edges is not None:
            errors = boundary_errors(depth_m, extras.edges)
            figures["dbe_acc"], figures["dbe_comp"] = errors.accuracy_px, errors.completeness_px
        if "planes" in self.metrics and extras.planes:
            _plane_figures(scored, figures)

    def _over_time(self, before: Scored, now: Scored, figures: dict[str, float]) -> None:
        if before.depth_m.shape != now.depth_m.shape or before.frame.rgb.shape != now.frame.rgb.shape:
            return
        if before.frame.scene != now.frame.scene:
            return
        same_size = now.frame.rgb.shape[:2] == now.depth_m.shape
        if "flicker" in self.metrics and same_size:
            static = static_pixels(before.frame.rgb, now.frame.rgb)
            if np.count_nonzero(static) >= STATIC_SHARE * static.size:
                figures["flicker"] = flicker(before.depth_m, now.depth_m, static)
        if "opw" in self.metrics and same_size:
            figures["opw"] = warping_error(before.depth_m, now.depth_m, before.frame.rgb, now.frame.rgb)
        poses = before.frame.extras.camera_to_world, now.frame.extras.camera_to_world
        if "reprojection" in self.metrics and poses[0] is not None and poses[1] is not None:
            views = [
                View(s.depth_m, s.predicted.intrinsics.resized(*s.depth_m.shape[::-1]), pose, s.frame.truth_m)
                for s, pose in zip((before, now), (poses[0], poses[1]), strict=True)
            ]
            figures["reprojection"] = reprojection_error(views[0], views[1]).error


def _focal_figures(predicted: Predicted) -> dict[str, float]:
    focal = predicted.focal
    if focal.estimated is None or focal.true is None:
        return {}
    ratio = focal.estimated / focal.true
    return {"focal_ratio": ratio, "focal_error": abs(ratio - 1)}


def _cloud_figures(scored: Scored, counts: BoolMap, figures: dict[str, float]) -> None:
    """Both clouds by the camera that the depth was made with, where the truth counts."""
    truth_m = scored.frame.truth_m
    assert truth_m is not None
    camera = scored.predicted.intrinsics.resized(*truth_m.shape[::-1])
    scores = score_clouds(back_project(scored.depth_m, camera, counts), back_project(truth_m, camera, counts))
    figures["chamfer_m"] = scores.chamfer_m
    for score in scores.f_scores:
        figures[(RELATIVE_F_SCORES if score.relative else F_SCORES)[score.threshold]] = score.f1


def _plane_figures(scored: Scored, figures: dict[str, float]) -> None:
    frame = scored.frame
    assert frame.extras.planes is not None and frame.truth_m is not None
    planes = [Plane.of_ibims(plane.mask, plane.normal.tolist()) for plane in frame.extras.planes]
    camera = scored.predicted.intrinsics.resized(*frame.truth_m.shape[::-1])
    scores = score_planes(scored.depth_m, frame.truth_m, planes, camera)
    figures["pe_fla"] = _mean([score.flatness_cm for score in scores])
    figures["pe_ori"] = _mean([score.orientation_deg for score in scores])
    figures["pe_planes"] = float(sum(not math.isnan(score.flatness_cm) for score in scores))


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _sized(depth_m: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    if depth_m.shape == shape:
        return depth_m
    return cv2.resize(depth_m, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]
