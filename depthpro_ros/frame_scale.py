# SPDX-License-Identifier: Apache-2.0
"""Where the frames of one camera get their metres from, when the model's depth is up to scale or known to be off."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from depthpro_ros.camera import Intrinsics
from depthpro_ros.models.estimator import Prediction
from depthpro_ros.scale import (
    GroundSettings,
    NoScale,
    RangeCones,
    RangePoints,
    ScaleEstimate,
    ScaleSource,
    ScaleTracker,
    TrackedScale,
    assumed_scale,
    fixed_scale,
    scale_change,
    scale_from_cones,
    scale_from_ground,
    scale_from_ranges,
    scale_from_reference,
)
from depthpro_ros.scale_settings import EffectiveSource, ScaleSettings

ScaleState = Literal["ok", "fixed", "jumped", "held", "assumed", "none", "off"]
Ranges = RangePoints | NoScale | None
"""What was measured at the time of one image (points, or `RangeCones`), or why nothing was."""
FARTHEST_M = 80.0
"""Metric depth beyond it does not count for the 98th percentile, unless there is no other."""
SAMPLES = 100_000
"""Pixels that the 98th percentile of metric depth is taken of."""


@dataclass(frozen=True)
class FrameScale:
    """How one frame's depth becomes metres.

    Attributes:
        source: where the scale comes from.
        tracked: the scale in use; None while none is valid.
        reason: why this frame by itself gives no scale; empty if it does.
    """

    source: EffectiveSource
    tracked: TrackedScale | None
    reason: str = ""

    @property
    def metric(self) -> bool:
        """Whether the frame's metres are the model's own or were measured, not guessed."""
        return self.tracked is not None and self.tracked.estimate.metric

    @property
    def state(self) -> ScaleState:
        """How it stands.

        `ok`; `fixed` by the user; `jumped` to another scale; `held` from earlier frames; `assumed`; `none` is valid;
        or `off`.
        """
        if self.source == "off":
            return "off"
        if self.tracked is None:
            return "none"
        if not self.tracked.estimate.metric:
            return "assumed"
        if self.source == "fixed":
            return "fixed"
        if self.reason:
            return "held"
        return "jumped" if self.tracked.jumped else "ok"


class FrameScaler:
    """Estimates the scale of each frame of one camera, and tracks it."""

    def __init__(self) -> None:
        self._tracker = ScaleTracker()
        self._made_for: tuple[object, ...] | None = None
        self._before: Tensor | None = None
        self._focal_before_px: float | None = None

    def reset(self) -> None:
        """Forget the scale of earlier frames."""
        self._tracker.reset()
        self._before = self._focal_before_px = None

    def scale(
        self,
        settings: ScaleSettings,
        source: EffectiveSource,
        prediction: Prediction,
        intrinsics: Intrinsics | None,
        ranges: Ranges,
        stamp_s: float,
    ) -> FrameScale:
        """The scale of one frame.

        Args:
            settings: if they differ from the last frame's, what that one said is forgotten.
            source: from `effective_source`.
            prediction: depth up to scale, or depth in metres that is to be corrected.
            intrinsics: of the camera, where they are known.
            ranges: measured points, or why there are none.
            stamp_s: when the image was taken, seconds.
        """
        if source == "off":
            return FrameScale(
                "off", None, "the model's depth is up to scale and no scale_source is set: choose one for metres"
            )
        self._renew(settings)
        outcome: ScaleEstimate | NoScale
        try:
            outcome = _estimate(settings, source, prediction, intrinsics, ranges)
        except NoScale as reason:
            outcome = reason
        tracked = self._tracker.update(outcome, stamp_s, self._change(source, prediction, intrinsics))
        return FrameScale(source, tracked, _reason(outcome, tracked))

    def _change(self, source: ScaleSource, prediction: Prediction, intrinsics: Intrinsics | None) -> float | None:
        """How much the unit of the depth changed since the last frame, as far as is known."""
        before, self._before = self._before, prediction.relative_depth
        focal_before_px, self._focal_before_px = self._focal_before_px, None if intrinsics is None else intrinsics.fx
        if source == "ranges" and prediction.depth_m is not None:
            # metric depth is proportional to the focal length; what ranges say of it is not
            if focal_before_px is None or intrinsics is None:
                return None
            return focal_before_px / intrinsics.fx
        now = prediction.relative_depth
        if source == "assumed" or before is None or now is None or before.shape != now.shape:
            return None
        return scale_change(before, now)

    def _renew(self, settings: ScaleSettings) -> None:
        made_for = tuple(getattr(settings, f.name) for f in dataclasses.fields(ScaleSettings))
        if made_for != self._made_for:
            self._made_for = made_for
            self._before = self._focal_before_px = None
            self._tracker = ScaleTracker(
                smoothing=settings.scale_smoothing, jump=settings.scale_jump, timeout_s=settings.scale_timeout_s
            )


def _reason(outcome: ScaleEstimate | NoScale, tracked: TrackedScale | None) -> str:
    """Why a frame's own scale is not used; empty if it is."""
    if isinstance(outcome, NoScale):
        return str(outcome)
    if tracked is None or tracked.age_s > 0:
        return f"this frame's scale, {outcome.scale:.4g}, is farther from the tracked one than scale_jump"
    return ""


def _estimate(
    settings: ScaleSettings,
    source: ScaleSource,
    prediction: Prediction,
    intrinsics: Intrinsics | None,
    ranges: Ranges,
) -> ScaleEstimate:
    """The scale that one frame says by itself.

    Raises:
        NoScale: it says none.
    """
    if source == "assumed":
        return assumed_scale(settings.assumed_d98_m)
    if source == "fixed":
        return fixed_scale(settings.fixed_scale)
    relative, unit_m = prediction.relative_depth, 1.0
    if relative is None:
        unit_m = far_depth(prediction.metres)
        relative = prediction.metres / unit_m
    estimate = _measured(settings, source, relative, prediction.reference_m, intrinsics, ranges)
    return dataclasses.replace(estimate, scale=estimate.scale / unit_m)


def _measured(
    settings: ScaleSettings,
    source: ScaleSource,
    relative: Tensor,
    reference_m: Tensor | None,
    intrinsics: Intrinsics | None,
    ranges: Ranges,
) -> ScaleEstimate:
    if source == "depth_pro":
        if reference_m is None:
            raise NoScale("the model has no reference beside it: see depthpro_ros.models.referenced")
        return scale_from_reference(relative, reference_m, settings.gates)
    if intrinsics is None:
        raise NoScale(
            f"scale_source {source!r} needs the camera's focal length: publish a calibrated CameraInfo, or set "
            "focal_policy to 'fixed'"
        )
    if source == "ground_plane":
        ground = GroundSettings(camera_height_m=settings.camera_height_m, pitch_deg=settings.camera_pitch_deg)
        return scale_from_ground(relative, intrinsics, ground, settings.gates)
    if ranges is None:
        raise NoScale("no ranges were measured for this image")
    if isinstance(ranges, NoScale):
        raise ranges
    if isinstance(ranges, RangeCones):
        return scale_from_cones(relative, intrinsics, ranges, settings.gates)
    return scale_from_ranges(relative, intrinsics, ranges, settings.gates)


def far_depth(depth_m: Tensor) -> float:
    """The depth that 98 % of an image are nearer than, metres: the unit of depth up to scale.

    Raises:
        NoScale: there is no finite depth.
    """
    depth = depth_m.flatten()
    depth = depth[:: max(1, depth.numel() // SAMPLES)]
    depth = depth[torch.isfinite(depth) & (depth > 0)]
    if not depth.numel():
        raise NoScale("the image has no finite depth")
    # a metric network's sky is 10 km away: as a unit it would leave nothing to measure with
    near = depth[depth <= FARTHEST_M]
    depth = near if near.numel() else depth
    return float(depth.kthvalue(max(1, math.ceil(0.98 * depth.numel()))).values)
