# SPDX-License-Identifier: Apache-2.0
"""Files of data sets that claim more than they hold, or contradict themselves."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets.formats.cameras import read_colmap_cameras, read_opencv_xml
from depthpro_ros.evaluation.datasets.formats.files import read_npy
from depthpro_ros.evaluation.datasets.formats.hdf5 import open_hdf5, read_field
from depthpro_ros.evaluation.datasets.formats.sens import read_sens
from depthpro_ros.evaluation.datasets.nuscenes import NuScenes
from depthpro_ros.evaluation.datasets.tum_rgbd import TumRgbd
from depthpro_ros.training.data.folder import FolderSet, read_depth
from depthpro_ros.training.data.intrinsics_file import read_fx
from test.evaluation.datasets import trees, writers

IDENTITY = np.eye(4).ravel()


def test_an_array_whose_header_claims_more_than_the_file_holds_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6)})
    path = writers.content(tmp_path / "a.npy", out.getvalue() + bytes(64))
    for read in (read_npy, read_depth):
        with pytest.raises(InputError, match=r"a\.npy"):
            read(path)


def test_an_array_of_pickled_objects_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(InputError, match="object"):
        read_npy(tmp_path / "a.npy")


def test_a_data_set_of_hdf5_that_claims_more_than_allowed_is_refused(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("depth", (10**6, 10**6), "f8", chunks=(64, 64), compression="gzip")
        file["text"] = "no numbers"
        file["type"] = np.dtype("f8")
        file["group/inside"] = 1
        file["empty"] = np.zeros((0, 4))
    with open_hdf5(tmp_path / "a.h5") as file:
        with pytest.raises(InputError, match="1000000000000 values"):
            read_field(file, "depth")
        for name, index in (("text", None), ("type", None), ("group", None), ("empty", 0), ("group/inside", 0)):
            with pytest.raises(InputError, match="no array of numbers"):
                read_field(file, name, index)


@pytest.mark.parametrize("claimed", [2**62, 2**64 - 1])
def test_lengths_in_a_recording_of_scannet_that_no_file_has_are_refused(tmp_path: Path, claimed: int) -> None:
    path = writers.content(tmp_path / "name.sens", struct.pack("<IQ", 4, claimed))
    with pytest.raises(InputError, match="ends within"):
        read_sens(path)
    good = writers.sens(tmp_path / "frame.sens", [(b"", b"", IDENTITY)], (1, 1), (1, 1), IDENTITY).read_bytes()
    path = writers.content(tmp_path / "frame.sens", good[:-16] + struct.pack("<QQ", claimed, claimed))
    with pytest.raises(InputError, match="ends in frame 0"):
        read_sens(path)


def test_depth_of_scannet_that_unpacks_to_more_than_its_size_is_refused(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(50_000_000))
    file = read_sens(writers.sens(tmp_path / "a.sens", [(b"", bomb, IDENTITY)], (2, 2), (2, 2), IDENTITY))
    with pytest.raises(InputError, match="9 bytes of depth, 2x2 need 8"):
        file.read(file.frames[0])
    file = read_sens(writers.sens(tmp_path / "b.sens", [(b"", bomb, IDENTITY)], (2, 2), (60_000, 60_000), IDENTITY))
    with pytest.raises(InputError, match="at most 64 megapixels"):
        file.read(file.frames[0])


@pytest.mark.parametrize(
    "line", ["0", "0 PINHOLE", "0 PINHOLE 640 480", "x PINHOLE 640 480 1 2", "0 PINHOLE nan 1 2 3"]
)
def test_a_camera_of_colmap_that_is_cut_off_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(InputError, match="cameras.txt"):
        read_colmap_cameras(writers.content(tmp_path / "cameras.txt", line))


def test_xml_that_defines_entities_is_refused(tmp_path: Path) -> None:
    text = '<!DOCTYPE a [<!ENTITY x "y">]><opencv_storage><K>&x;</K></opencv_storage>'
    with pytest.raises(InputError, match="entities"):
        read_opencv_xml(writers.content(tmp_path / "a.xml", text))


@pytest.mark.parametrize("rows", ["x", "-1", "nan", "1e300"])
def test_a_matrix_in_xml_of_no_size_is_refused(tmp_path: Path, rows: str) -> None:
    text = f"<opencv_storage><K><rows>{rows}</rows><cols>1</cols><data>1.</data></K></opencv_storage>"
    with pytest.raises(InputError, match="K"):
        read_opencv_xml(writers.content(tmp_path / "a.xml", text))


@pytest.mark.parametrize("stamp", ["inf", "nan", "1e999"])
def test_stamps_that_are_no_time_are_refused(tmp_path: Path, stamp: str) -> None:
    for name in ("rgb", "depth"):
        writers.content(tmp_path / f"{name}.txt", f"{stamp} {name}/1.png\n")
    with pytest.raises(InputError, match="stamp"):
        TumRgbd(tmp_path)
    with pytest.raises(InputError, match="stamp"):
        FolderSet(tmp_path, fx_px=500.0)


def test_a_line_of_commas_in_a_list_is_refused(tmp_path: Path) -> None:
    writers.content(tmp_path / "rgb.txt", "1.5 rgb/1.png\n, ,\n")
    writers.content(tmp_path / "depth.txt", "1.5 depth/1.png\n")
    with pytest.raises(InputError, match="expected 2 words"):
        TumRgbd(tmp_path)


@pytest.mark.parametrize(
    "text", ['{"fx": 1' + "0" * 400 + "}", '{"fx": ' + "9" * 5000 + "}", "[" * 100_000, '{"fx": 1e999}']
)
def test_a_focal_length_that_no_camera_has_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="intrinsics.json"):
        read_fx(writers.content(tmp_path / "intrinsics.json", text), 640, 480)


@pytest.mark.parametrize("table", ["sample", "sample_data", "calibrated_sensor", "ego_pose", "scene", "sensor"])
@pytest.mark.parametrize("content", ["[{}]", "[1]", "{}", "null", '[{"token": []}]', "[" * 100_000])
def test_tables_of_nuscenes_that_do_not_fit_together_are_refused(tmp_path: Path, table: str, content: str) -> None:
    trees.nuscenes(tmp_path)
    writers.content(tmp_path / f"v1.0-trainval/{table}.json", content)
    with pytest.raises(InputError):
        NuScenes(tmp_path)
