# SPDX-License-Identifier: Apache-2.0
"""The frames of a recording, with ground truth of the same moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from depthpro_ros.bag_messages import frame_id, rgb_pixels
from depthpro_ros.camera import CameraModel, Intrinsics
from depthpro_ros.errors import CameraError, DepthProError
from depthpro_ros.evaluation.bags.ground_truth import GroundTruth, View, calibrations
from depthpro_ros.evaluation.bags.matching import SLOP_S, match_stamps
from depthpro_ros.evaluation.bags.part import Read
from depthpro_ros.evaluation.bags.recording import Recording, Reference
from depthpro_ros.evaluation.bags.topics import Choice
from depthpro_ros.evaluation.bags.transforms import Pose
from depthpro_ros.evaluation.run.frames import ALL, Selection, SkippedFrame, SourceFrame


class BagSource:
    """Images of a recording, each with the ground truth of its stamp.

    Args:
        recording: open; it stays the caller's.
        choice: which topics.
        selection: which images.
        slop_s: how far stamps of partners may be apart.
        depth_scale: stored depth values per metre, where neither the encoding nor the recorder says it.
        truth_pose: of its frame in the image's, instead of what is recorded.
        scene: name of the recording in the results.

    Attributes:
        notes: how stamps matched, and what else a reader should know.

    Raises:
        InputError: the ground truth cannot be made, such as depth of a camera without calibration.
    """

    def __init__(
        self,
        recording: Recording,
        choice: Choice,
        selection: Selection = ALL,
        *,
        slop_s: float = SLOP_S,
        depth_scale: float | None = None,
        truth_pose: Pose | None = None,
        scene: str | None = None,
    ) -> None:
        self._recording, self._choice, self._slop_s = recording, choice, slop_s
        self._scene = recording.path.stem if scene is None else scene
        self._cameras = calibrations(recording, choice.camera_info)
        images = sorted(recording.references(choice.image), key=lambda reference: reference.place.stamp_ns)
        stamps = [reference.place.stamp_ns for reference in images]
        notes = [] if len(self._cameras) else ["no calibrated CameraInfo: the focal length is estimated"]
        partners: dict[int, Reference] = {}
        self._truth: GroundTruth | None = None
        if choice.truth is not None:
            self._truth = GroundTruth(recording, choice, depth_scale=depth_scale, view_from_truth=truth_pose)
            truths = recording.references(choice.truth)
            matches = match_stamps(stamps, [reference.place.stamp_ns for reference in truths], slop_s)
            partners = {first: truths[second] for first, second in matches.pairs}
            notes.append(f"stamps: {matches.summary()}")
        distorted = len(self._cameras) and stamps and self._cameras.at(stamps[0]).distorted
        if distorted and not choice.rectified:
            notes.append("the lens has distortion, which is not undone: depth is judged on the images as they are")
        self._images = [(images[place], partners.get(place)) for place in selection.of(list(stamps))]
        self.notes = tuple(notes)

    @property
    def total(self) -> int:
        """See `Source`."""
        return len(self._images)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[SourceFrame | SkippedFrame]:
        """See `Source`."""
        chosen = self._images[start:stop]
        readable = [pair for pair in chosen if self._truth is None or pair[1] is not None]
        reads = in_order(self._recording, [[part for part in pair if part is not None] for pair in readable])
        for image, truth in chosen:
            if self._truth is not None and truth is None:
                reason = f"no ground truth within {1e3 * self._slop_s:g} ms"
                yield SkippedFrame(self._id(image), self._scene, image.place.stamp_ns, reason)
            else:
                yield self._frame(image, next(reads))

    def _frame(self, image: Reference, reads: tuple[Read, ...]) -> SourceFrame | SkippedFrame:
        stamp_ns = image.place.stamp_ns
        try:
            message = reads[0].message
            rgb = rgb_pixels(message)
            height, width = rgb.shape[:2]
            camera, intrinsics = self._camera(stamp_ns, width, height)
            truth_m = None
            if self._truth is not None:
                pinhole = intrinsics or Intrinsics.from_focal(width, height, float(width))
                truth_m = self._truth.depth_m(reads[1], View(pinhole, frame_id(message), stamp_ns))
        except DepthProError as error:
            return SkippedFrame(self._id(image), self._scene, stamp_ns, str(error))
        return SourceFrame(
            id=self._id(image),
            scene=self._scene,
            rgb=rgb,
            stamp_ns=stamp_ns,
            frame_id=frame_id(message),
            camera=camera,
            true_fx_px=None if intrinsics is None else intrinsics.fx,
            truth_m=truth_m,
        )

    def _camera(self, stamp_ns: int, width: int, height: int) -> tuple[CameraModel | None, Intrinsics | None]:
        if not len(self._cameras):
            if self._choice.truth_kind in ("depth", "cloud"):
                raise CameraError("ground truth of another sensor needs the image's CameraInfo, and there is none")
            return None, None
        camera = self._cameras.at(stamp_ns)
        return camera, camera.intrinsics(width, height, rectified=self._choice.rectified)

    def _id(self, image: Reference) -> str:
        return f"{self._scene}/{image.place.stamp_ns}"


def in_order(recording: Recording, groups: Sequence[Sequence[Reference]]) -> Iterator[tuple[Read, ...]]:
    """Messages of each group, in the groups' order; what is whole before its turn waits in memory.

    A message that is gone since the recording was opened ends the iteration.
    """
    waiting: dict[int, tuple[Read, ...]] = {}
    turn = 0
    for number, reads in recording.gather(groups):
        waiting[number] = reads
        while turn in waiting:
            yield waiting.pop(turn)
            turn += 1
