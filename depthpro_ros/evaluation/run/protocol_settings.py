# SPDX-License-Identifier: Apache-2.0
"""How the sets of a published table are evaluated: what the protocol says, and what it leaves to the user."""

from __future__ import annotations

from dataclasses import dataclass

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.masks import DepthMask
from depthpro_ros.evaluation.metrics import InvalidPolicy
from depthpro_ros.evaluation.protocol import Focal, Protocol, ProtocolSet
from depthpro_ros.evaluation.report import Criterion
from depthpro_ros.evaluation.run.frames import ALL, Selection
from depthpro_ros.evaluation.run.predictors import FocalChoice
from depthpro_ros.evaluation.run.prepared import Preparation
from depthpro_ros.evaluation.run.protocol_results import BOUNDARY_METRICS, PLANE_METRICS
from depthpro_ros.evaluation.run.scoring import DEFAULT_MASK, FrameScorer, MetricGroup

FOCAL_NAMES: dict[FocalChoice, str] = {
    "auto": "camera's focal length",
    "camera_info": "camera's focal length",
    "estimated": "estimated focal length",
}
FOCAL_CHOICES: dict[Focal, FocalChoice] = {"camera": "camera_info", "estimated": "estimated"}
"""Where a protocol leaves no choice."""


@dataclass(frozen=True)
class ProtocolSettings:
    """What a user may choose about a run that the protocol does not say.

    Attributes:
        focal: whose focal length makes the depth.
        both_focals: evaluate once with the camera's focal length and once with the network's own.
        estimate: let the network estimate the focal length also where it is known, to judge it.
        invalid: what invalid predictions are.
        metrics: groups of figures beside those that the protocol needs.
        selection: which images of each set.
        criteria: checked on each set that has the figure.
        command: what was typed.
    """

    focal: FocalChoice = "auto"
    both_focals: bool = False
    estimate: bool = False
    invalid: InvalidPolicy = "penalise"
    metrics: tuple[MetricGroup, ...] = ()
    selection: Selection = ALL
    criteria: tuple[Criterion, ...] = ()
    command: str = ""


def focal_choices(protocol: Protocol, settings: ProtocolSettings) -> tuple[FocalChoice, ...]:
    """Whose focal lengths to evaluate with.

    Raises:
        InputError: it is not the protocol's.
    """
    if settings.both_focals:
        if protocol.focal != "unstated":
            raise InputError(f"{protocol.title}: its focal length is {protocol.focal}, leave out --both-focals")
        return "auto", "estimated"
    only = FOCAL_CHOICES.get(protocol.focal)
    if only is not None and settings.focal not in ("auto", only):
        raise InputError(f"{protocol.title}: its focal length is {protocol.focal}, not --focal {settings.focal}")
    return (settings.focal if only is None else only,)


def scorer_of(protocol: Protocol, column: ProtocolSet, settings: ProtocolSettings) -> FrameScorer:
    """Scores as the protocol asks; without alignment too, for what only that shows, such as invalid predictions."""
    groups: list[MetricGroup] = ["profiles"]
    if any(metric in BOUNDARY_METRICS for metric in protocol.metrics):
        groups.append("boundary")
    if any(metric in PLANE_METRICS for metric in protocol.metrics):
        groups.append("planes")
    return FrameScorer(
        DEFAULT_MASK if column.depth_m is None else DepthMask(*column.depth_m),
        (protocol.alignment,) if protocol.alignment == "none" else (protocol.alignment, "none"),
        settings.invalid,
        tuple(dict.fromkeys((*groups, *settings.metrics))),
        protocol.masked_boundaries,
    )


def preparation_of(column: ProtocolSet) -> Preparation:
    """What is done to photographs and maps before."""
    return Preparation(column.cut_border_px, column.size, column.photo_size)
