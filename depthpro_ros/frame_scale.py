# SPDX-License-Identifier: Apache-2.0
"""Where the frames of one camera get their metres from, when the model's depth is up to scale."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.models.estimator import Prediction
from depthpro_ros.scale import (
    Gates,
    GroundSettings,
    NoScale,
    RangeCones,
    RangePoints,
    ScaleEstimate,
    ScaleSource,
    ScaleTracker,
    TrackedScale,
    assumed_scale,
    scale_change,
    scale_from_cones,
    scale_from_ground,
    scale_from_ranges,
    scale_from_reference,
)

ScalePolicy = Literal["auto", "off", "depth_pro", "ground_plane", "ranges", "assumed"]
RangesType = Literal["off", "laser_scan", "range", "points"]
EffectiveSource = ScaleSource | Literal["off"]
ScaleState = Literal["ok", "jumped", "held", "assumed", "none", "off"]
Ranges = RangePoints | NoScale | None
"""What was measured at the time of one image (points, or `RangeCones`), or why nothing was."""
FARTHEST_M = 80.0
"""Metric depth beyond it does not count for the 98th percentile, unless there is no other."""
SAMPLES = 100_000
"""Pixels that the 98th percentile of metric depth is taken of."""


@dataclass(frozen=True)
class ScaleSettings:
    """Where the scale comes from, and what it must fulfil.

    Attributes:
        scale_source: `auto` leaves metric depth alone; depth up to scale is scaled by ranges where `ranges_type`
            says that there are some, else by the ground where `camera_height_m` is known, else not at all.
        camera_height_m: of the camera's centre above the ground, for `ground_plane`; 0 is not known.
        camera_pitch_deg: how far the camera looks down from the horizon, degrees, for `ground_plane`.
        assumed_d98_m: what to take for the depth that 98 % of each image are nearer than, metres, for `assumed`.
        scale_smoothing: weight of a new estimate in the running mean of the scale's logarithm; 1 is no smoothing.
        scale_jump: relative change that is not followed until it has been seen several times.
        scale_timeout_s: how long a scale is valid without a new estimate, seconds.
        scale_min_inliers, scale_max_spread: what an estimate must fulfil, see `depthpro_ros.scale.Gates`.
        ranges_type: which sensor measures ranges; `off` is none.
    """

    scale_source: ScalePolicy = "auto"
    camera_height_m: float = 0.0
    camera_pitch_deg: float = 0.0
    assumed_d98_m: float = 0.0
    scale_smoothing: float = 0.5
    scale_jump: float = 0.25
    scale_timeout_s: float = 1.0
    scale_min_inliers: int = 50
    scale_max_spread: float = 0.2
    ranges_type: RangesType = "off"

    def __post_init__(self) -> None:
        needed = {"ground_plane": "camera_height_m", "assumed": "assumed_d98_m"}.get(self.scale_source)
        if needed is not None and not 0 < getattr(self, needed) < math.inf:
            raise InputError(
                f"scale_source {self.scale_source!r} needs {needed} above 0 metres, it is {getattr(self, needed)}"
            )

    @property
    def gates(self) -> Gates:
        """What an estimate must fulfil."""
        return Gates(min_inliers=self.scale_min_inliers, max_spread=self.scale_max_spread)


def effective_source(settings: ScaleSettings, *, metric: bool) -> EffectiveSource:
    """What `auto` means for a model.

    Args:
        settings: what the user chose.
        metric: whether the model's depth is in metres; then ranges or the ground may correct it.

    Raises:
        InputError: the choice makes no sense for a metric model.
    """
    source = settings.scale_source
    if metric and source in ("depth_pro", "assumed"):
        raise InputError(
            f"scale_source {source!r} is for models whose depth is up to scale, and this one's is in metres: choose "
            "auto, or ranges or ground_plane to correct it"
        )
    if source != "auto":
        return source
    if not metric and settings.ranges_type != "off":
        return "ranges"
    return "ground_plane" if not metric and settings.camera_height_m > 0 else "off"


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
        """Whether the frame's metres were measured, not assumed."""
        return self.tracked is not None and self.tracked.estimate.metric

    @property
    def state(self) -> ScaleState:
        """`ok`; `jumped` to another scale; `held` from earlier frames; `assumed`; `none` is valid; or `off`."""
        if self.source == "off":
            return "off"
        if self.tracked is None:
            return "none"
        if not self.tracked.estimate.metric:
            return "assumed"
        if self.reason:
            return "held"
        return "jumped" if self.tracked.jumped else "ok"


class FrameScaler:
    """Estimates the scale of each frame of one camera, and tracks it."""

    def __init__(self) -> None:
        self._tracker = ScaleTracker()
        self._made_for: tuple[object, ...] | None = None
        self._before: Tensor | None = None

    def reset(self) -> None:
        """Forget the scale of earlier frames."""
        self._tracker.reset()
        self._before = None

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
        tracked = self._tracker.update(outcome, stamp_s, self._change(source, prediction.relative_depth))
        return FrameScale(source, tracked, _reason(outcome, tracked))

    def _change(self, source: ScaleSource, now: Tensor | None) -> float | None:
        """How much the unit of depth up to scale changed since the last frame, as far as the two images tell."""
        before, self._before = self._before, now
        if source == "assumed" or before is None or now is None or before.shape != now.shape:
            return None
        return scale_change(before, now)

    def _renew(self, settings: ScaleSettings) -> None:
        made_for = tuple(getattr(settings, f.name) for f in dataclasses.fields(ScaleSettings))
        if made_for != self._made_for:
            self._made_for = made_for
            self._before = None
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
