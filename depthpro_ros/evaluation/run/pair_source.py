# SPDX-License-Identifier: Apache-2.0
"""Depth that was recorded before, with ground truth from another recording or the same one: no model is needed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.bag_messages import depth_metres, frame_id, rgb_pixels, sibling_info_topic
from depthpro_ros.errors import DepthProError, InputError
from depthpro_ros.evaluation.bags.ground_truth import GroundTruth, View, calibrations
from depthpro_ros.evaluation.bags.matching import SLOP_S, match_stamps
from depthpro_ros.evaluation.bags.part import Read
from depthpro_ros.evaluation.bags.recording import Recording, Reference
from depthpro_ros.evaluation.bags.topics import Choice
from depthpro_ros.evaluation.bags.transforms import Pose
from depthpro_ros.evaluation.results.record import Focal
from depthpro_ros.evaluation.run.bag_source import in_order
from depthpro_ros.evaluation.run.frames import ALL, Predicted, Selection, SkippedFrame, SourceFrame


class PairSource:
    """Recorded predictions, each with the ground truth (and the image, where there is one) of its stamp.

    Args:
        predictions, truths: open recordings; the same one twice is fine.
        depth_topic: of the predictions.
        choice: topics of the ground truth; its image may have no messages.
        selection: which predictions.
        slop_s: how far stamps of partners may be apart.
        depth_scale: stored values per metre of the ground truth, where nothing says it.
        truth_pose: of its frame in the image's, instead of what is recorded.

    Attributes:
        notes: how stamps matched.

    Raises:
        InputError: there is no ground truth, or no calibration of the predicted depth.
    """

    def __init__(
        self,
        predictions: Recording,
        depth_topic: str,
        truths: Recording,
        choice: Choice,
        selection: Selection = ALL,
        *,
        slop_s: float = SLOP_S,
        depth_scale: float | None = None,
        truth_pose: Pose | None = None,
    ) -> None:
        self._predictions, self._truths, self._slop_s = predictions, truths, slop_s
        # of the images, so that other predictions for them can be compared
        self._scene = truths.path.stem
        if choice.truth is None:
            raise InputError(f"{truths.path} has no ground truth: name a topic with depth images or a point cloud")
        self._cameras = calibrations(predictions, sibling_info_topic(depth_topic))
        if not len(self._cameras):
            self._cameras = calibrations(truths, choice.camera_info)
        if not len(self._cameras):
            raise InputError(
                f"{depth_topic} has no CameraInfo beside it, nor has the image in {truths.path}: name the topic with it"
            )
        self._true_cameras = calibrations(truths, choice.camera_info)
        self._rectified = choice.rectified
        self._truth = GroundTruth(truths, choice, depth_scale=depth_scale, view_from_truth=truth_pose)
        depths = sorted(predictions.references(depth_topic), key=lambda reference: reference.place.stamp_ns)
        stamps = [reference.place.stamp_ns for reference in depths]
        of_truth, of_image = truths.references(choice.truth), truths.references(choice.image)
        matches = match_stamps(stamps, [reference.place.stamp_ns for reference in of_truth], slop_s)
        images = match_stamps(stamps, [reference.place.stamp_ns for reference in of_image], slop_s)
        truth_of, image_of = dict(matches.pairs), dict(images.pairs)
        self._items = [
            (
                depths[place],
                of_truth[truth_of[place]] if place in truth_of else None,
                of_image[image_of[place]] if place in image_of else None,
            )
            for place in selection.of(list(stamps))
        ]
        self.notes = (f"stamps: {matches.summary('predictions')}",)

    @property
    def total(self) -> int:
        """See `Source`."""
        return len(self._items)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[SourceFrame | SkippedFrame]:
        """See `Source`."""
        chosen = self._items[start:stop]
        whole = [item for item in chosen if item[1] is not None]
        depths = in_order(self._predictions, [[item[0]] for item in whole])
        truths = in_order(self._truths, [[part for part in item[1:] if part is not None] for item in whole])
        for depth, truth, _ in chosen:
            if truth is None:
                reason = f"no ground truth within {1e3 * self._slop_s:g} ms"
                yield SkippedFrame(self._id(depth), self._scene, depth.place.stamp_ns, reason)
            else:
                yield self._frame(depth, next(depths)[0], next(truths))

    def _frame(self, reference: Reference, depth: Read, others: tuple[Read, ...]) -> SourceFrame | SkippedFrame:
        stamp_ns = reference.place.stamp_ns
        try:
            depth_m = depth_metres(depth.message)
            height, width = depth_m.shape
            used = self._cameras.at(stamp_ns).intrinsics(width, height, rectified=True)
            true = (
                self._true_cameras.at(stamp_ns).intrinsics(width, height, rectified=self._rectified)
                if len(self._true_cameras)
                else None
            )
            truth_m = self._truth.depth_m(others[0], View(true or used, frame_id(depth.message), stamp_ns))
            rgb = rgb_pixels(others[1].message) if len(others) > 1 else _grey(height, width)
        except DepthProError as error:
            return SkippedFrame(self._id(reference), self._scene, stamp_ns, str(error))
        true_fx = None if true is None else true.fx
        return SourceFrame(
            id=self._id(reference),
            scene=self._scene,
            rgb=rgb,
            stamp_ns=stamp_ns,
            frame_id=frame_id(depth.message),
            true_fx_px=true_fx,
            truth_m=truth_m,
            recorded=Predicted(depth_m, used, Focal(width, used.fx, None, true_fx)),
        )

    def _id(self, depth: Reference) -> str:
        return f"{self._scene}/{depth.place.stamp_ns}"


def _grey(height: int, width: int) -> NDArray[np.uint8]:
    """Where no image was recorded."""
    return np.full((height, width, 3), 128, np.uint8)
