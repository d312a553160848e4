# SPDX-License-Identifier: Apache-2.0
"""Which pinhole the frames of one camera are seen through: calibrated, fixed, or estimated and steadied."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from depthpro_ros.camera import CameraModel, Intrinsics, Rectifier
from depthpro_ros.depth_frame import FocalSource, Prepared
from depthpro_ros.errors import CameraError, InputError
from depthpro_ros.filters import FocalFilter
from depthpro_ros.models.estimator import Prediction
from depthpro_ros.pipeline_settings import PipelineSettings


@dataclass(frozen=True)
class UsedCamera:
    """The pinhole of one frame.

    Attributes:
        intrinsics: to use; None where none is known, which only depth up to scale can do without.
        estimated: what the network estimated; None where it did not.
        enlarged: what metres must be multiplied by, since they were made with the estimate and not with `intrinsics`;
            None where they need not.
    """

    intrinsics: Intrinsics | None
    estimated: Intrinsics | None = None
    enlarged: float | None = None


@dataclass
class FrameCamera:
    """Chooses the pinhole of each frame of one camera.

    Attributes:
        focal_filter: steadies the estimates.
    """

    focal_filter: FocalFilter = field(default_factory=FocalFilter)
    _rectifier: tuple[CameraModel, Rectifier] | None = None
    _since_estimate: int = 0

    def prepare(
        self, settings: PipelineSettings, rgb: NDArray[np.uint8], camera: CameraModel | None, *, dispensable: bool
    ) -> Prepared:
        """What is known of a frame's camera before the network.

        Args:
            settings: the policies.
            rgb: uint8 [H, W, 3].
            camera: the calibration, or None where it is unknown.
            dispensable: whether the network's depth needs no focal length.

        Raises:
            InputError: the image is unusable.
            CameraError: the calibration is needed and missing, or contradicts the image.
        """
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.size:
            raise InputError(f"image must be uint8 [H, W, 3] and not empty, it is {rgb.dtype} {list(rgb.shape)}")
        height, width = rgb.shape[:2]
        rectified = settings.input_rectified
        if settings.rectify and not rectified:
            rgb, camera = self._rectified(rgb, camera)
            rectified = True
        known, source = _known(settings, camera, width, height, rectified=rectified, dispensable=dispensable)
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

    def used(self, prepared: Prepared, prediction: Prediction) -> UsedCamera:
        """The pinhole to use, once the network has had its say."""
        known = prepared.known
        if prepared.focal_px is not None:
            return UsedCamera(known)
        raw_focal = float(prediction.focal_px)
        if not math.isfinite(raw_focal):  # a model up to scale has nothing to say about it
            return UsedCamera(known)
        height, width = prepared.rgb.shape[:2]
        self._since_estimate = 0
        if known is None:
            known = Intrinsics.from_focal(width, height, self.focal_filter.update(raw_focal, width))
        # depth is proportional to the focal length: rescale what was made with the raw estimate
        return UsedCamera(known, Intrinsics.from_focal(width, height, raw_focal), known.fx / raw_focal)

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

    def _rectified(
        self, rgb: NDArray[np.uint8], camera: CameraModel | None
    ) -> tuple[NDArray[np.uint8], CameraModel | None]:
        """Undo lens distortion, with maps that are made once per calibration."""
        if camera is None or not camera.calibrated:
            raise CameraError("'rectify' is on and there is no calibrated CameraInfo: publish one, or turn it off")
        if self._rectifier is None or self._rectifier[0] != camera:
            self._rectifier = (camera, Rectifier(camera, rgb.shape[1], rgb.shape[0]))
        return self._rectifier[1](rgb), camera.without_distortion()


def published_camera(settings: PipelineSettings, used: Intrinsics, camera: CameraModel | None) -> CameraModel:
    """What to publish beside the depth: the pinhole that was used, with the distortion that the image still has."""
    published = CameraModel.from_intrinsics(used, camera.frame_id if camera else "")
    if camera is None or settings.input_rectified or not (camera.distorted and _uses_camera_info(settings, camera)):
        return published
    return replace(published, d=camera.d, distortion_model=camera.distortion_model)


def _uses_camera_info(settings: PipelineSettings, camera: CameraModel | None) -> bool:
    policy = settings.focal_policy
    return policy == "camera_info" or (policy == "auto" and camera is not None and camera.calibrated)


def _known(
    settings: PipelineSettings,
    camera: CameraModel | None,
    width: int,
    height: int,
    *,
    rectified: bool,
    dispensable: bool,
) -> tuple[Intrinsics | None, FocalSource]:
    """The intrinsics where they do not depend on the network, and whose focal length is to be used."""
    if settings.focal_policy == "fixed":
        return Intrinsics.from_focal(width, height, settings.fixed_focal_px), "fixed"
    if not _uses_camera_info(settings, camera) or (dispensable and (camera is None or not camera.calibrated)):
        return None, "estimated"
    if camera is None:
        raise CameraError("focal_policy is 'camera_info' and no CameraInfo has arrived: publish it, or choose 'auto'")
    return camera.intrinsics(width, height, rectified=rectified), "camera_info"
