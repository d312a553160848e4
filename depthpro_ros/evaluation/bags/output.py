# SPDX-License-Identifier: Apache-2.0
"""What an evaluation saw, as a bag for RViz and Foxglove: images, depth, truth, error, points, figures over time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.bag_writer import (
    BagWriter,
    camera_info_message,
    cloud_message,
    float_message,
    header,
    image_message,
)
from depthpro_ros.camera import CameraModel, Intrinsics
from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.masks import usable

IMAGE, TRUTH, ERROR = "/camera/image", "/truth/image", "/error/image"
DEPTH, CAMERA_INFO, POINTS = "/depth/image", "/depth/camera_info", "/depth/points"
RELATIVE = "/depth/relative"
"""Depth without a unit, as the node names it."""
FIGURES = "/evaluation"


@dataclass(frozen=True)
class OutputFrame:
    """A frame as it was evaluated.

    Attributes:
        stamp_ns, frame_id: of the image's header; every message gets them.
        depth_m: predicted, float32 [H, W] metres. Of a model up to scale it is what an alignment made of the
            prediction, which is shown as an error and never as depth; None where there was nothing to align to.
        intrinsics: the camera that the depth was made with, of its size; None, which only a model up to scale can do
            without, leaves it out.
        rgb: the image, uint8 [h, w, 3]; None leaves it out.
        truth_m: float32 [H, W] metres; None leaves it and the error out.
        cloud: float32 [h, w, 4], as `depthpro_ros.cloud` packs it; None leaves it out.
        figures: by the names of `figures`; a frame need not have those of another.
        relative: depth of a model up to scale, float32 [H, W] without a unit; None of a metric one.

    Raises:
        InputError: no depth, or maps that are not of one size.
    """

    stamp_ns: int
    frame_id: str
    depth_m: NDArray[np.float32] | None
    intrinsics: Intrinsics | None
    rgb: NDArray[np.uint8] | None = None
    truth_m: NDArray[np.float32] | None = None
    cloud: NDArray[np.float32] | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    relative: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        shapes = [x.shape for x in (self.relative, self.depth_m, self.truth_m) if x is not None]
        if self.relative is None and (self.depth_m is None or self.intrinsics is None):
            raise InputError("a frame for a bag needs depth in metres and its camera, or depth up to scale")
        size = shapes[0] if self.intrinsics is None else (self.intrinsics.height, self.intrinsics.width)
        if any(shape != size for shape in shapes):
            raise InputError(
                f"depth and truth are {[list(shape) for shape in shapes]}, expected {list(size)} as the intrinsics "
                "say: resize the prediction to the truth, and the intrinsics with it"
            )
        if self.cloud is not None and (self.cloud.ndim != 3 or self.cloud.shape[2] != 4):
            raise InputError(f"the cloud is {list(self.cloud.shape)}, expected [h, w, 4]: x, y, z and colour")


class OutputBag:
    """Writes frames to a rosbag2 in MCAP, in a `with` statement; what was written stays if it is interrupted.

    Args:
        path: the folder to make.
        replace: remove a bag that is there already; anything else is never removed.

    Raises:
        InputError: there is something already, or rosbags is not installed.
    """

    def __init__(self, path: Path, *, replace: bool = False) -> None:
        self._bag = BagWriter(path, replace=replace)
        self._figure_of: dict[str, str] = {}

    def write(self, frame: OutputFrame) -> None:
        """Write one frame; all its messages are of the time of its stamp.

        Raises:
            InputError: two figures whose names differ only in what a topic cannot have.
        """
        head = header(frame.stamp_ns, frame.frame_id)
        messages = {}
        if frame.intrinsics is not None:
            messages[CAMERA_INFO] = camera_info_message(head, CameraModel.from_intrinsics(frame.intrinsics))
        if frame.relative is not None:
            messages[RELATIVE] = image_message(head, frame.relative.astype(np.float32, copy=False), "32FC1")
        elif frame.depth_m is not None:
            messages[DEPTH] = image_message(head, frame.depth_m.astype(np.float32, copy=False), "32FC1")
        if frame.rgb is not None:
            messages[IMAGE] = image_message(head, frame.rgb, "rgb8")
        if frame.truth_m is not None:
            messages[TRUTH] = image_message(head, frame.truth_m.astype(np.float32, copy=False), "32FC1")
            if frame.depth_m is not None:
                messages[ERROR] = image_message(head, signed_error(frame.depth_m, frame.truth_m), "32FC1")
        if frame.cloud is not None:
            messages[POINTS] = cloud_message(head, frame.cloud)
        messages |= {self._topic(name): float_message(float(value)) for name, value in frame.figures.items()}
        for topic, message in messages.items():
            self._bag.write(topic, message, frame.stamp_ns)

    def __enter__(self) -> OutputBag:
        self._bag.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bag.__exit__(kind, error, trace)

    def _topic(self, figure: str) -> str:
        topic = figure_topic(figure)
        if self._figure_of.setdefault(topic, figure) != figure:
            raise InputError(f"figures {self._figure_of[topic]} and {figure} would share topic {topic}: rename one")
        return topic


def figure_topic(figure: str) -> str:
    """The topic of a figure: `abs_rel@median_scale` is on /evaluation/abs_rel_median_scale.

    Names have letters, digits and single underscores, and begin with a letter (ROS 2's topic names).
    """
    name = re.sub(r"[^A-Za-z0-9]+", "_", figure).strip("_")
    return f"{FIGURES}/{name if name[:1].isalpha() else f'figure_{name}'}"


def signed_error(depth_m: NDArray[np.float32], truth_m: NDArray[np.float32]) -> NDArray[np.float32]:
    """(p - d) / d of each pixel, float32 [H, W]: above 0 is too far; NaN unless both are finite and above 0."""
    known = usable(depth_m) & usable(truth_m)
    error = np.full(depth_m.shape, np.nan, np.float32)
    with np.errstate(invalid="ignore"):
        np.divide(depth_m - truth_m, truth_m, out=error, where=known)
    return error
