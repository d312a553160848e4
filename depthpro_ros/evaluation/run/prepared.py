# SPDX-License-Identifier: Apache-2.0
"""Frames cut and resized as a published protocol asks, with their camera."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from depthpro_ros.camera import CameraModel
from depthpro_ros.errors import DepthProError, InputError
from depthpro_ros.evaluation.datasets.frame import Extras
from depthpro_ros.evaluation.run.frames import Predicted, Predictor, SkippedFrame, Source, SourceFrame

Size = tuple[int, int]
MapT = TypeVar("MapT", bound=np.generic)


@dataclass(frozen=True)
class Preparation:
    """What is done to a frame before anything is predicted.

    Attributes:
        cut_border_px: cut from each side of the photograph and of all maps.
        size: (height, width) that the photograph (bicubically, as Pillow does it) and all maps (by nearest neighbour)
            are then resized to, whatever their proportions.
        photo_size: the same for the photograph alone.
    """

    cut_border_px: int = 0
    size: Size | None = None
    photo_size: Size | None = None

    @property
    def label(self) -> str:
        """In words; empty where nothing is done."""
        parts = [f"{self.cut_border_px} px cut from each side"] if self.cut_border_px else []
        parts += [f"all resized to {self.size[1]}x{self.size[0]}"] if self.size else []
        parts += [f"photograph resized to {self.photo_size[1]}x{self.photo_size[0]}"] if self.photo_size else []
        return ", ".join(parts)

    def of(self, frame: SourceFrame) -> SourceFrame:
        """The frame as it is to be predicted and scored.

        Raises:
            InputError: nothing of it would be left.
        """
        height, width = frame.rgb.shape[:2]
        cut = self.cut_border_px
        if min(height, width) <= 2 * cut:
            raise InputError(f"{cut} px cannot be cut from each side of images as small as this")
        rgb = frame.rgb[cut : height - cut, cut : width - cut]
        photo_size = self.size or self.photo_size
        camera, true_fx_px = frame.camera, frame.true_fx_px
        if camera is not None:
            intrinsics = camera.intrinsics(width, height, rectified=False)
            intrinsics = intrinsics.cropped(cut, cut, width - 2 * cut, height - 2 * cut)
            if photo_size is not None:
                intrinsics = intrinsics.resized(photo_size[1], photo_size[0])
            camera, true_fx_px = CameraModel.from_intrinsics(intrinsics, camera.frame_id), intrinsics.fx
        return replace(
            frame,
            rgb=np.ascontiguousarray(rgb if photo_size is None else _resized_photo(rgb, photo_size)),
            camera=camera,
            true_fx_px=true_fx_px,
            truth_m=None if frame.truth_m is None else self._map(frame.truth_m),
            alpha=None if frame.alpha is None else self._map(frame.alpha),
            extras=self._extras(frame.extras),
        )

    def _extras(self, extras: Extras) -> Extras:
        # lines of one pixel do not survive a nearest neighbour
        edges = None if extras.edges is None or self.size is not None else self._map(extras.edges)
        planes = extras.planes and tuple(replace(plane, mask=self._map(plane.mask)) for plane in extras.planes)
        materials = None if extras.materials is None else self._map(extras.materials)
        return replace(extras, edges=edges, planes=planes, materials=materials)

    def _map(self, values: NDArray[MapT]) -> NDArray[MapT]:
        height, width = (side - 2 * self.cut_border_px for side in values.shape)
        cut = values[self.cut_border_px :, self.cut_border_px :][:height, :width]
        if self.size is None:
            return np.ascontiguousarray(cut)
        rows, columns = ((np.arange(n) * side) // n for n, side in zip(self.size, (height, width), strict=True))
        return cut[rows[:, None], columns]


class PreparedSource:
    """Frames of another source, prepared; one that cannot be is skipped."""

    def __init__(self, source: Source, preparation: Preparation) -> None:
        self._source, self._preparation = source, preparation

    @property
    def total(self) -> int:
        """See `Source`."""
        return self._source.total

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[SourceFrame | SkippedFrame]:
        """See `Source`."""
        for frame in self._source.frames(start, stop):
            if isinstance(frame, SkippedFrame):
                yield frame
                continue
            try:
                yield self._preparation.of(frame)
            except DepthProError as error:
                yield SkippedFrame(frame.id, frame.scene, frame.stamp_ns, str(error))


class AlignedCornersPredictor:
    """Another predictor, whose depth is resized to the ground truth's with aligned corners."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    def predict(self, frame: SourceFrame) -> Predicted:
        """See `Predictor`."""
        predicted = self._predictor.predict(frame)
        if frame.truth_m is None or frame.truth_m.shape == predicted.depth.shape:
            return predicted
        height, width = frame.truth_m.shape
        resized = resized_with_corners(predicted.depth, (height, width))
        return replace(
            predicted,
            depth_m=None if predicted.depth_m is None else resized,
            relative=None if predicted.relative is None else resized,
            intrinsics=None if predicted.intrinsics is None else predicted.intrinsics.resized(width, height),
            cloud=None,
        )

    def restore(self, width_px: int, estimated_px: float | None) -> None:
        """See `Predictor`."""
        self._predictor.restore(width_px, estimated_px)


def resized_with_corners(depth: NDArray[np.float32], size: Size) -> NDArray[np.float32]:
    """Resize bilinearly so that the centres of the corner pixels, not the outlines of the images, coincide.

    Args:
        depth: float32 [h, w].
        size: (height, width).
    """
    image = torch.from_numpy(np.ascontiguousarray(depth))[None, None]
    resized: NDArray[np.float32] = torch.nn.functional.interpolate(
        image, size=size, mode="bilinear", align_corners=True
    )[0, 0].numpy()
    return resized


def _resized_photo(rgb: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    picture = Image.fromarray(np.ascontiguousarray(rgb)).resize(size[::-1], Image.Resampling.BICUBIC)
    return np.asarray(picture, np.uint8)
