# SPDX-License-Identifier: Apache-2.0
"""ScanNet: recordings and exported folders tell the same."""

from __future__ import annotations

import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets import open_dataset
from test.evaluation.datasets import writers

SCENE = "scene0707_00"
MM = np.array([[0, 1000, 2500], [4000, 1, 65535]], np.uint16)
DEPTH_M = np.array([[np.nan, 1, 2.5], [4, 0.001, 65.535]], np.float32)
# colour has twice the size of depth
K = [1160.0, 0, 3.5, 0, 0, 1162, 1.5, 0, 0, 0, 1, 0, 0, 0, 0, 1]
POSE = [1.0, 0, 0, 5, 0, 1, 0, 6, 0, 0, 1, 7, 0, 0, 0, 1]
LOST = [float("-inf")] * 16


def _jpeg() -> bytes:
    ok, encoded = cv2.imencode(".jpg", np.full((4, 6, 3), (0, 0, 200), np.uint8))
    assert ok
    return encoded.tobytes()


def _recording(root: Path, depth: bytes, compression: int = 1) -> Path:
    frames = [(_jpeg(), depth, POSE), (_jpeg(), depth, LOST)]
    writers.sens(root / f"{SCENE}/{SCENE}.sens", frames, (6, 4), (3, 2), K, compression)
    return root


def _exported(root: Path) -> Path:
    folder = root / SCENE
    for number, pose in ((0, POSE), (10, LOST), (9, POSE)):
        writers.content(folder / f"color/{number}.jpg", _jpeg())
        writers.png(folder / f"depth/{number}.png", MM)
        rows = np.array(pose).reshape(4, 4)
        writers.content(folder / f"pose/{number}.txt", "\n".join(" ".join(map(str, row)) for row in rows))
    writers.content(folder / "intrinsic/intrinsic_color.txt", " ".join(map(str, K)))
    return root


@pytest.fixture(params=["zlib", "raw", "exported"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "exported":
        return _exported(tmp_path)
    packed = zlib.compress(MM.tobytes()) if request.param == "zlib" else MM.tobytes()
    return _recording(tmp_path, packed, 1 if request.param == "zlib" else 0)


def test_depth_is_metres_and_colour_has_its_size(root: Path) -> None:
    frame = open_dataset("scannet", root).frame(0)
    np.testing.assert_array_equal(frame.depth_m, DEPTH_M)
    assert frame.rgb.shape == (2, 3, 3)
    assert np.abs(frame.rgb[1, 1].astype(int) - (200, 0, 0)).max() < 4
    assert frame.id == f"{SCENE}/0"


def test_intrinsics_are_of_that_size(root: Path) -> None:
    i = open_dataset("scannet", root).frame(0).intrinsics
    assert i is not None
    # pixel centres are at integers: (3.5 + 0.5) / 2 - 0.5
    np.testing.assert_allclose((i.fx, i.fy, i.cx, i.cy), (580, 581, 1.5, 0.5))


def test_a_lost_pose_is_none(root: Path) -> None:
    frames = open_dataset("scannet", root)
    found, lost = frames.frame(0).extras, frames.frame(len(frames) - 1).extras
    assert found.camera_to_world is not None
    assert found.camera_to_world[:3, 3].tolist() == [5, 6, 7]
    assert lost.camera_to_world is None


def test_exported_frames_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    assert open_dataset("scannet", _exported(tmp_path)).ids == (f"{SCENE}/0", f"{SCENE}/9", f"{SCENE}/10")


def test_damaged_recordings_are_refused(tmp_path: Path) -> None:
    root = _recording(tmp_path, zlib.compress(MM.tobytes()))
    path = root / SCENE / f"{SCENE}.sens"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(InputError, match="ends in frame 1 of 2"):
        open_dataset("scannet", root)
    path.write_bytes(whole[:100])
    with pytest.raises(InputError, match="ends within"):
        open_dataset("scannet", root)
    path.write_bytes(b"\x03" + whole[1:])
    with pytest.raises(InputError, match="version 3, expected 4"):
        open_dataset("scannet", root)


def test_unknown_compression_and_wrong_depth_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="depth of 2"):
        open_dataset("scannet", _recording(tmp_path, b"", 2))
    with pytest.raises(InputError, match="10 bytes of depth, 3x2 need 12"):
        open_dataset("scannet", _recording(tmp_path, zlib.compress(bytes(10)))).frame(0)
    with pytest.raises(InputError, match="cannot be unpacked"):
        open_dataset("scannet", _recording(tmp_path, b"zzz")).frame(0)
