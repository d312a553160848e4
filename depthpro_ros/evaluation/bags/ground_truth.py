# SPDX-License-Identifier: Apache-2.0
"""Ground truth of a recording as a depth image of the colour camera: registered, reprojected, or from a lidar."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.bag_messages import Calibrations, camera_model, depth_metres, frame_id, is_rectified
from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import CameraError, InputError
from depthpro_ros.evaluation.bags.part import Read
from depthpro_ros.evaluation.bags.projection import (
    CLOUD_RADIUS_PX,
    cloud_points,
    moved,
    project_points,
    reproject_depth,
)
from depthpro_ros.evaluation.bags.realsense import recorded_pose
from depthpro_ros.evaluation.bags.recording import Recording
from depthpro_ros.evaluation.bags.topics import Choice
from depthpro_ros.evaluation.bags.transforms import Pose, TransformTree


@dataclass(frozen=True)
class View:
    """The image that a ground truth is wanted for.

    Attributes:
        intrinsics: its pinhole, of the image's size.
        frame_id: its optical frame, without a leading slash.
        stamp_ns: of its header.
    """

    intrinsics: Intrinsics
    frame_id: str
    stamp_ns: int


class GroundTruth:
    """Makes depth images of the messages of the chosen topic.

    Args:
        recording: which has the ground truth, and for one that is not registered also tf.
        choice: with `truth` and `truth_kind`.
        depth_scale: stored depth values per metre, where it is neither as REP 118 has it nor recorded.
        max_depth_m: depth beyond it counts as unknown.
        view_from_truth: [4, 4] pose of the truth's frame in the image's, instead of what is recorded: RealSense's
            extrinsics where there are any, else tf.

    Raises:
        InputError: no ground truth was chosen, or a depth camera without calibration.
    """

    def __init__(
        self,
        recording: Recording,
        choice: Choice,
        *,
        depth_scale: float | None = None,
        max_depth_m: float = math.inf,
        view_from_truth: Pose | None = None,
    ) -> None:
        if choice.truth is None or choice.truth_kind is None:
            raise InputError(f"{recording.path} has no ground truth: name a topic with depth images or a point cloud")
        self._topic, self._kind = choice.truth, choice.truth_kind
        self._depth_scale = depth_scale or _recorded_scale(recording, choice.units)
        self._max_depth_m = max_depth_m
        self._given = view_from_truth
        self._cameras = Calibrations([])
        self._tree = TransformTree([])
        if self._kind == "depth":
            self._cameras = calibrations(recording, choice.truth_info)
            if not len(self._cameras):
                raise InputError(
                    f"{choice.truth} is of another camera than the image, and {choice.truth_info or 'no topic'} has "
                    "its calibration: name the topic with its CameraInfo, or use depth registered to the image"
                )
        if self._kind != "registered" and self._given is None:
            self._given = recorded_pose(recording, choice.image, choice.truth)
        if self._kind != "registered" and self._given is None:
            self._tree = TransformTree.of(recording)

    def depth_m(self, truth: Read, view: View) -> NDArray[np.float32]:
        """Metres along the image's axis, float32 [H, W]; NaN where it is not known, +inf where the truth says so.

        Raises:
            InputError: a size that does not fit, a message that cannot be decoded, or no transform.
        """
        message = truth.message
        if self._kind == "cloud":
            points = moved(cloud_points(message), self._pose(truth, view))
            return project_points(
                points, view.intrinsics, hidden_radius_px=CLOUD_RADIUS_PX, max_depth_m=self._max_depth_m
            )
        depth = depth_metres(message, self._depth_scale)
        height, width = depth.shape
        if self._kind == "depth":
            try:
                camera = self._cameras.at(truth.place.stamp_ns)
                source = camera.intrinsics(width, height, rectified=is_rectified(self._topic))
            except CameraError as error:
                raise InputError(f"{self._topic}: {error}") from error
            return reproject_depth(depth, source, view.intrinsics, self._pose(truth, view), self._max_depth_m)
        if (width, height) != (view.intrinsics.width, view.intrinsics.height):
            raise InputError(
                f"{self._topic} is {width}x{height} pixels, the image is {view.intrinsics.width}x"
                f"{view.intrinsics.height}: it is not registered to the image, say that it is of another camera"
            )
        depth[np.isfinite(depth) & (depth > self._max_depth_m)] = np.nan
        return depth

    def _pose(self, truth: Read, view: View) -> Pose:
        if self._given is not None:
            return self._given
        return self._tree.between(view.frame_id, view.stamp_ns, frame_id(truth.message), truth.place.stamp_ns)


def calibrations(recording: Recording, topic: str | None) -> Calibrations:
    """What CameraInfo says over time; none where there is no such topic."""
    reads = recording.messages([topic]) if topic is not None else ()
    return Calibrations((read.place.stamp_ns, camera_model(read.message, read.is_ros2)) for read in reads)


def _recorded_scale(recording: Recording, topic: str | None) -> float | None:
    """Values per metre, from RealSense's metres per value."""
    for read in recording.messages([topic]) if topic is not None else ():
        if read.message.data > 0:
            return 1 / float(read.message.data)
    return None
