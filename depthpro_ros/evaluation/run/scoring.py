# SPDX-License-Identifier: Apache-2.0
"""All figures of one frame."""

from __future__ import annotations

import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.alignment import AlignmentMode, fit_alignment
from depthpro_ros.evaluation.boundaries import boundary_f1, boundary_recall
from depthpro_ros.evaluation.edges import boundary_errors
from depthpro_ros.evaluation.flow import warping_error
from depthpro_ros.evaluation.masks import BoolMap, DepthMask
from depthpro_ros.evaluation.metrics import DepthScores, InvalidPolicy, score_alignments
from depthpro_ros.evaluation.reprojection import View, reprojection_error
from depthpro_ros.evaluation.results.figures import aligned
from depthpro_ros.evaluation.results.profiles import Profiles
from depthpro_ros.evaluation.results.record import FrameRecord
from depthpro_ros.evaluation.run.frame_figures import Scored, camera_of, cloud_figures, focal_figures, plane_figures
from depthpro_ros.evaluation.run.frames import Predicted, SourceFrame
from depthpro_ros.evaluation.sums import ErrorSums
from depthpro_ros.evaluation.temporal import flicker, static_pixels

MetricGroup = Literal["boundary", "flicker", "profiles", "opw", "clouds", "dbe", "planes", "reprojection"]
DEFAULT_METRICS: tuple[MetricGroup, ...] = ("boundary", "flicker", "profiles")
DEFAULT_ALIGNMENTS: tuple[AlignmentMode, ...] = ("none", "median_scale", "affine_disparity")
RELATIVE_ALIGNMENTS: tuple[AlignmentMode, ...] = ("median_ratio", "affine_disparity")
"""What stands for the default of a model up to scale; the first is that of DepthART (arXiv 2409.15010)."""
METRIC_GROUPS: tuple[MetricGroup, ...] = ("clouds", "reprojection")
"""Groups that compare lengths in metres, which depth up to scale does not have."""
DEFAULT_MASK = DepthMask()
STATIC_SHARE = 0.2
"""With less of the image at rest the camera moves, and flicker says nothing."""

SCORE_NAMES = tuple(
    field.name
    for field in dataclasses.fields(DepthScores)
    if field.type == "float" and field.name not in ("scale", "ratio")
)


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
        metric: whether predictions are in metres; of a model up to scale there are no scores without alignment, and
            profiles and pictures are after the first alignment (see `of_model`).

    A prediction of another size is resized bilinearly to the ground truth's, never the reverse.

    Raises:
        InputError: an unknown group, or scores in metres of depth up to scale.
    """

    mask: DepthMask = DEFAULT_MASK
    alignments: tuple[AlignmentMode, ...] = DEFAULT_ALIGNMENTS
    invalid: InvalidPolicy = "penalise"
    metrics: tuple[MetricGroup, ...] = DEFAULT_METRICS
    masked_boundaries: bool = True
    metric: bool = True

    def __post_init__(self) -> None:
        unknown = sorted(set(self.metrics) - set(get_args(MetricGroup)))
        if unknown:
            raise InputError(f"unknown metrics {', '.join(unknown)}: use some of {', '.join(get_args(MetricGroup))}")
        if not self.metric:
            self._check_relative()

    def _check_relative(self) -> None:
        if "none" in self.alignments or not self.alignments:
            raise InputError(
                "this model's depth is up to an unknown scale and has no figures without alignment: leave 'none' out, "
                "as in --align median_ratio or --align median_ratio,weighted_median"
            )
        lengths = [name for name in self.metrics if name in METRIC_GROUPS]
        if lengths:
            raise InputError(
                f"this model's depth is up to an unknown scale and {', '.join(lengths)} compare lengths in metres: "
                "leave them out of --metrics"
            )

    def of_model(self, metric: bool) -> FrameScorer:
        """For predictions of a metric model, or of one up to scale, whose default alignments are others.

        Raises:
            InputError: this asks for scores in metres of depth up to scale.
        """
        if metric == self.metric:
            return self
        alignments = RELATIVE_ALIGNMENTS if self.alignments == DEFAULT_ALIGNMENTS else self.alignments
        return dataclasses.replace(self, alignments=self.alignments if metric else alignments, metric=metric)

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
        if (predicted.depth_m is not None) != self.metric:
            raise InputError("a scorer of metres scores depth up to scale, or the reverse: see FrameScorer.of_model")
        depth = predicted.depth if frame.truth_m is None else _sized(predicted.depth, frame.truth_m.shape)
        figures = dict(predicted.times_ms)
        figures.update(focal_figures(predicted))
        sums: dict[str, ErrorSums] = {}
        profiles, pixels = None, 0
        scored = Scored(frame, predicted, depth if self.metric else None, None if self.metric else depth)
        if frame.truth_m is not None:
            counts = self.mask.of(frame.truth_m)
            pixels = int(np.count_nonzero(counts))
            # NumPy and OpenCV let go of the interpreter: a second core takes the scores
            with ThreadPoolExecutor(1) as beside:
                scores = beside.submit(self._scores, depth, frame.truth_m, counts)
                if not self.metric:
                    scored = dataclasses.replace(scored, depth_m=self._aligned(depth, frame.truth_m, counts))
                if "profiles" in self.metrics and scored.depth_m is not None:
                    profiles = Profiles.of(scored.depth_m, frame.truth_m, counts)
                self._against_truth(scored, counts, figures)
                if before is not None:
                    self._over_time(before, scored, figures)
                of_scores, sums = scores.result()
            figures.update(of_scores)
        elif before is not None:
            self._over_time(before, scored, figures)
        if frame.alpha is not None and "boundary" in self.metrics:
            sized = _sized(depth, frame.alpha.shape)
            figures["boundary_recall"] = boundary_recall(sized, frame.alpha, masked=self.masked_boundaries)
        record = FrameRecord(
            index, frame.id, frame.scene, frame.stamp_ns, "", pixels, figures, sums, predicted.focal, profiles
        )
        return record, scored

    def _aligned(
        self, depth: NDArray[np.float32], truth_m: NDArray[np.float32], counts: BoolMap
    ) -> NDArray[np.float32] | None:
        """Depth up to scale in metres, by the headline's alignment; None of too few pixels to fit."""
        fitted = fit_alignment(depth, truth_m, self.alignments[0], counts)
        return None if fitted.flag == "few_pixels" else fitted.apply(depth).astype(np.float32)

    def _scores(
        self, depth: NDArray[np.float32], truth_m: NDArray[np.float32], counts: BoolMap
    ) -> tuple[dict[str, float], dict[str, ErrorSums]]:
        """Figures and sums of every alignment."""
        figures: dict[str, float] = {}
        sums: dict[str, ErrorSums] = {}
        images = score_alignments(depth, truth_m, mask=counts, alignments=self.alignments, invalid=self.invalid)
        for alignment, image in images.items():
            if not self.metric and image.scores.alignment_flag == "few_pixels":
                # what could not be aligned has no scores: those of the bare numbers would be of metres
                figures.update({aligned(name, alignment): math.nan for name in SCORE_NAMES})
                continue
            sums[alignment] = image.sums
            figures.update({aligned(name, alignment): getattr(image.scores, name) for name in SCORE_NAMES})
            if alignment == "none":
                ratio = image.scores.ratio
                figures["ratio"], figures["frame_scale"] = ratio, 1 / ratio if ratio > 0 else math.nan
            else:
                figures[aligned("scale", alignment)] = image.scores.scale
            if alignment == "none" or not self.metric:
                figures["invalid_share"] = image.scores.invalid_share
        return figures, sums

    def _against_truth(self, scored: Scored, counts: BoolMap, figures: dict[str, float]) -> None:
        frame, depth = scored.frame, scored.depth
        truth_m, extras = frame.truth_m, frame.extras
        assert truth_m is not None
        if "boundary" in self.metrics:
            # sky is farther than everything, and its outline is an edge
            figures["boundary_f1"] = boundary_f1(depth, truth_m, masked=self.masked_boundaries)
        if "clouds" in self.metrics:
            figures.update(cloud_figures(scored, counts))
        if "dbe" in self.metrics and extras.edges is not None:
            errors = boundary_errors(depth, extras.edges)
            figures["dbe_acc"], figures["dbe_comp"] = errors.accuracy_px, errors.completeness_px
        if "planes" in self.metrics and extras.planes and scored.predicted.intrinsics is not None:
            figures.update(plane_figures(scored))

    def _over_time(self, before: Scored, now: Scored, figures: dict[str, float]) -> None:
        if before.depth.shape != now.depth.shape or before.frame.rgb.shape != now.frame.rgb.shape:
            return
        if before.frame.scene != now.frame.scene:
            return
        same_size = now.frame.rgb.shape[:2] == now.depth.shape
        if "flicker" in self.metrics and same_size:
            static = static_pixels(before.frame.rgb, now.frame.rgb)
            if np.count_nonzero(static) >= STATIC_SHARE * static.size:
                figures["flicker"] = flicker(before.depth, now.depth, static)
        if "opw" in self.metrics and same_size:
            figures["opw"] = warping_error(before.depth, now.depth, before.frame.rgb, now.frame.rgb)
        poses = before.frame.extras.camera_to_world, now.frame.extras.camera_to_world
        if "reprojection" in self.metrics and poses[0] is not None and poses[1] is not None:
            views = [
                View(s.depth, camera_of(s), pose, s.frame.truth_m)
                for s, pose in zip((before, now), (poses[0], poses[1]), strict=True)
            ]
            figures["reprojection"] = reprojection_error(views[0], views[1]).error


def _sized(depth_m: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    if depth_m.shape == shape:
        return depth_m
    return cv2.resize(depth_m, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]
