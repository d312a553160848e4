# SPDX-License-Identifier: Apache-2.0
"""Every frame of a source: predicted, scored, and written before the next one is read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from depthpro_ros.errors import DepthProError
from depthpro_ros.evaluation.results.folder import ResultsFolder
from depthpro_ros.evaluation.results.record import FrameRecord
from depthpro_ros.evaluation.results.thumbnail import Thumbnail
from depthpro_ros.evaluation.run.frame_figures import Scored
from depthpro_ros.evaluation.run.frames import Predictor, SkippedFrame, Source, SourceFrame
from depthpro_ros.evaluation.run.progress import Progress
from depthpro_ros.evaluation.run.scoring import FrameScorer

KEPT_THUMBNAILS = 400
EXTREMES = 12
"""Frames with the largest and the smallest errors so far also keep their pictures."""

OnScored = Callable[[FrameRecord, Scored], None]


def evaluate(
    source: Source,
    predictor: Predictor,
    scorer: FrameScorer,
    folder: ResultsFolder,
    *,
    on_scored: OnScored | None = None,
) -> int:
    """Evaluate what is not in the folder yet.

    An interrupted evaluation goes on as if it had not been: the last frame that was done is predicted again, to be what
    the next one is compared with.

    Args:
        source, predictor, scorer: what to evaluate, and how.
        folder: where results go.
        on_scored: called with each frame that was scored.

    Returns:
        How many frames were evaluated by this call.
    """
    done, last = 0, None
    for record in folder.records():
        # the last one is predicted again
        if last is not None:
            predictor.restore(last.focal.width_px, last.focal.estimated)
        done, last = done + 1, record
    evaluated = 0
    pictures = Pictures(source.total)
    with Progress(source.total, done) as progress:
        for record, scored in records(source, predictor, scorer, done):
            picture = None
            if scored is not None:
                evaluated += 1
                if pictures.wanted(record):
                    picture = thumbnail_of(scored)
                if on_scored is not None:
                    on_scored(record, scored)
            folder.add(record, picture)
            progress.step()
    return evaluated


def records(
    source: Source, predictor: Predictor, scorer: FrameScorer, start: int = 0, stop: int | None = None
) -> Iterator[tuple[FrameRecord, Scored | None]]:
    """Records of the frames with these numbers, and what was scored; None for a frame that was skipped.

    The frame before the first is predicted too, on its own, if there is one.
    """
    before: Scored | None = None
    frames = source.frames(max(start - 1, 0), stop)
    for index in range(max(start - 1, 0), source.total if stop is None else stop):
        started = time.perf_counter()
        frame = next(frames, None)
        if frame is None:
            return
        if index < start:
            before = _context(index, frame, predictor, scorer)
            continue
        if isinstance(frame, SkippedFrame):
            before = None
            yield FrameRecord(index, frame.id, frame.scene, frame.stamp_ns, skipped=frame.reason), None
            continue
        try:
            record, scored = scorer.score(index, frame, predictor.predict(frame), before)
        except DepthProError as error:
            before = None
            yield FrameRecord(index, frame.id, frame.scene, frame.stamp_ns, skipped=str(error)), None
            continue
        frame_ms = (time.perf_counter() - started) * 1e3
        yield replace(record, figures={**record.figures, "frame_ms": frame_ms}), scored
        before = scored


def _context(index: int, frame: SourceFrame | SkippedFrame, predictor: Predictor, scorer: FrameScorer) -> Scored | None:
    """A frame that was recorded before, for the next one to be compared with."""
    if isinstance(frame, SkippedFrame):
        return None
    try:
        return scorer.score(index, frame, predictor.predict(frame), None)[1]
    except DepthProError:
        return None


def thumbnail_of(scored: Scored) -> Thumbnail:
    """The picture of a frame; of depth up to scale that nothing aligned, without a unit."""
    depth = scored.depth if scored.depth_m is None else scored.depth_m
    height, width = depth.shape
    camera = scored.predicted.intrinsics
    return Thumbnail.of(
        scored.frame.rgb, depth, scored.frame.truth_m, None if camera is None else camera.resized(width, height)
    )


class Pictures:
    """Which frames keep a picture: some, evenly spaced, and those that are better or worse than nearly all before."""

    def __init__(self, total: int) -> None:
        self._stride = max(1, -(-total // KEPT_THUMBNAILS))
        self._best: list[float] = []
        self._worst: list[float] = []

    def wanted(self, record: FrameRecord) -> bool:
        error = record.headline_error
        extreme = False
        if error is not None:
            extreme = _enters(self._best, error) | _enters(self._worst, -error)
        return extreme or record.index % self._stride == 0


def _enters(smallest: list[float], value: float) -> bool:
    """Keep the smallest values seen; whether this is one of them."""
    smallest.append(value)
    smallest.sort()
    del smallest[EXTREMES:]
    return value in smallest
