# SPDX-License-Identifier: Apache-2.0
"""Pinhole intrinsics, calibrated cameras as sensor_msgs/CameraInfo describes them, and rectification.

Pixel centres are at integer coordinates (OpenCV and ROS): an image W wide spans -0.5 to W - 0.5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from depthpro_ros.errors import CameraError

DISTORTION_COEFFICIENTS = {"plumb_bob": (4, 5), "rational_polynomial": (8, 12, 14), "equidistant": (4,)}
"""Distortion models that can be rectified, and how many coefficients each may have (OpenCV's order)."""


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole camera without distortion, for images of one size.

    Attributes:
        width, height: image size, pixels.
        fx, fy: focal lengths, pixels.
        cx, cy: principal point, pixels.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise CameraError(f"image size {self.width}x{self.height} is empty")
        if not (self.fx > 0 and self.fy > 0 and math.isfinite(self.fx) and math.isfinite(self.fy)):
            raise CameraError(
                f"focal lengths fx={self.fx}, fy={self.fy} must be finite and above 0 pixels: check the calibration"
            )
        if not (math.isfinite(self.cx) and math.isfinite(self.cy)):
            raise CameraError(f"principal point ({self.cx}, {self.cy}) must be finite: check the calibration")

    @classmethod
    def from_focal(cls, width: int, height: int, focal_px: float) -> Intrinsics:
        """Square pixels and a centred principal point, which is all that one focal length says."""
        return cls(width, height, focal_px, focal_px, (width - 1) / 2, (height - 1) / 2)

    @classmethod
    def from_fov(cls, width: int, height: int, fov_deg: float) -> Intrinsics:
        """From a horizontal field of view in degrees, in ]0, 180[."""
        if not 0 < fov_deg < 180:
            raise CameraError(f"field of view {fov_deg} must be between 0 and 180 degrees")
        return cls.from_focal(width, height, 0.5 * width / math.tan(0.5 * math.radians(fov_deg)))

    @property
    def fov_deg(self) -> float:
        """Horizontal field of view, degrees: 2 atan(W / 2f)."""
        return math.degrees(2 * math.atan(0.5 * self.width / self.fx))

    def resized(self, width: int, height: int) -> Intrinsics:
        """The same view with another number of pixels."""
        sx, sy = width / self.width, height / self.height
        return Intrinsics(
            width, height, self.fx * sx, self.fy * sy, (self.cx + 0.5) * sx - 0.5, (self.cy + 0.5) * sy - 0.5
        )

    def cropped(self, left: int, top: int, width: int, height: int) -> Intrinsics:
        """The part of the image that starts at pixel (left, top)."""
        return Intrinsics(width, height, self.fx, self.fy, self.cx - left, self.cy - top)

    def strided(self, stride: int) -> Intrinsics:
        """Every `stride`-th pixel of every `stride`-th row, starting with the first."""
        width, height = -(-self.width // stride), -(-self.height // stride)
        return Intrinsics(width, height, self.fx / stride, self.fy / stride, self.cx / stride, self.cy / stride)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """K, float64 [3, 3]."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]], dtype=np.float64)


@dataclass(frozen=True)
class CameraModel:
    """What sensor_msgs/CameraInfo says, without ROS. Sizes and matrices are of the full calibration.

    Attributes:
        width, height: calibration size, pixels.
        k: intrinsic matrix of the raw image, 9 numbers row by row; k[0] == 0 means not calibrated.
        d: distortion coefficients, in the order of `distortion_model`.
        r: rectification rotation, 9 numbers.
        p: projection matrix of the rectified image, 12 numbers.
        binning_x, binning_y: pixels combined into one; 0 means 1.
        roi: (x_offset, y_offset, width, height) of the part that was read out; zeros mean all.
        frame_id: optical frame of the camera; empty if unknown.
    """

    width: int
    height: int
    k: tuple[float, ...]
    d: tuple[float, ...] = ()
    distortion_model: str = ""
    r: tuple[float, ...] = (1, 0, 0, 0, 1, 0, 0, 0, 1)
    p: tuple[float, ...] = (0,) * 12
    binning_x: int = 0
    binning_y: int = 0
    roi: tuple[int, int, int, int] = (0, 0, 0, 0)
    frame_id: str = ""

    @classmethod
    def from_intrinsics(cls, intrinsics: Intrinsics, frame_id: str = "") -> CameraModel:
        """A calibrated pinhole camera without distortion."""
        i = intrinsics
        k = (i.fx, 0.0, i.cx, 0.0, i.fy, i.cy, 0.0, 0.0, 1.0)
        p = (i.fx, 0.0, i.cx, 0.0, 0.0, i.fy, i.cy, 0.0, 0.0, 0.0, 1.0, 0.0)
        return cls(i.width, i.height, k, (0.0,) * 5, "plumb_bob", p=p, frame_id=frame_id)

    @property
    def calibrated(self) -> bool:
        """Whether K means anything: the message's definition sets K[0] to 0 where it does not."""
        return len(self.k) == 9 and self.k[0] != 0

    @property
    def distorted(self) -> bool:
        """Whether any distortion coefficient differs from 0."""
        return any(self.d)

    def image_size(self) -> tuple[int, int]:
        """(width, height) of the images that belong to this calibration, after binning and cropping."""
        _, _, roi_width, roi_height = self.roi
        width, height = (roi_width or self.width), (roi_height or self.height)
        return width // max(self.binning_x, 1), height // max(self.binning_y, 1)

    def check_size(self, width: int, height: int) -> None:
        """Check that images of this size belong to this calibration.

        Raises:
            CameraError: they do not.
        """
        if self.image_size() != (width, height):
            raise CameraError(
                f"CameraInfo is for {self.image_size()[0]}x{self.image_size()[1]} images, the image is "
                f"{width}x{height}: publish the CameraInfo that belongs to this image topic"
            )

    def intrinsics(self, width: int, height: int, *, rectified: bool) -> Intrinsics:
        """Intrinsics for an image of this camera.

        Args:
            width, height: size of the image at hand, pixels.
            rectified: use P, which describes the rectified image, rather than K (REP 104).

        Raises:
            CameraError: not calibrated, wrong size, or matrices that are no pinhole camera.
        """
        if not self.calibrated:
            raise CameraError("CameraInfo is not calibrated (K[0] is 0): calibrate, or use an estimated focal")
        self.check_size(width, height)
        if rectified and len(self.p) == 12 and self.p[0] != 0:
            fx, fy, cx, cy = self.p[0], self.p[5], self.p[2], self.p[6]
        else:
            fx, fy, cx, cy = self.k[0], self.k[4], self.k[2], self.k[5]
        bin_x, bin_y = max(self.binning_x, 1), max(self.binning_y, 1)
        cx, cy = cx - self.roi[0], cy - self.roi[1]
        return Intrinsics(width, height, fx / bin_x, fy / bin_y, (cx + 0.5) / bin_x - 0.5, (cy + 0.5) / bin_y - 0.5)

    def without_distortion(self) -> CameraModel:
        """The camera of the rectified image: K and R as P has them, no distortion."""
        if len(self.p) != 12 or self.p[0] == 0:
            return replace(self, d=(0.0,) * 5, distortion_model="plumb_bob", r=(1, 0, 0, 0, 1, 0, 0, 0, 1))
        k = (*self.p[0:3], *self.p[4:7], *self.p[8:11])
        return replace(self, k=k, d=(0.0,) * 5, distortion_model="plumb_bob", r=(1, 0, 0, 0, 1, 0, 0, 0, 1))


class Rectifier:
    """Undo lens distortion and apply R, as image_proc does; the result is described by P.

    The maps are made once; apply it to every image of the camera.

    Args:
        camera: calibrated, with one of `DISTORTION_COEFFICIENTS`.
        width, height: size of the images at hand.

    Raises:
        CameraError: not calibrated, wrong size, or an unknown model or number of coefficients.
    """

    def __init__(self, camera: CameraModel, width: int, height: int) -> None:
        raw = camera.intrinsics(width, height, rectified=False)
        self.intrinsics = camera.intrinsics(width, height, rectified=True)
        model = camera.distortion_model
        counts = DISTORTION_COEFFICIENTS.get(model)
        if counts is None:
            raise CameraError(
                f"distortion model {model!r} cannot be rectified; known are {', '.join(DISTORTION_COEFFICIENTS)}"
            )
        if len(camera.d) not in counts:
            raise CameraError(
                f"{model} has {' or '.join(map(str, counts))} coefficients, CameraInfo has {len(camera.d)}"
            )
        self._camera = camera
        d = np.array(camera.d, dtype=np.float64)
        if not np.isfinite(d).all():
            raise CameraError(f"distortion coefficients {camera.d} must be finite: check the calibration")
        r = np.array(camera.r, dtype=np.float64).reshape(3, 3)
        if not r.any():
            r = np.eye(3)
        make_maps = cv2.fisheye.initUndistortRectifyMap if model == "equidistant" else cv2.initUndistortRectifyMap
        self._maps = make_maps(raw.matrix, d, r, self.intrinsics.matrix, (width, height), cv2.CV_16SC2)

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Rectify [H, W, C] or [H, W]; pixels without a source are 0.

        Raises:
            CameraError: the image has another size than the maps.
        """
        self._camera.check_size(image.shape[1], image.shape[0])
        return cv2.remap(image, *self._maps, interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]
