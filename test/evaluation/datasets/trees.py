# SPDX-License-Identifier: Apache-2.0
"""Whole data sets, tiny, in the form that each has on disk: a box before a wall, whatever the size of the image."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from test.evaluation.datasets import writers

HEIGHT, WIDTH = 32, 48
FX = 48.0
NEAR_M, FAR_M = 2.0, 4.0
BASELINE_M = 0.2


def box(height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.float32]:
    """Metres: the middle half of the rows and columns is near."""
    depth = np.full((height, width), FAR_M, np.float32)
    depth[height // 4 : height - height // 4, width // 4 : width - width // 4] = NEAR_M
    return depth


BOX = box()


def booster(root: Path) -> None:
    scene = root / "train/balanced/Bathroom"
    writers.photograph(scene / "camera_00/im0.png", WIDTH, HEIGHT)
    writers.npy(scene / "disp_00.npy", (FX * BASELINE_M / BOX).astype(np.float32))
    writers.png(scene / "mask_00.png", np.full(BOX.shape, 255, np.uint8))
    storage = cv2.FileStorage(str(scene / "calib_00-02.xml"), cv2.FILE_STORAGE_WRITE)
    storage.write("proj_matL", np.array([[FX, 0, 23.5, 0], [0, FX, 15.5, 0], [0, 0, 1, 0]]))
    storage.write("baselineLR", 1000 * BASELINE_M)
    storage.release()


def eth3d(root: Path) -> None:
    scene = root / "courtyard"
    writers.photograph(scene / "images/dslr_images/DSC_0286.JPG", WIDTH, HEIGHT)
    writers.content(scene / "ground_truth_depth/dslr_images/DSC_0286.JPG", BOX.astype("<f4").tobytes())
    calibration = scene / "dslr_calibration_undistorted"
    writers.content(calibration / "cameras.txt", f"1 PINHOLE {WIDTH} {HEIGHT} {FX} {FX} 24 16\n")
    writers.content(calibration / "images.txt", "3 1 0 0 0 0 0 0 1 dslr_images_undistorted/DSC_0286.JPG\n\n")


def middlebury_v3(root: Path) -> None:
    scene = root / "trainingF/Adirondack"
    writers.photograph(scene / "im0.png", WIDTH, HEIGHT)
    writers.calib(scene / "calib.txt", FX, 23.5, 15.5, 0, 1000 * BASELINE_M, (WIDTH, HEIGHT))
    writers.pfm(scene / "disp0GT.pfm", FX * BASELINE_M / BOX)
    writers.png(scene / "mask0nocc.png", np.full(BOX.shape, 255, np.uint8))


def nuscenes(root: Path) -> None:
    """One lidar point on the box and one on the wall; lidar, car and world have the camera's axes."""
    sensors = [{"token": "sc", "channel": "CAM_FRONT"}, {"token": "sl", "channel": "LIDAR_TOP"}]
    still = {"translation": [0, 0, 0], "rotation": [1, 0, 0, 0]}
    k = [[FX, 0, 24], [0, FX, 16], [0, 0, 1]]
    calibrated = [
        {"token": "cc", "sensor_token": "sc", "camera_intrinsic": k, **still},
        {"token": "cl", "sensor_token": "sl", "camera_intrinsic": [], **still},
    ]
    paths = {"cc": "samples/CAM_FRONT/s.jpg", "cl": "samples/LIDAR_TOP/s.pcd.bin"}
    readings = [
        {
            "token": sensor,
            "sample_token": "s",
            "calibrated_sensor_token": sensor,
            "ego_pose_token": "e",
            "filename": path,
            "is_key_frame": True,
            "timestamp": 1,
        }
        for sensor, path in paths.items()
    ]
    tables: dict[str, list[dict[str, object]]] = {
        "sensor": sensors,
        "calibrated_sensor": calibrated,
        "ego_pose": [{"token": "e", **still}],
        "scene": [{"token": "n", "name": "scene-0003"}],
        "sample": [{"token": "s", "scene_token": "n", "timestamp": 1}],
        "sample_data": readings,
    }
    for name, rows in tables.items():
        writers.content(root / f"v1.0-trainval/{name}.json", json.dumps(rows))
    writers.photograph(root / paths["cc"], WIDTH, HEIGHT)
    wall = (4 - 24) * FAR_M / FX, (4 - 16) * FAR_M / FX, FAR_M
    points = [(0, 0, NEAR_M, 9, 0), (*wall, 9, 0)]
    writers.content(root / paths["cl"], np.array(points, "<f4").tobytes())


def sintel(root: Path, depths_m: Sequence[NDArray[np.float32]] = (BOX,)) -> None:
    training = root / "training"
    for number, depth in enumerate(depths_m, 1):
        name = f"alley_1/frame_{number:04d}"
        writers.photograph(training / f"final/{name}.png", WIDTH, HEIGHT)
        writers.dpt(training / f"depth/{name}.dpt", depth)
        k, pose = [FX, 0, 23.5, 0, FX, 15.5, 0, 0, 1], [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
        writers.cam(training / f"camdata_left/{name}.cam", k, pose)


def sun_rgbd(root: Path) -> None:
    io = pytest.importorskip("scipy.io", reason="SUN RGB-D's split is a MATLAB file")
    folder = root / "SUNRGBD/kv1/NYUdata/NYU0001"
    writers.photograph(folder / "image/NYU0001.jpg", WIDTH, HEIGHT)
    mm = np.rint(1000 * BOX).astype(np.uint16)
    writers.png(folder / "depth_bfx/NYU0001.png", (mm << 3) | (mm >> 13))
    writers.content(folder / "intrinsics.txt", f"{FX} 0 23.5 0 {FX} 15.5 0 0 1\n")
    cell = np.empty((1, 1), object)
    cell[0, 0] = "/n/fs/sun3d/data/SUNRGBD/kv1/NYUdata/NYU0001/"
    path = root / "SUNRGBDtoolbox/traintestSUNRGBD/allsplit.mat"
    path.parent.mkdir(parents=True)
    io.savemat(path, {"alltest": cell, "alltrain": cell})


def spring(root: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="Spring's disparity is HDF5")
    sequence = root / "train/0001"
    writers.photograph(sequence / "frame_left/frame_left_0001.png", WIDTH, HEIGHT)
    path = sequence / "disp1_left/disp1_left_0001.dsp5"
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        file["disparity"] = np.repeat(np.repeat(FX * 0.065 / BOX, 2, axis=0), 2, axis=1)
    writers.content(sequence / "cam_data/intrinsics.txt", f"{FX} {FX} 23.5 15.5\n")


def ibims1(
    root: Path,
    depths_m: Sequence[NDArray[np.float32]] = (BOX,),
    walls: Sequence[Sequence[tuple[float, float, float]]] = ((),),
) -> None:
    """PNG files.

    Args:
        walls: normals of each image's walls, right, forward and up; they share the image's columns.
    """
    names = [f"room_{number:02d}" for number in range(1, len(depths_m) + 1)]
    writers.content(root / "imagelist.txt", "\n".join(names))
    for name, depth, normals in zip(names, depths_m, walls, strict=True):
        height, width = depth.shape
        writers.photograph(root / f"rgb/{name}.png", width, height)
        writers.png(root / f"depth/{name}.png", np.rint(depth * 65535 / 50).astype(np.uint16))
        writers.content(root / f"calib/{name}.txt", f"{FX},{FX},{width / 2},{height / 2}\n")
        for mask in ("mask_invalid", "mask_transp"):
            writers.png(root / f"{mask}/{name}.png", np.ones(depth.shape, np.uint8))
        if normals:
            labels = 1 + np.arange(width, dtype=np.uint8) * len(normals) // width
            writers.png(root / f"mask_wall/{name}.png", np.tile(labels.astype(np.uint8), (height, 1)))
            rows = (f"0,0,0,0,{','.join(map(str, normal))}\n" for normal in normals)
            writers.content(root / f"mask_wall/{name}.txt", "".join(rows))


def _matted(image: Path, mask: Path) -> None:
    writers.photograph(image, WIDTH, HEIGHT)
    writers.png(mask, np.where(BOX == NEAR_M, 255, 0).astype(np.uint8))


def am2k(root: Path) -> None:
    _matted(root / "validation/original/m_04.jpg", root / "validation/mask/m_04.png")


def p3m10k(root: Path) -> None:
    part = root / "validation/P3M-500-NP"
    _matted(part / "original_image/p_1.jpg", part / "mask/p_1.png")


def dis5k(root: Path) -> None:
    _matted(root / "DIS-VD/im/1#Accessories#2.jpg", root / "DIS-VD/gt/1#Accessories#2.png")


def nyuv2(root: Path, border_m: float = 9.0) -> None:
    """One image of 640x480; the box is what remains when 8 pixels are cut from each side."""
    h5py = pytest.importorskip("h5py", reason="NYUv2 is HDF5")
    io = pytest.importorskip("scipy.io", reason="NYUv2's split is a MATLAB file")
    root.mkdir(parents=True)
    depth = np.full((480, 640), border_m, np.float32)
    depth[8:-8, 8:-8] = box(464, 624)
    with h5py.File(root / "nyu_depth_v2_labeled.mat", "w") as file:
        file["images"] = np.zeros((1, 3, 640, 480), np.uint8)
        file["rawDepths"] = file["depths"] = depth.T[None]
    io.savemat(root / "splits.mat", {"testNdxs": [[1]], "trainNdxs": [[1]]})


def tum_humans(root: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="its files are HDF5")
    path = root / "data/walking/0001.h5"
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        file["image"], file["depth"] = np.zeros((HEIGHT, WIDTH, 3), np.uint8), BOX.astype(np.float64)


def photos(root: Path, film_mm: Sequence[int | None]) -> None:
    """Photographs of 36x24 pixels, whose focal length in pixels is that on film in millimetres; None tells none."""
    root.mkdir(parents=True)
    for number, focal in enumerate(film_mm):
        exif = Image.Exif()
        if focal is not None:
            exif.get_ifd(0x8769)[0xA405] = focal
        Image.new("RGB", (36, 24)).save(root / f"{number}.jpg", exif=exif)
