# SPDX-License-Identifier: Apache-2.0
"""Scores of what a running node answered, beside the ground truth of the same stamps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.camera import Intrinsics
from depthpro_ros.errors import DepthProError
from depthpro_ros.evaluation.results.folder import ResultsFolder
from depthpro_ros.evaluation.results.record import Focal, FrameRecord
from depthpro_ros.evaluation.run.frame_figures import Scored
from depthpro_ros.evaluation.run.frames import Predicted, SkippedFrame, Source, SourceFrame
from depthpro_ros.evaluation.run.progress import Progress
from depthpro_ros.evaluation.run.runner import Pictures, thumbnail_of
from depthpro_ros.evaluation.run.scoring import FrameScorer

DROPPED = "dropped by the node"
UNSCORED = "answered, and let go because scoring could not keep pace"


@dataclass(frozen=True)
class Answered:
    """What the node said to one image.

    Attributes:
        stamp_ns: of the image.
        latency_ms: until all was received; None if it was dropped.
        depth_m: float32 [H, W] metres; None if it was dropped, or could not be kept.
        intrinsics: the camera that the depth was made with; None likewise.
        estimated_px: the network's own focal length; None where there was none.
    """

    stamp_ns: int
    latency_ms: float | None
    depth_m: NDArray[np.float32] | None
    intrinsics: Intrinsics | None
    estimated_px: float | None


class LiveScoring:
    """Takes answers in the order of sending, and writes a record for each.

    Args:
        source: the same images, in the order of their stamps.
        scorer, folder: how to score, and where results go.
        progress: told of each frame.
    """

    def __init__(self, source: Source, scorer: FrameScorer, folder: ResultsFolder, progress: Progress) -> None:
        self._frames: Iterator[SourceFrame | SkippedFrame] = source.frames()
        self._waiting: dict[int, SourceFrame | SkippedFrame] = {}
        self._scorer, self._folder, self._progress = scorer, folder, progress
        self._pictures = Pictures(source.total)
        self._before: Scored | None = None
        self._count = 0

    def take(self, answer: Answered) -> None:
        """Score one answer; what was answered before it is what it is compared with over time."""
        record, scored = self._record(self._count, answer)
        picture = thumbnail_of(scored) if scored is not None and self._pictures.wanted(record) else None
        self._folder.add(record, picture)
        self._before = scored or self._before
        self._count += 1
        self._progress.step()

    def _record(self, index: int, answer: Answered) -> tuple[FrameRecord, Scored | None]:
        frame = self._frame(answer.stamp_ns)
        name = str(answer.stamp_ns) if frame is None else frame.id
        scene = "" if frame is None else frame.scene

        def skipped(reason: str) -> tuple[FrameRecord, None]:
            return FrameRecord(index, name, scene, answer.stamp_ns, reason), None

        if answer.latency_ms is None:
            return skipped(DROPPED)
        if answer.depth_m is None or answer.intrinsics is None:
            return skipped(UNSCORED)
        if frame is None:
            return skipped("no image of this stamp in the recording")
        if isinstance(frame, SkippedFrame):
            return skipped(frame.reason)
        focal = Focal(answer.depth_m.shape[1], answer.intrinsics.fx, answer.estimated_px, frame.true_fx_px)
        times = {"latency_ms": answer.latency_ms}
        try:
            return self._scorer.score(
                index, frame, Predicted(answer.depth_m, answer.intrinsics, focal, times), self._before
            )
        except DepthProError as error:
            return skipped(str(error))

    def _frame(self, stamp_ns: int) -> SourceFrame | SkippedFrame | None:
        """The frame of a stamp; those before it that were not asked for are let go."""
        while not self._waiting or max(self._waiting) < stamp_ns:
            frame = next(self._frames, None)
            if frame is None:
                break
            self._waiting[frame.stamp_ns or 0] = frame
        found = self._waiting.pop(stamp_ns, None)
        for old in [stamp for stamp in self._waiting if stamp < stamp_ns]:
            del self._waiting[old]
        return found
