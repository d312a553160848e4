# SPDX-License-Identifier: Apache-2.0
"""What a user may choose about where metres come from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from depthpro_ros.errors import InputError
from depthpro_ros.scale import Gates, ScaleSource

ScalePolicy = Literal["auto", "off", "fixed", "depth_pro", "ground_plane", "ranges", "assumed"]
RangesType = Literal["off", "laser_scan", "range", "points"]
EffectiveSource = ScaleSource | Literal["off"]


@dataclass(frozen=True)
class ScaleSettings:
    """Where the scale comes from, and what it must fulfil.

    Attributes:
        scale_source: `auto` leaves metric depth alone, but for `fixed_scale`; depth up to scale is scaled by ranges
            where `ranges_type` says that there are some, else by the ground where `camera_height_m` is known, else not
            at all.
        fixed_scale: what depth in metres is multiplied by, for `fixed`, and for `auto` with a metric model.
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
    fixed_scale: float = 1.0
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
        if not 0 < self.fixed_scale < math.inf:
            raise InputError(f"fixed_scale is {self.fixed_scale}, expected a finite factor above 0; 1 changes nothing")

    @property
    def gates(self) -> Gates:
        """What an estimate must fulfil."""
        return Gates(min_inliers=self.scale_min_inliers, max_spread=self.scale_max_spread)


def effective_source(settings: ScaleSettings, *, metric: bool) -> EffectiveSource:
    """What `auto` means for a model.

    Args:
        settings: what the user chose.
        metric: whether the model's depth is in metres; then a factor, ranges or the ground may correct it.

    Raises:
        InputError: the choice makes no sense for such a model.
    """
    source = settings.scale_source
    if metric and source in ("depth_pro", "assumed"):
        raise InputError(
            f"scale_source {source!r} is for models whose depth is up to scale, and this one's is in metres: choose "
            "auto, or ranges, ground_plane or fixed to correct it"
        )
    if not metric and source == "fixed":
        raise InputError(
            "scale_source 'fixed' is for models whose depth is in metres, and the unit of this one's changes from "
            "image to image: choose depth_pro, ground_plane or ranges, or assumed for pictures"
        )
    if source != "auto":
        return source
    if metric:
        return "off" if settings.fixed_scale == 1 else "fixed"
    if settings.ranges_type != "off":
        return "ranges"
    return "ground_plane" if settings.camera_height_m > 0 else "off"
