# SPDX-License-Identifier: Apache-2.0
"""Readers: known bytes give known numbers, and damage is named."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.formats.cameras import (
    read_colmap_cameras,
    read_colmap_image_cameras,
    read_kitti_projection,
    read_middlebury_calib,
    read_opencv_xml,
)
from depthpro_ros.evaluation.datasets.formats.disparity import disparity_to_depth
from depthpro_ros.evaluation.datasets.formats.files import MissingFile, read_npy, read_numbers
from depthpro_ros.evaluation.datasets.formats.hdf5 import open_hdf5
from depthpro_ros.evaluation.datasets.formats.images import read_alpha, read_depth_png, read_rgb, read_u16
from depthpro_ros.evaluation.datasets.formats.matlab import read_mat
from depthpro_ros.evaluation.datasets.formats.pfm import read_pfm
from depthpro_ros.evaluation.datasets.formats.raw import read_raw_depth
from depthpro_ros.evaluation.datasets.formats.rotations import quaternion_to_matrix
from depthpro_ros.evaluation.datasets.formats.sintel import read_cam, read_dpt
from depthpro_ros.evaluation.datasets.formats.sun import unrotated_mm
from test.evaluation.datasets import writers

ROWS = np.array([[1.5, np.inf, 2.0], [3.0, 4.0, 5.25]], np.float32)


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_pfm_begins_at_the_bottom_and_keeps_infinity(tmp_path: Path, byte_order: str) -> None:
    path = writers.pfm(tmp_path / "a.pfm", ROWS, byte_order)
    np.testing.assert_array_equal(read_pfm(path), ROWS)


def test_pfm_is_what_opencv_reads(tmp_path: Path) -> None:
    path = writers.pfm(tmp_path / "a.pfm", ROWS)
    np.testing.assert_array_equal(read_pfm(path), cv2.imread(str(path), cv2.IMREAD_UNCHANGED))


def test_pfm_pixels_may_look_like_line_ends(tmp_path: Path) -> None:
    rows = np.frombuffer(b"\n\n\n\n" * 4, "<f4").reshape(2, 2)
    np.testing.assert_array_equal(read_pfm(writers.pfm(tmp_path / "a.pfm", rows)), rows)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"Pf\n3 2\n-1\n" + bytes(20), "20 bytes of pixels"),
        (b"PF\n3 2\n-1\n" + bytes(72), "one channel"),
        (b"P5\n3\n", "no PFM"),
        (b"", "no PFM"),
    ],
)
def test_damaged_pfm_is_refused(tmp_path: Path, data: bytes, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        read_pfm(writers.content(tmp_path / "a.pfm", data))


def test_dpt_is_metres_row_by_row(tmp_path: Path) -> None:
    depth = np.array([[1, 2, 3], [4, 5, 1e5]], np.float32)
    np.testing.assert_array_equal(read_dpt(writers.dpt(tmp_path / "a.dpt", depth)), depth)


def test_dpt_without_tag_or_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="MPI Sintel"):
        read_dpt(writers.content(tmp_path / "a.dpt", bytes(24)))
    whole = writers.dpt(tmp_path / "b.dpt", np.ones((2, 3), np.float32)).read_bytes()
    for length in (8, 12, len(whole) - 1):
        with pytest.raises(InputError, match="bytes"):
            read_dpt(writers.content(tmp_path / "c.dpt", whole[:length]))


def test_cam_file_is_172_bytes_of_intrinsics_and_pose(tmp_path: Path) -> None:
    # the world's origin is 5 m in front of a camera that looks along +x
    pose = [0, -1, 0, 0, 0, 0, -1, 0, 1, 0, 0, 5]
    path = writers.cam(tmp_path / "a.cam", [100, 0, 50, 0, 101, 40, 0, 0, 1], pose)
    assert path.stat().st_size == 172
    camera = read_cam(path)
    assert camera.k.tolist() == [[100, 0, 50], [0, 101, 40], [0, 0, 1]]
    np.testing.assert_allclose(camera.camera_to_world[:3, 3], [-5, 0, 0], atol=1e-12)


@given(mm=st.integers(0, 65535))
def test_sun_rotation_is_undone(mm: int) -> None:
    stored = ((mm << 3) | (mm >> 13)) & 0xFFFF
    assert unrotated_mm(np.array([stored], np.uint16)).tolist() == [mm]


def test_raw_depth_is_checked_against_the_photograph(tmp_path: Path) -> None:
    path = writers.content(tmp_path / "a.JPG", np.array([[1, np.inf], [0, 4]], "<f4").tobytes())
    np.testing.assert_array_equal(read_raw_depth(path, 2, 2), [[1, np.nan], [np.nan, 4]])
    with pytest.raises(InputError, match="16 bytes.*3x2 photograph has 24"):
        read_raw_depth(path, 3, 2)


def test_depth_png_is_nan_at_zero(tmp_path: Path) -> None:
    path = writers.png(tmp_path / "a.png", np.array([[0, 256, 1]], np.uint16))
    np.testing.assert_array_equal(read_depth_png(path, 256), np.array([[np.nan, 1, 1 / 256]], np.float32))


def test_eight_bits_are_no_depth(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="16 bits"):
        read_u16(writers.png(tmp_path / "a.png", np.zeros((2, 2), np.uint8)))


def test_alpha_is_from_0_to_1(tmp_path: Path) -> None:
    path = writers.png(tmp_path / "a.png", np.array([[0, 51, 255]], np.uint8))
    np.testing.assert_allclose(read_alpha(path), [[0, 0.2, 1]], rtol=1e-6)


def test_colours_are_rgb_as_stored(tmp_path: Path) -> None:
    rgb = read_rgb(writers.photograph(tmp_path / "a.png", 3, 2))
    assert rgb[0, 0].tolist() == [255, 0, 0]
    assert rgb[0, 2].tolist() == [0, 0, 255]


@pytest.mark.parametrize(
    ("disparity", "doffs", "expected"),
    [(30.0, 0.0, 1000 * 0.2 / 30), (30.0, 10.0, 5.0), (math.inf, 0.0, math.nan), (math.nan, 0.0, math.nan)]
    + [(0.0, 5.0, math.nan), (-3.0, 5.0, math.nan), (3.0, -5.0, math.nan)],
)
def test_depth_is_focal_times_baseline_over_disparity(disparity: float, doffs: float, expected: float) -> None:
    depth = disparity_to_depth(np.array([[disparity]], np.float32), 1000.0, 0.2, doffs)
    np.testing.assert_allclose(depth, [[expected]], rtol=1e-6)
    assert depth.dtype == np.float32


def test_middlebury_calibration(tmp_path: Path) -> None:
    stereo = read_middlebury_calib(
        writers.calib(tmp_path / "calib.txt", 994.978, 311.193, 254.877, 31.086, 193.001, (741, 500))
    )
    assert stereo.k.tolist() == [[994.978, 0, 311.193], [0, 994.978, 254.877], [0, 0, 1]]
    assert stereo.doffs_px == 31.086
    assert stereo.baseline_m == pytest.approx(0.193001)


def test_middlebury_calibration_names_the_missing_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="doffs="):
        read_middlebury_calib(writers.content(tmp_path / "calib.txt", "cam0=[1 0 1; 0 1 1; 0 0 1]\n"))


def test_colmap_lists(tmp_path: Path) -> None:
    cameras = writers.content(
        tmp_path / "cameras.txt", "# Camera list\n0 PINHOLE 6192 4121 3410.3 3409.9 3116.4 2062.7\n"
    )
    camera = read_colmap_cameras(cameras)[0]
    assert (camera.model, camera.width, camera.height, camera.fx_px) == ("PINHOLE", 6192, 4121, 3410.3)
    # an image without points has an empty second line
    images = "# Image list\n9 1 0 0 0 0 0 0 0 dslr_images/A.JPG\n\n10 1 0 0 0 0 0 0 2 dslr_images/B.JPG\n1.5 2.5 -1\n"
    assert read_colmap_image_cameras(writers.content(tmp_path / "images.txt", images)) == {"A.JPG": 0, "B.JPG": 2}


def test_opencv_xml_is_what_opencv_writes(tmp_path: Path) -> None:
    path = tmp_path / "calib.xml"
    matrix = np.array([[1750.5, 0, 2070.25], [0, 1750.5, 1480.125]])
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    storage.write("mtxL", matrix)
    storage.write("baselineLR", 119.75)
    storage.write("name", "camera")
    storage.release()
    nodes = read_opencv_xml(path)
    assert sorted(nodes) == ["baselineLR", "mtxL"]
    np.testing.assert_array_equal(nodes["mtxL"], matrix)
    assert nodes["baselineLR"].tolist() == [[119.75]]


def test_kitti_projection(tmp_path: Path) -> None:
    row = "P_rect_02: 7.215377e+02 0 6.095593e+02 4.485728e+01 0 7.215377e+02 1.728540e+02 0.2 0 0 1 0.003"
    text = f"calib_time: 09-Jan-2012 13:57:47\n{row}\n"
    projection = read_kitti_projection(writers.content(tmp_path / "calib_cam_to_cam.txt", text))
    assert projection[0].tolist() == [721.5377, 0, 609.5593, 44.85728]


def test_quaternion_of_a_quarter_turn_about_z() -> None:
    half = math.sqrt(0.5)
    np.testing.assert_allclose(quaternion_to_matrix(half, 0, 0, half), [[0, -1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-15)


def test_no_quaternion_is_refused() -> None:
    with pytest.raises(InputError, match="no rotation"):
        quaternion_to_matrix(0, 0, 0, 0)


def test_missing_files_and_wrong_counts_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="k.txt is missing"):
        read_numbers(tmp_path / "k.txt")
    with pytest.raises(InputError, match="2 numbers, expected 4"):
        read_numbers(writers.content(tmp_path / "k.txt", "1,2"), 4)
    with pytest.raises(InputError, match="else than numbers"):
        read_numbers(writers.content(tmp_path / "k.txt", "1 two"))
    with pytest.raises(InputError, match="no .npy"):
        read_npy(writers.content(tmp_path / "a.npy", b"x"))


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(InputError, match="pip install h5py"), open_hdf5(tmp_path / "a.mat"):
        pass


def test_damaged_hdf5_and_mat_are_named(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    path = writers.content(tmp_path / "a.mat", b"nothing of the kind" * 20)
    with pytest.raises(InputError, match="no HDF5"), open_hdf5(path):
        pass
    with pytest.raises(InputError, match="no MATLAB"):
        read_mat(path)
