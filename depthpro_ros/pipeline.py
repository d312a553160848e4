# SPDX-License-Identifier: Apache-2.0
"""One camera frame in, one DepthFrame out. No ROS here: node, command line and evaluation use it alike."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from depthpro_ros.camera import CameraModel, Intrinsics, Rectifier
from depthpro_ros.cloud import Projector, finite_points
from depthpro_ros.depth_frame import DepthFrame, FocalSource, Prepared, Wanted
from depthpro_ros.errors import CameraError, InputError
from depthpro_ros.filters import FocalFilter, edge_mask, limit_range
from depthpro_ros.frame_scale import FrameScaler, Ranges, effective_source
from depthpro_ros.models.estimator import Estimator, Prediction
from depthpro_ros.pipeline_settings import PipelineSettings

__all__ = ["CloudMemory", "DepthFrame", "FocalSource", "Pipeline", "PipelineSettings", "Prepared", "Wanted"]

SATURATED = 0.999
"""Depth up to scale ends at 1, the image's 98th percentile: what lies there may be anywhere behind it."""


CloudMemory = Callable[[int, int], Tensor]
"""(rows, columns) to a float32 [rows, columns, 4] tensor in host memory, for example inside a message."""


@dataclass
class Pipeline:
    """Turns the frames of one camera into depth. Not for use by two threads at once.

    Args:
        estimator: the model.
        settings: may be replaced between frames.
    """

    estimator: Estimator
    settings: PipelineSettings = field(default_factory=PipelineSettings)
    focal_filter: FocalFilter = field(default_factory=FocalFilter)
    _scaler: FrameScaler = field(default_factory=FrameScaler)
    _rectifier: tuple[CameraModel, Rectifier] | None = None
    _projector: Projector | None = None
    _since_estimate: int = 0

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
        settings = self.settings
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.size:
            raise InputError(f"image must be uint8 [H, W, 3] and not empty, it is {rgb.dtype} {list(rgb.shape)}")
        height, width = rgb.shape[:2]
        rectified = settings.input_rectified
        if settings.rectify and not rectified:
            rgb, camera = self._rectified(rgb, camera)
            rectified = True
        dispensable = self._camera_is_dispensable()
        known, source = self._known_intrinsics(camera, width, height, rectified=rectified, dispensable=dispensable)
        estimate = settings.estimate == "always"
        if known is None and not dispensable:
            if settings.estimate == "never":
                raise CameraError(
                    "no focal length: CameraInfo is missing or not calibrated, and 'estimate' is 'never'; publish a "
                    "calibrated CameraInfo, set focal_policy to 'fixed', or allow the estimate"
                )
            held = self.focal_filter.held(width)
            self._since_estimate += 1
            due = self._since_estimate >= settings.focal_check_every or self.focal_filter.contradicted
            if held is None or due or estimate:
                estimate = True
            else:
                known = Intrinsics.from_focal(width, height, held)
        return Prepared(rgb, camera, known, source, None if estimate or known is None else known.fx)

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
        """What comes after the network: scale, range, edges, cloud.

        Args:
            prepared: from `prepare`.
            prediction: of `prepared.rgb` with `prepared.focal_px`; its depth in metres is changed in place.
            model_ms: time in the estimator, milliseconds.
            wanted, cloud_memory, ranges, stamp_s: see `process`.
        """
        known, estimated, enlarged = self._used_camera(prepared, prediction)
        if enlarged is not None:
            prediction = _multiplied(prediction, enlarged)
        depth, scale = prediction.depth_m, None
        source = effective_source(self.settings, metric=depth is not None)
        if (depth is None or source != "off") and (wanted.depth or wanted.cloud or wanted.scale):
            stamp_s = time.monotonic() if stamp_s is None else stamp_s
            scale = self._scaler.scale(self.settings, source, prediction, known, ranges, stamp_s)
        if depth is None:
            depth = prediction.relative_depth
            assert depth is not None
            depth_m = None if scale is None or scale.tracked is None else depth * scale.tracked.scale
            untrusted = depth >= SATURATED
        elif source != "off":
            depth_m = None if scale is None or scale.tracked is None else depth.mul_(scale.tracked.scale)
            untrusted = None
        else:
            depth_m, untrusted = depth, None
        cloud = None
        if depth_m is not None:
            depth_m, cloud = self._cleaned(depth_m, untrusted, prepared, prediction, known, wanted, cloud_memory)
        return DepthFrame(
            depth_m=depth_m,
            rgb=prepared.rgb,
            intrinsics=known,
            camera=None if known is None else self._published_camera(known, prepared.camera),
            focal_source=None if known is None else prepared.focal_source,
            cloud=cloud,
            estimated=estimated,
            model_ms=model_ms,
            relative_depth=prediction.relative_depth,
            confidence=_confidence(prediction) if wanted.confidence else None,
            scale=scale,
        )

    def _used_camera(
        self, prepared: Prepared, prediction: Prediction
    ) -> tuple[Intrinsics | None, Intrinsics | None, float | None]:
        """The camera to use, the one that the network estimated, and what metres must be multiplied by for it."""
        known = prepared.known
        if prepared.focal_px is not None:
            return known, None, None
        raw_focal = float(prediction.focal_px)
        if not math.isfinite(raw_focal):  # a model up to scale has nothing to say about it
            return known, None, None
        height, width = prepared.rgb.shape[:2]
        self._since_estimate = 0
        if known is None:
            known = Intrinsics.from_focal(width, height, self.focal_filter.update(raw_focal, width))
        # depth is proportional to the focal length: rescale what was made with the raw estimate
        return known, Intrinsics.from_focal(width, height, raw_focal), known.fx / raw_focal

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
        return depth_m, self._cloud(depth_m, edges, rgb, known, cloud_memory)

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
        self._since_estimate += 1
        if estimated_px is not None:
            self._since_estimate = 0
            self.focal_filter.update(estimated_px, width_px)

    def _uses_camera_info(self, camera: CameraModel | None) -> bool:
        policy = self.settings.focal_policy
        return policy == "camera_info" or (policy == "auto" and camera is not None and camera.calibrated)

    def _camera_is_dispensable(self) -> bool:
        """Whether the network's depth needs no focal length: not metres, nor a reference in metres."""
        metric = self.estimator.info.metric
        return not metric and effective_source(self.settings, metric=metric) != "depth_pro"

    def _known_intrinsics(
        self, camera: CameraModel | None, width: int, height: int, *, rectified: bool, dispensable: bool
    ) -> tuple[Intrinsics | None, FocalSource]:
        """The intrinsics where they do not depend on the network, and whose focal length is to be used."""
        settings = self.settings
        if settings.focal_policy == "fixed":
            return Intrinsics.from_focal(width, height, settings.fixed_focal_px), "fixed"
        if not self._uses_camera_info(camera) or (dispensable and (camera is None or not camera.calibrated)):
            return None, "estimated"
        if camera is None:
            raise CameraError(
                "focal_policy is 'camera_info' and no CameraInfo has arrived: publish it, or choose 'auto'"
            )
        return camera.intrinsics(width, height, rectified=rectified), "camera_info"

    def _rectified(
        self, rgb: NDArray[np.uint8], camera: CameraModel | None
    ) -> tuple[NDArray[np.uint8], CameraModel | None]:
        """Undo lens distortion, with maps that are made once per calibration."""
        if camera is None or not camera.calibrated:
            raise CameraError("'rectify' is on and there is no calibrated CameraInfo: publish one, or turn it off")
        if self._rectifier is None or self._rectifier[0] != camera:
            self._rectifier = (camera, Rectifier(camera, rgb.shape[1], rgb.shape[0]))
        return self._rectifier[1](rgb), camera.without_distortion()

    def _cloud(
        self,
        depth_m: Tensor,
        edges: Tensor | None,
        rgb: Tensor,
        intrinsics: Intrinsics,
        memory: CloudMemory | None,
    ) -> Tensor:
        settings, device = self.settings, depth_m.device
        projector = self._projector
        if (
            projector is None
            or projector.intrinsics != intrinsics
            or projector.stride != settings.cloud_stride
            or projector.device != device
        ):
            projector = self._projector = Projector(intrinsics, settings.cloud_stride, device)
        if not settings.cloud_organised:
            return finite_points(projector.pack(depth_m, rgb, untrusted=edges))
        out = None if memory is None else memory(*projector.shape)
        if out is None or out.device == device:
            return projector.pack(depth_m, rgb, out, edges)
        return out.copy_(projector.pack(depth_m, rgb, untrusted=edges))

    def _published_camera(self, used: Intrinsics, camera: CameraModel | None) -> CameraModel:
        """`used`, with the lens distortion that the depth image still has."""
        published = CameraModel.from_intrinsics(used, camera.frame_id if camera else "")
        settings = self.settings
        if camera is None or settings.input_rectified or not (camera.distorted and self._uses_camera_info(camera)):
            return published
        return replace(published, d=camera.d, distortion_model=camera.distortion_model)


def _multiplied(prediction: Prediction, factor: float) -> Prediction:
    """A prediction for another focal length, which metres are proportional to."""
    return replace(
        prediction,
        depth_m=None if prediction.depth_m is None else prediction.depth_m * factor,
        reference_m=None if prediction.reference_m is None else prediction.reference_m * factor,
    )


def _confidence(prediction: Prediction) -> Tensor | None:
    return None if prediction.relative_spread is None else 1 / (1 + prediction.relative_spread)
