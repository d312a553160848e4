# SPDX-License-Identifier: Apache-2.0
"""How the sets of a published table are evaluated: what the protocol says, and what it leaves to the user."""

from __future__ import annotations

from dataclasses import dataclass

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.alignment import AlignmentMode
from depthpro_ros.evaluation.masks import DepthMask
from depthpro_ros.evaluation.metrics import InvalidPolicy
from depthpro_ros.evaluation.protocol import Focal, Protocol, ProtocolSet
from depthpro_ros.evaluation.report import Criterion
from depthpro_ros.evaluation.results.run_info import ModelInfo
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
        decoding: how the model was told to draw its values (see `ModelInfo`).
    """

    focal: FocalChoice = "auto"
    both_focals: bool = False
    estimate: bool = False
    invalid: InvalidPolicy = "penalise"
    metrics: tuple[MetricGroup, ...] = ()
    selection: Selection = ALL
    criteria: tuple[Criterion, ...] = ()
    command: str = ""
    decoding: str = ""


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


def check_model(protocol: Protocol, model: ModelInfo) -> None:
    """Raise unless the protocol's figures can be had of the model.

    Raises:
        InputError: they are of metres or focal lengths, and the model's depth is up to scale.
    """
    others = [metric for metric in protocol.metrics if metric not in BOUNDARY_METRICS]
    if not model.metric and protocol.alignment == "none" and others:
        raise InputError(
            f"{protocol.title}: {', '.join(others)} are of depth in metres (alignment none), and the depth of "
            f"{model.name} is up to an unknown scale: choose a protocol with an alignment, such as depthart, or a data "
            "set with --align median_ratio"
        )


def scorer_of(
    protocol: Protocol, column: ProtocolSet, settings: ProtocolSettings, *, metric: bool = True
) -> FrameScorer:
    """Scores as the protocol asks; without alignment too, for what only that shows, such as invalid predictions.

    Args:
        metric: of a model up to scale (False) there is nothing without alignment; boundaries need none.
    """
    groups: list[MetricGroup] = ["profiles"]
    if any(metric in BOUNDARY_METRICS for metric in protocol.metrics):
        groups.append("boundary")
    if any(metric in PLANE_METRICS for metric in protocol.metrics):
        groups.append("planes")
    others: tuple[AlignmentMode, ...] = ("none",) if metric else ("median_ratio", "weighted_median")
    wanted = (mode for mode in (protocol.alignment, *others) if metric or mode != "none")
    return FrameScorer(
        DEFAULT_MASK if column.depth_m is None else DepthMask(*column.depth_m),
        tuple(dict.fromkeys(wanted)),
        settings.invalid,
        tuple(dict.fromkeys((*groups, *settings.metrics))),
        protocol.masked_boundaries,
        metric,
    )


def preparation_of(column: ProtocolSet) -> Preparation:
    """What is done to photographs and maps before."""
    return Preparation(column.cut_border_px, column.size, column.photo_size)
