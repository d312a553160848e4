# SPDX-License-Identifier: Apache-2.0
"""Pinhole cameras, CameraInfo's meaning, and rectification against the distortion equations."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from depthpro_ros.camera import CameraModel, Intrinsics, Rectifier
from depthpro_ros.errors import CameraError

PINHOLE = Intrinsics(640, 480, 500.0, 510.0, 320.5, 241.0)
RAW = CameraModel(
    width=640,
    height=480,
    k=(500.0, 0, 320.0, 0, 505.0, 240.0, 0, 0, 1),
    d=(0.1, -0.05, 0.001, 0.002, 0.01),
    distortion_model="plumb_bob",
    p=(450.0, 0, 315.0, 0, 0, 452.0, 238.0, 0, 0, 0, 1, 0),
)


def project(i: Intrinsics, x: float, y: float, z: float) -> tuple[float, float]:
    return i.fx * x / z + i.cx, i.fy * y / z + i.cy


@pytest.mark.parametrize("fov", [10.0, 60.0, 90.0, 150.0])
def test_fov_and_focal_are_inverse(fov: float) -> None:
    camera = Intrinsics.from_fov(640, 480, fov)
    assert camera.fov_deg == pytest.approx(fov)
    assert camera.fx == pytest.approx(320 / math.tan(math.radians(fov / 2)))
    assert (camera.cx, camera.cy) == (319.5, 239.5)


def test_ninety_degrees_is_half_the_width() -> None:
    assert Intrinsics.from_fov(640, 480, 90.0).fx == pytest.approx(320.0)


def test_cropping_moves_the_pixel_by_the_offset() -> None:
    u, v = project(PINHOLE, 0.3, -0.2, 2.0)
    cropped = project(PINHOLE.cropped(30, 40, 200, 100), 0.3, -0.2, 2.0)
    assert cropped == pytest.approx((u - 30, v - 40))


def test_resizing_keeps_pixel_areas_in_place() -> None:
    """Pixel u covers [u - 0.5, u + 0.5]: an image edge stays an image edge."""
    half = PINHOLE.resized(320, 240)
    u, v = project(PINHOLE, 0.3, -0.2, 2.0)
    assert project(half, 0.3, -0.2, 2.0) == pytest.approx(((u + 0.5) / 2 - 0.5, (v + 0.5) / 2 - 0.5))


def test_striding_takes_every_nth_pixel() -> None:
    third = PINHOLE.strided(3)
    assert (third.width, third.height) == (214, 160)
    u, v = project(PINHOLE, 0.3, -0.2, 2.0)
    assert project(third, 0.3, -0.2, 2.0) == pytest.approx((u / 3, v / 3))


@pytest.mark.parametrize("fx", [0.0, -1.0, math.nan, math.inf])
def test_impossible_focal_is_refused(fx: float) -> None:
    with pytest.raises(CameraError, match="focal"):
        Intrinsics(640, 480, fx, 500.0, 320.0, 240.0)


def test_nan_principal_point_is_refused() -> None:
    with pytest.raises(CameraError, match="principal point"):
        Intrinsics(640, 480, 500.0, 500.0, math.nan, 240.0)


def test_k_for_raw_and_p_for_rectified_images() -> None:
    assert RAW.intrinsics(640, 480, rectified=False) == Intrinsics(640, 480, 500.0, 505.0, 320.0, 240.0)
    assert RAW.intrinsics(640, 480, rectified=True) == Intrinsics(640, 480, 450.0, 452.0, 315.0, 238.0)


def test_k_stands_in_for_an_empty_p() -> None:
    camera = CameraModel(640, 480, RAW.k)
    assert camera.intrinsics(640, 480, rectified=True).fx == 500.0


def test_uncalibrated_camera() -> None:
    camera = CameraModel(640, 480, (0.0,) * 9)
    assert not camera.calibrated
    with pytest.raises(CameraError, match="not calibrated"):
        camera.intrinsics(640, 480, rectified=False)


def test_size_mismatch_names_both_sizes() -> None:
    with pytest.raises(CameraError, match="640x480.*320x240"):
        RAW.intrinsics(320, 240, rectified=False)


def test_binning_and_roi() -> None:
    """A point's pixel on the full sensor, moved by the region's offset and binned two by two."""
    camera = CameraModel(640, 480, RAW.k, binning_x=2, binning_y=2, roi=(100, 60, 400, 300))
    assert camera.image_size() == (200, 150)
    small = camera.intrinsics(200, 150, rectified=False)
    u, v = project(RAW.intrinsics(640, 480, rectified=False), 0.1, 0.2, 1.5)
    expected = ((u - 100 + 0.5) / 2 - 0.5, (v - 60 + 0.5) / 2 - 0.5)
    assert project(small, 0.1, 0.2, 1.5) == pytest.approx(expected)


def distorted_pixel(camera: CameraModel, x: float, y: float) -> tuple[float, float]:
    """Where the raw camera sees the ray (x, y, 1): the models' equations, written out."""
    d, r2 = camera.d, x * x + y * y
    if camera.distortion_model == "equidistant":
        r = math.sqrt(r2)
        theta = math.atan(r)
        t = theta * (1 + d[0] * theta**2 + d[1] * theta**4 + d[2] * theta**6 + d[3] * theta**8)
        xd, yd = x * t / r, y * t / r
    else:
        k1, k2, p1, p2, k3, *rational = d
        radial = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
        if rational:
            radial /= 1 + rational[0] * r2 + rational[1] * r2**2 + rational[2] * r2**3
        xd = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
        yd = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
    return camera.k[0] * xd + camera.k[2], camera.k[4] * yd + camera.k[5]


@pytest.mark.parametrize(
    ("model", "d"),
    [
        ("plumb_bob", (0.1, -0.05, 0.001, 0.002, 0.01)),
        ("rational_polynomial", (0.2, 0.05, 0.001, -0.002, 0.01, 0.1, 0.02, 0.005)),
        ("equidistant", (0.05, -0.01, 0.002, -0.001)),
    ],
)
def test_rectified_pixels_come_from_where_the_model_says(model: str, d: tuple[float, ...]) -> None:
    camera = CameraModel(640, 480, RAW.k, d, model, p=RAW.p)
    yy, xx = np.mgrid[:480, :640].astype(np.float32)
    # an image whose values are its coordinates, smooth enough for the interpolation to be exact
    ramp = np.stack([xx / 4, yy / 4, np.zeros_like(xx)], axis=-1).astype(np.uint8)
    rectifier = Rectifier(camera, 640, 480)
    assert rectifier.intrinsics == camera.intrinsics(640, 480, rectified=True)
    rectified = rectifier(ramp).astype(float) * 4
    for u, v in [(100, 80), (320, 240), (500, 400), (220, 350)]:
        x, y = (u - 315.0) / 450.0, (v - 238.0) / 452.0
        raw_u, raw_v = distorted_pixel(camera, x, y)
        assert rectified[v, u, 0] == pytest.approx(raw_u, abs=4.1)
        assert rectified[v, u, 1] == pytest.approx(raw_v, abs=4.1)


@pytest.mark.parametrize(
    ("camera", "message"),
    [
        (CameraModel(640, 480, RAW.k, (0.1,) * 5, "thin_prism"), "thin_prism"),
        (CameraModel(640, 480, RAW.k, (0.1,) * 3, "plumb_bob"), "4 or 5 coefficients, CameraInfo has 3"),
        (CameraModel(640, 480, RAW.k, (math.nan,) * 5, "plumb_bob"), "finite"),
        (CameraModel(640, 480, (0.0,) * 9, RAW.d, "plumb_bob"), "not calibrated"),
    ],
)
def test_cameras_that_cannot_be_rectified(camera: CameraModel, message: str) -> None:
    with pytest.raises(CameraError, match=message):
        Rectifier(camera, 640, 480)


def test_rectifying_twice_changes_nothing_more() -> None:
    camera = RAW.without_distortion()
    image = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    image = cv2.GaussianBlur(image, (0, 0), 5)
    assert np.array_equal(Rectifier(camera, 640, 480)(image), image)
