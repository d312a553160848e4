# SPDX-License-Identifier: Apache-2.0
"""ETH3D: raw float32 in files that end with .JPG, for distorted photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets import open_dataset
from test.evaluation.datasets import writers

DEPTH = np.array([[1.5, np.inf, 3, 4], [5, 6, 7, 8.25]], "<f4")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    scene = tmp_path / "courtyard"
    writers.photograph(scene / "images/dslr_images/DSC_0286.JPG", 4, 2)
    writers.content(scene / "ground_truth_depth/dslr_images/DSC_0286.JPG", DEPTH.tobytes())
    undistorted, jpg = scene / "dslr_calibration_undistorted", scene / "dslr_calibration_jpg"
    writers.content(undistorted / "cameras.txt", "0 PINHOLE 8 4 6.0 6.0 4 2\n1 PINHOLE 5 3 4.5 4.5 2.5 1.5\n")
    writers.content(undistorted / "images.txt", "3 1 0 0 0 0 0 0 1 dslr_images_undistorted/DSC_0286.JPG\n\n")
    writers.content(jpg / "cameras.txt", "1 THIN_PRISM_FISHEYE 4 2 3.5 3.5 2 1 0 0 0 0 0 0 0 0\n")
    writers.content(jpg / "images.txt", "3 1 0 0 0 0 0 0 1 dslr_images/DSC_0286.JPG\n\n")
    return tmp_path


def test_infinite_depth_is_unknown(root: Path) -> None:
    frames = open_dataset("eth3d", root)
    assert frames.ids == ("courtyard/DSC_0286",)
    frame = frames.frame(0)
    assert frame.scene == "courtyard"
    np.testing.assert_array_equal(frame.depth_m, np.where(np.isinf(DEPTH), np.nan, DEPTH))


def test_the_focal_length_is_the_undistorted_cameras_at_this_width(root: Path) -> None:
    frame = open_dataset("eth3d", root).frame(0)
    assert frame.fx_px == pytest.approx(4.5 * 4 / 5)
    assert frame.intrinsics is None


def test_the_distorted_camera_may_be_asked_for(root: Path) -> None:
    assert open_dataset("eth3d", root, calibration="jpg").frame(0).fx_px == 3.5


def test_depth_of_the_undistorted_photograph_is_refused(root: Path) -> None:
    path = root / "courtyard/ground_truth_depth/dslr_images/DSC_0286.JPG"
    path.write_bytes(np.ones((3, 5), "<f4").tobytes())
    with pytest.raises(InputError, match="frame courtyard/DSC_0286: .*60 bytes"):
        open_dataset("eth3d", root).frame(0)


def test_an_image_without_a_camera_is_named(root: Path) -> None:
    writers.content(root / "courtyard/dslr_calibration_undistorted/images.txt", "# nothing\n")
    with pytest.raises(InputError, match="names no camera for DSC_0286.JPG"):
        open_dataset("eth3d", root).frame(0)
