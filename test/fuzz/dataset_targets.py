# SPDX-License-Identifier: Apache-2.0
"""The files of data sets, by format."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import numpy as np
from scipy.io import savemat

from depthpro_ros.evaluation.datasets.formats import cameras
from depthpro_ros.evaluation.datasets.formats.files import read_npy, read_numbers
from depthpro_ros.evaluation.datasets.formats.hdf5 import open_hdf5, read_field
from depthpro_ros.evaluation.datasets.formats.images import read_alpha, read_depth_png, read_rgb
from depthpro_ros.evaluation.datasets.formats.matlab import read_indices, read_mat, variable
from depthpro_ros.evaluation.datasets.formats.pfm import read_pfm
from depthpro_ros.evaluation.datasets.formats.raw import read_raw_depth
from depthpro_ros.evaluation.datasets.formats.sens import read_sens
from depthpro_ros.evaluation.datasets.formats.sintel import read_cam, read_dpt
from depthpro_ros.evaluation.datasets.formats.sun import read_sun_depth
from depthpro_ros.evaluation.datasets.nuscenes import NuScenes
from depthpro_ros.evaluation.datasets.tum_rgbd import TumRgbd
from depthpro_ros.training.data.folder import FolderSet, read_depth
from depthpro_ros.training.data.intrinsics_file import read_fx
from test.evaluation.datasets import trees, writers
from test.fuzz import repairs
from test.fuzz.image_targets import DEPTH, RGB, encoded
from test.fuzz.target import Target, file_of, scratch

FLOATS = np.arange(12, dtype=np.float32).reshape(3, 4)
Reader = Callable[[Path], object]


def by_first_byte(*readers: Reader) -> Callable[[bytes], None]:
    """The first byte chooses who reads the rest."""

    def parse(content: bytes) -> None:
        if content:
            readers[content[0] % len(readers)](file_of("dataset_file", content[1:]))

    return parse


def numbered(*contents: bytes) -> list[bytes]:
    """What `by_first_byte` takes."""
    return [bytes([number]) + content for number, content in enumerate(contents)]


def _made(write: Callable[[Path], object]) -> bytes:
    path = scratch() / "seed"
    path.unlink(missing_ok=True)
    write(path)
    return path.read_bytes()


def _depth(path: Path) -> np.ndarray:
    return read_depth(path, None)


def depth_array(content: bytes) -> None:
    """A .npy file, as evaluation and training read it."""
    path = file_of("depth.npy", content)
    assert isinstance(read_npy(path), np.ndarray)
    assert read_depth(path).ndim == 2


def _npy(array: np.ndarray, version: tuple[int, int] = (1, 0)) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version)
    return out.getvalue()


def hdf5(content: bytes) -> None:
    """A file of HDF5 with the fields of several data sets."""
    path = file_of("set.h5", content)
    with open_hdf5(path) as file:
        for name, index in (("image", None), ("depth", 0), ("disparity", None)):
            assert read_field(file, name, index).dtype.kind in "buif"


def _hdf5() -> Sequence[bytes]:
    def write(path: Path, **options: object) -> None:
        with h5py.File(path, "w", **options) as file:
            file["image"] = RGB
            file.create_dataset("depth", data=FLOATS, compression="gzip")
            file["disparity"] = FLOATS

    return [_made(write), _made(lambda path: write(path, libver="latest"))]


def matlab(content: bytes) -> None:
    """A MATLAB file with a list of indices and a structure."""
    path = file_of("set.mat", content)
    read_indices(path, "testNdxs")
    data = variable(read_mat(path), "data", path)
    assert isinstance(data, np.ndarray)


def _matlab() -> Sequence[bytes]:
    data = {"rgb": RGB, "name": "a room"}
    values = {"testNdxs": np.array([[1], [3]]), "data": data, "cells": np.array(["a", "b"], object)}
    return [
        _made(lambda path: savemat(path, values, appendmat=False)),
        _made(lambda path: savemat(path, values, appendmat=False, do_compression=True)),
    ]


def sens(content: bytes) -> None:
    """A recording of ScanNet."""
    file = read_sens(file_of("scene.sens", content))
    for frame in file.frames:
        file.read(frame)


def _sens() -> Sequence[bytes]:
    import zlib

    pose, k = np.eye(4).ravel(), (20.0, 0, 8, 0, 0, 20, 6, 0, 0, 0, 1, 0, 0, 0, 0, 1)
    height, width = DEPTH.shape
    frames = [(encoded(".jpg", RGB), zlib.compress(DEPTH.astype("<u2").tobytes()), pose)] * 2
    return [_made(lambda path: writers.sens(path, frames, (16, 12), (width, height), k))]


def tum(content: bytes) -> None:
    """rgb.txt, a zero, depth.txt, a zero, groundtruth.txt; read by evaluation and training."""
    parts = content.split(b"\0", 2)
    for name, part in zip(("rgb.txt", "depth.txt", "groundtruth.txt"), parts, strict=False):
        file_of(f"tum/{name}", part)
    if len(parts) < 3:
        return
    for frames in (TumRgbd(scratch() / "tum"), FolderSet(scratch() / "tum", fx_px=500.0)):
        assert len(frames) > 0


def _tum() -> Sequence[bytes]:
    lists = [b"\n".join(b"%d.5 %s/%d.png" % (i, kind, i) for i in range(3)) for kind in (b"rgb", b"depth")]
    return [b"\0".join([*(b"# stamp file\n" + lines for lines in lists), b"1.5 0 0 1 0 0 0 1\n2.5 1 0 1 0 0 0 1"])]


def nuscenes(content: bytes) -> None:
    """The number of a table, and its JSON, among good ones."""
    root = scratch() / "nuscenes"
    if not root.exists():
        trees.nuscenes(root)
    tables = sorted((root / "v1.0-trainval").glob("*.json"))
    if not content:
        return
    table = tables[content[0] % len(tables)]
    good = table.read_bytes()
    table.write_bytes(content[1:])
    try:
        NuScenes(root)
    finally:
        table.write_bytes(good)


def _nuscenes() -> Sequence[bytes]:
    root = scratch() / "nuscenes_seeds"
    trees.nuscenes(root)
    return numbered(*(table.read_bytes() for table in sorted((root / "v1.0-trainval").glob("*.json"))))


_OPENCV_XML = b"""<?xml version="1.0"?>
<opencv_storage><K type_id="opencv-matrix"><rows>1</rows><cols>3</cols><dt>d</dt><data>1. 2. 3.</data></K>
<baseline>193.001</baseline></opencv_storage>"""
CALIBRATIONS = {
    b"cam0=[1 0 2; 0 1 3; 0 0 1]\ndoffs=0\nbaseline=100\n": cameras.read_middlebury_calib,
    b"# list\n0 PINHOLE 640 480 500 501 320 240\n": cameras.read_colmap_cameras,
    b"1 1 0 0 0 0 0 0 0 rgb/a.JPG\n\n2 1 0 0 0 0 0 0 0 rgb/b.JPG\n1 2 3\n": cameras.read_colmap_image_cameras,
    _OPENCV_XML: cameras.read_opencv_xml,
    b"P_rect_02: 7.2e2 0 6e2 0 0 7.2e2 1.7e2 0 0 0 1 0\n": cameras.read_kitti_projection,
    b"1, 2 3\n4\n": read_numbers,
}


def intrinsics_file(content: bytes) -> None:
    """Intrinsics as people keep them: JSON or numbers."""
    if content:
        assert read_fx(file_of(f"camera.{('json', 'txt')[content[0] & 1]}", content[1:]), 640, 480) > 0


_JSON = b'{"fx": 518.0, "fy": 519.0, "cx": 325.5, "cy": 253.5, "width": 640, "height": 480}'
TARGETS = (
    Target(
        "depth_picture",
        by_first_byte(lambda p: read_depth_png(p, 1000), read_sun_depth, _depth, read_rgb, read_alpha),
        lambda: numbered(
            *(encoded(".png", DEPTH) for _ in range(2)),
            encoded(".tiff", FLOATS),
            encoded(".jpg", RGB),
            encoded(".png", RGB[..., 0]),
        ),
        repair=repairs.png,
    ),
    Target("npy", depth_array, lambda: [_npy(FLOATS), _npy(DEPTH[..., None], (2, 0)), _npy(FLOATS.T)]),
    Target(
        "float_map",
        by_first_byte(read_pfm, read_dpt, read_cam, lambda path: read_raw_depth(path, 4, 3)),
        lambda: numbered(
            _made(lambda path: writers.pfm(path, FLOATS)),
            _made(lambda path: writers.dpt(path, FLOATS)),
            _made(lambda path: writers.cam(path, range(9), range(12))),
            FLOATS.tobytes(),
        ),
    ),
    Target("hdf5", hdf5, _hdf5),
    Target("matlab", matlab, _matlab),
    Target("sens", sens, _sens),
    Target("tum_lists", tum, _tum),
    Target("nuscenes_tables", nuscenes, _nuscenes),
    Target(
        "calibration_text",
        by_first_byte(*CALIBRATIONS.values()),
        lambda: numbered(*CALIBRATIONS),
        (b"<!ENTITY a '1'>", b"<rows>", b"=[", b"#"),
    ),
    Target(
        "intrinsics_file",
        intrinsics_file,
        lambda: [b"\0" + _JSON, b"\1" + b"500 0 320 0 500 240 0 0 1", b"\1" + b"500 500, 320 240"],
    ),
)
