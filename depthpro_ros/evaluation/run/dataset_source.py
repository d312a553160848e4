# SPDX-License-Identifier: Apache-2.0
"""The frames of a public data set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from depthpro_ros.camera import CameraModel, Intrinsics
from depthpro_ros.errors import DepthProError
from depthpro_ros.evaluation.datasets.dataset import Dataset
from depthpro_ros.evaluation.datasets.frame import DatasetFrame
from depthpro_ros.evaluation.run.frames import ALL, Selection, SkippedFrame, SourceFrame


class DatasetSource:
    """Photographs of a data set by number.

    Args:
        dataset: open.
        selection: which ones.
    """

    def __init__(self, dataset: Dataset[Any], selection: Selection = ALL) -> None:
        self._dataset = dataset
        self._numbers = selection.of([None] * len(dataset))

    @property
    def total(self) -> int:
        """See `Source`."""
        return len(self._numbers)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[SourceFrame | SkippedFrame]:
        """See `Source`."""
        for number in self._numbers[start:stop]:
            entry = self._dataset.entries[number]
            try:
                yield source_frame(self._dataset.frame(number))
            except DepthProError as error:
                yield SkippedFrame(entry.id, entry.scene, None, str(error))


def source_frame(frame: DatasetFrame) -> SourceFrame:
    """A data set's frame as evaluations take it."""
    height, width = frame.rgb.shape[:2]
    camera = None
    if frame.intrinsics is not None:
        camera = CameraModel.from_intrinsics(frame.intrinsics)
    elif frame.fx_px is not None:
        camera = CameraModel.from_intrinsics(Intrinsics.from_focal(width, height, frame.fx_px))
    stamp_s = frame.extras.stamp_s
    return SourceFrame(
        id=frame.id,
        scene=frame.scene,
        rgb=frame.rgb,
        stamp_ns=None if stamp_s is None else round(stamp_s * 1e9),
        camera=camera,
        true_fx_px=frame.fx_px if frame.intrinsics is None else frame.intrinsics.fx,
        truth_m=frame.depth_m,
        alpha=frame.alpha,
        extras=frame.extras,
    )
