# SPDX-License-Identifier: Apache-2.0
"""The scale of one frame, as a diagnostic status."""

from __future__ import annotations

import math

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from std_msgs.msg import Header

from depthpro_ros.frame_scale import FrameScale, ScaleState

LEVELS: dict[ScaleState, bytes] = {
    "ok": DiagnosticStatus.OK,
    "fixed": DiagnosticStatus.OK,
    "off": DiagnosticStatus.OK,
    "jumped": DiagnosticStatus.WARN,
    "held": DiagnosticStatus.WARN,
    "assumed": DiagnosticStatus.WARN,
    "none": DiagnosticStatus.ERROR,
}


def scale_values(scale: FrameScale) -> dict[str, str]:
    """Everything about a scale, as the keys and values of a diagnostic status."""
    tracked = scale.tracked
    estimate = None if tracked is None else tracked.estimate
    return {
        "scale": f"{math.nan if tracked is None else tracked.scale:.6g}",
        "inliers": str(estimate.inliers if estimate else 0),
        "share": f"{estimate.share if estimate else 0.0:.3f}",
        "spread": f"{estimate.spread if estimate else math.nan:.4f}",
        "source": scale.source,
        "age (s)": f"{math.nan if tracked is None else tracked.age_s:.3f}",
        "state": scale.state,
        "metric": str(scale.metric).lower(),
        "reason": scale.reason,
    }


def scale_text(scale: FrameScale) -> str:
    """A scale in words."""
    tracked = scale.tracked
    if scale.state == "off":
        return "depth is up to scale, no scale_source is chosen"
    if tracked is None:
        return f"no valid scale, so no metres: {scale.reason or 'no frame has given one'}"
    if scale.state == "assumed":
        return f"depth is NOT metric: it is scaled by the guess assumed_d98_m, {tracked.scale:g}"
    if scale.state == "fixed":
        return f"depth is multiplied by fixed_scale, {tracked.scale:g}"
    if scale.state == "held":
        return f"scale from {scale.source} is {tracked.age_s:.2f} s old: {scale.reason}"
    return f"scale from {scale.source}" + (" has jumped" if scale.state == "jumped" else "")


def scale_status(scale: FrameScale, name: str) -> DiagnosticStatus:
    """A status: OK, WARN where the scale is old, new or assumed, ERROR where there is none."""
    return DiagnosticStatus(
        level=LEVELS[scale.state],
        name=name,
        message=scale_text(scale),
        values=[KeyValue(key=k, value=v) for k, v in scale_values(scale).items()],
    )


def scale_message(scale: FrameScale, header: Header, name: str) -> DiagnosticArray:
    """The status of one image's scale, with that image's header."""
    return DiagnosticArray(header=header, status=[scale_status(scale, name)])
