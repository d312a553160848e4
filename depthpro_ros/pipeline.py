# SPDX-License-Identifier: Apache-2.0
"""One camera frame in, one DepthFrame out. No ROS here: node, command line and evaluation use it alike."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from depthpro_ros.camera import CameraModel, Intrinsics
from depthpro_ros.confidence import surface_confidence, zero_unless_finite
from depthpro_ros.depth_frame import DepthFrame, FocalSource, Prepared, Wanted
from depthpro_ros.filters import FocalFilter, edge_mask, limit_range
from depthpro_ros.frame_camera import FrameCamera, published_camera
from depthpro_ros.frame_cloud import CloudMemory, FrameCloud
from depthpro_ros.frame_scale import FrameScale, FrameScaler, Ranges
from depthpro_ros.models.estimator import Estimator, Prediction
from depthpro_ros.pipeline_settings import PipelineSettings
from depthpro_ros.scale_settings import EffectiveSource, effective_source

__all__ = ["CloudMemory", "DepthFrame", "FocalSource", "Pipeline", "PipelineSettings", "Prepared", "Wanted"]

SATURATED = 0.999
"""Depth up to scale ends at 1, the image's 98th percentile: what lies there may be anywhere behind it."""


@dataclass
class Pipeline:
    """Turns the frames of one camera into depth. Not for use by two threads at once.

    Args:
        estimator: the model.
        settings: may be replaced between frames.
    """

    estimator: Estimator
    settings: PipelineSettings = field(default_factory=PipelineSettings)
    _camera: FrameCamera = field(default_factory=FrameCamera)
    _scaler: FrameScaler = field(default_factory=FrameScaler)
    _cloud: FrameCloud = field(default_factory=FrameCloud)

    @property
    def focal_filter(self) -> FocalFilter:
        """Steadies estimated focal lengths; may be replaced between frames."""
        return self._camera.focal_filter

    @focal_filter.setter
    def focal_filter(self, focal_filter: FocalFilter) -> None:
        self._camera.focal_filter = focal_filter

    def process(
        self,
        rgb: NDArray[np.uint8],
        camera: CameraModel | None,
        wanted: Wanted = Wanted(),
        cloud_memory: CloudMemory | None = None,
        ranges: Ranges = None,
        stamp_s: float | None = None,
    ) -> DepthFrame:
        """Process one frame: `prepare`, the network, `finish`.

        Args:
            rgb: uint8 [H, W, 3].
            camera: the camera's calibration, or None where it is unknown.
            wanted: what to compute.
            cloud_memory: where an organised cloud is to be written; else it stays on the device.
            ranges: measured points in the camera's optical frame, for scale source `ranges`, or why there are none.
            stamp_s: when the image was taken, seconds; None is now.

        Raises:
            InputError: the image or a setting is unusable.
            CameraError: the calibration is needed and missing, or contradicts the image.
        """
        prepared = self.prepare(rgb, camera)
        started = time.perf_counter()
        prediction = self.estimator.predict(prepared.rgb, prepared.focal_px)
        if prediction.device.type == "cuda":
            torch.cuda.synchronize(prediction.device)
        model_ms = (time.perf_counter() - started) * 1e3
        return self.finish(prepared, prediction, model_ms, wanted, cloud_memory, ranges, stamp_s)

    def prepare(self, rgb: NDArray[np.uint8], camera: CameraModel | None) -> Prepared:
        """What comes before the network. Frames of several cameras may then share one batch.

        Args and raises: see `process`.
        """
        return self._camera.prepare(self.settings, rgb, camera, dispensable=self._camera_is_dispensable())

    @torch.inference_mode()  # depth from an estimator is changed in place below, which only this mode allows
    def finish(
        self,
        prepared: Prepared,
        prediction: Prediction,
        model_ms: float,
        wanted: Wanted = Wanted(),
        cloud_memory: CloudMemory | None = None,
        ranges: Ranges = None,
        stamp_s: float | None = None,
    ) -> DepthFrame:
        """What comes after the network: scale, confidence, range, edges, cloud.

        Args:
            prepared: from `prepare`.
            prediction: of `prepared.rgb` with `prepared.focal_px`; its depth in metres is changed in place.
            model_ms: time in the estimator, milliseconds.
            wanted, cloud_memory, ranges, stamp_s: see `process`.
        """
        used = self._camera.used(prepared, prediction)
        known = used.intrinsics
        if used.enlarged is not None:
            prediction = _multiplied(prediction, used.enlarged)
        metric = prediction.depth_m is not None
        source = effective_source(self.settings, metric=metric)
        scale = self._scale(source, prediction, known, wanted, ranges, stamp_s)
        depth_m, untrusted = _metres(prediction, source, scale)
        confidence, cloud = None, None
        if wanted.confidence and not metric:
            confidence = _drawn_confidence(prediction)
        elif wanted.confidence and depth_m is not None:
            confidence = surface_confidence(depth_m)
        if depth_m is not None:
            depth_m, cloud = self._cleaned(depth_m, untrusted, prepared, prediction, known, wanted, cloud_memory)
            if metric and confidence is not None:
                zero_unless_finite(confidence, depth_m)
        return DepthFrame(
            depth_m=depth_m,
            rgb=prepared.rgb,
            intrinsics=known,
            camera=None if known is None else published_camera(self.settings, known, prepared.camera),
            focal_source=None if known is None else prepared.focal_source,
            cloud=cloud,
            estimated=used.estimated,
            model_ms=model_ms,
            relative_depth=prediction.relative_depth,
            confidence=confidence,
            scale=scale,
        )

    def reset(self) -> None:
        """Forget what earlier frames said: call it when time went back or the camera was exchanged."""
        self.focal_filter.reset()
        self._scaler.reset()

    def restore(self, width_px: int, estimated_px: float | None) -> None:
        """Do for an earlier frame what processing it did to the focal filter.

        Args:
            width_px: the image's.
            estimated_px: what the network estimated, or None where it did not.
        """
        self._camera.restore(width_px, estimated_px)

    def _camera_is_dispensable(self) -> bool:
        """Whether the network's depth needs no focal length: not metres, nor a reference in metres."""
        metric = self.estimator.info.metric
        return not metric and effective_source(self.settings, metric=metric) != "depth_pro"

    def _scale(
        self,
        source: EffectiveSource,
        prediction: Prediction,
        known: Intrinsics | None,
        wanted: Wanted,
        ranges: Ranges,
        stamp_s: float | None,
    ) -> FrameScale | None:
        """How the depth becomes metres; None where it needs no scale, or nobody wants what is made with one."""
        metric = prediction.depth_m is not None
        needed = wanted.depth or wanted.cloud or wanted.scale or (metric and wanted.confidence)
        if (metric and source == "off") or not needed:
            return None
        stamp_s = time.monotonic() if stamp_s is None else stamp_s
        return self._scaler.scale(self.settings, source, prediction, known, ranges, stamp_s)

    def _cleaned(
        self,
        depth_m: Tensor,
        untrusted: Tensor | None,
        prepared: Prepared,
        prediction: Prediction,
        known: Intrinsics | None,
        wanted: Wanted,
        cloud_memory: CloudMemory | None,
    ) -> tuple[Tensor, Tensor | None]:
        """Depth in metres, in place, without what must not be believed; and the cloud that is made of it."""
        settings, edges = self.settings, None
        if settings.edge_filter == "all" or (settings.edge_filter == "cloud" and wanted.cloud):
            edges = edge_mask(depth_m, settings.edge_ratio)
        depth_m = limit_range(depth_m, settings.min_depth_m, settings.max_depth_m)
        if untrusted is not None:
            depth_m.masked_fill_(untrusted, torch.nan)
        if edges is not None and settings.edge_filter == "all":
            depth_m.masked_fill_(edges, torch.nan)
        if not wanted.cloud or known is None:
            return depth_m, None
        rgb = torch.from_numpy(prepared.rgb).to(depth_m.device) if prediction.rgb is None else prediction.rgb
        return depth_m, self._cloud.make(settings, depth_m, edges, rgb, known, cloud_memory)


def _multiplied(prediction: Prediction, factor: float) -> Prediction:
    """A prediction for another focal length, which metres are proportional to."""
    return replace(
        prediction,
        depth_m=None if prediction.depth_m is None else prediction.depth_m * factor,
        reference_m=None if prediction.reference_m is None else prediction.reference_m * factor,
    )


def _metres(
    prediction: Prediction, source: EffectiveSource, scale: FrameScale | None
) -> tuple[Tensor | None, Tensor | None]:
    """Depth in metres, None while its scale is not known; and bool [H, W], what of it must not be believed, or None."""
    if prediction.depth_m is not None and source == "off":
        return prediction.depth_m, None
    if scale is None or scale.tracked is None:
        return None, None
    factor = scale.tracked.scale
    if prediction.depth_m is not None:
        return prediction.depth_m.mul_(factor), None
    relative = prediction.relative_depth
    assert relative is not None
    return relative * factor, relative >= SATURATED


def _drawn_confidence(prediction: Prediction) -> Tensor | None:
    return None if prediction.relative_spread is None else 1 / (1 + prediction.relative_spread)
