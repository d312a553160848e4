# SPDX-License-Identifier: Apache-2.0
"""Folders of images and depth maps."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.training.data.folder import FolderSet, read_depth
from depthpro_ros.training.data.intrinsics_file import read_fx

KINECT = Path(__file__).parents[4] / "shared" / "data" / "kinect_dining"
MILLIMETRES = np.arange(1, 49, dtype=np.uint16).reshape(6, 8) * 100


def write_pair(root: Path, rgb_name: str, depth_name: str, depth: np.ndarray = MILLIMETRES, level: int = 0) -> None:
    """An image whose red is `level` and a depth map."""
    for folder in ("rgb", "depth"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    bgr = np.zeros((6, 8, 3), np.uint8)
    bgr[..., 2] = level
    assert cv2.imwrite(str(root / "rgb" / rgb_name), bgr)
    target = root / "depth" / depth_name
    if target.suffix == ".npy":
        np.save(target, depth)
    else:
        assert cv2.imwrite(str(target), depth)


def test_pixels_and_millimetres(tmp_path):
    write_pair(tmp_path, "a.png", "a.png", level=200)
    frame = FolderSet(tmp_path, fx_px=7.0).frame(0)
    assert (frame.rgb == (200, 0, 0)).all()
    assert frame.fx_px == 7.0
    assert np.allclose(frame.depth_m, MILLIMETRES / 1000, atol=1e-6)


def test_depth_scale_is_values_per_metre(tmp_path):
    write_pair(tmp_path, "a.png", "a.png")
    frame = FolderSet(tmp_path, fx_px=7.0, depth_scale=5000).frame(0)
    assert np.allclose(frame.depth_m, MILLIMETRES / 5000, atol=1e-6)


def test_floats_are_metres_unless_a_scale_is_given(tmp_path):
    np.save(tmp_path / "d.npy", np.full((2, 3), 1500.0, np.float64))
    assert (read_depth(tmp_path / "d.npy") == 1500).all()
    assert (read_depth(tmp_path / "d.npy", 1000) == 1.5).all()


def test_no_measurement_is_nan_and_sky_is_kept(tmp_path):
    np.save(tmp_path / "d.npy", np.array([[0, -1, np.nan, np.inf, 2]], np.float32))
    assert np.array_equal(read_depth(tmp_path / "d.npy"), [[np.nan, np.nan, np.nan, np.inf, 2]], equal_nan=True)
    cv2.imwrite(str(tmp_path / "d.png"), np.array([[0, 2000]], np.uint16))
    assert np.array_equal(read_depth(tmp_path / "d.png"), [[np.nan, 2]], equal_nan=True)


def test_depth_beyond_the_sensor_is_unknown(tmp_path):
    write_pair(tmp_path, "a.png", "a.npy", np.array([[1, 5, 8, np.inf, 2, 2, 2, 2]] * 6, np.float32))
    frame = FolderSet(tmp_path, fx_px=7.0, max_depth_m=5).frame(0)
    assert np.array_equal(frame.depth_m[0, :4], [1, 5, np.nan, np.inf], equal_nan=True)


def test_partners_have_one_name_and_others_are_left_out(tmp_path, caplog):
    for index, name in enumerate(("1", "2", "10")):
        write_pair(tmp_path, f"{name}.png", f"{name}.png", level=index)
    (tmp_path / "depth" / "2.png").rename(tmp_path / "depth" / "3.png")
    frames = FolderSet(tmp_path, fx_px=7.0)
    assert [frames.frame(i).rgb[0, 0, 0] for i in range(len(frames))] == [0, 2]
    assert "2 of 3 images" in caplog.text


def test_without_a_common_name_the_order_decides(tmp_path, caplog):
    for index in (1, 2, 10):
        write_pair(tmp_path, f"rgb_{index}.png", f"depth_{index}.png", MILLIMETRES * index, level=index)
    frames = FolderSet(tmp_path, fx_px=7.0)
    for index, number in enumerate((1, 2, 10)):
        frame = frames.frame(index)
        assert frame.rgb[0, 0, 0] == number
        assert np.isclose(frame.depth_m[0, 0], 0.1 * number)
    assert "sorted order" in caplog.text


def test_without_a_common_name_counts_must_agree(tmp_path):
    write_pair(tmp_path, "rgb_1.png", "depth_1.png")
    write_pair(tmp_path, "rgb_1.png", "depth_2.png")
    with pytest.raises(InputError, match="1 images and 2 depth maps without one name in common"):
        FolderSet(tmp_path, fx_px=7.0)


def test_tum_lists_pair_by_nearest_stamp(tmp_path):
    for index in range(3):
        write_pair(tmp_path, f"{index}.png", f"{index}.png", MILLIMETRES * (index + 1), level=index)
    (tmp_path / "rgb.txt").write_text("# rgb\n10.000 rgb/0.png\n10.100 rgb/1.png\n10.200 rgb/2.png\n")
    # out of order, one too late for any image
    (tmp_path / "depth.txt").write_text("# depth\n10.105 depth/2.png\n9.995 depth/1.png\n10.230 depth/0.png\n")
    frames = FolderSet(tmp_path, fx_px=7.0, depth_scale=5000)
    seen = [(int(f.rgb[0, 0, 0]), round(float(f.depth_m[0, 0]) * 50)) for f in map(frames.frame, range(len(frames)))]
    assert seen == [(0, 2), (1, 3)]


def test_focal_of_each_image_wins_over_the_folders(tmp_path):
    write_pair(tmp_path, "a.png", "a.png")
    write_pair(tmp_path, "b.png", "b.png")
    (tmp_path / "intrinsics.json").write_text(json.dumps({"fx": 10.0, "fy": 10.0, "cx": 4, "cy": 3}))
    (tmp_path / "intrinsics").mkdir()
    (tmp_path / "intrinsics" / "b.txt").write_text("12 0 4\n0 12 3\n0 0 1\n")
    frames = FolderSet(tmp_path)
    assert [frames.frame(i).fx_px for i in range(2)] == [10.0, 12.0]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("i.json", '{"fx": 518, "width": 640, "height": 480}', 259.0),  # half the size: half the focal
        ("i.json", '{"fx": 518}', 518.0),
        ("i.txt", "518 0 325.5\n0 519 253.5\n0 0 1", 518.0),
        ("i.txt", "518 0 325.5 0\n0 519 253.5 0\n0 0 1 0\n0 0 0 1", 518.0),
        ("i.txt", "518, 519, 325.5, 253.5", 518.0),
    ],
)
def test_forms_of_intrinsics(tmp_path, name, text, expected):
    (tmp_path / name).write_text(text)
    assert read_fx(tmp_path / name, 320, 240) == expected


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("i.json", "{", "cannot be read"),
        ("i.json", '{"focal": 5}', "has no fx"),
        ("i.json", '{"fx": -5}', "above 0"),
        ("i.json", '{"fx": "wide"}', "above 0"),
        ("i.json", '{"fx": 5, "width": 640, "height": 640}', "another shape"),
        ("i.txt", "a b c", "something else than numbers"),
        ("i.txt", "1 2 3", "3 numbers"),
        ("i.txt", "1 0 0 1 1 1 1 1 1", "no matrix"),
        ("i.txt", "0 0 0 0", "above 0"),
    ],
)
def test_intrinsics_that_are_none(tmp_path, name, text, problem):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=problem):
        read_fx(tmp_path / name, 320, 240)


def test_no_focal_length(tmp_path):
    write_pair(tmp_path, "a.png", "a.png")
    with pytest.raises(InputError, match="tells no focal length.*intrinsics.json"):
        FolderSet(tmp_path)


def test_folders_that_hold_no_frames(tmp_path):
    with pytest.raises(InputError, match="is no folder"):
        FolderSet(tmp_path / "none", fx_px=7.0)
    with pytest.raises(InputError, match="nothing in it.*rgb/"):
        FolderSet(tmp_path, fx_px=7.0)
    for name in ("rgb", "depth"):
        (tmp_path / name).mkdir()
    with pytest.raises(InputError, match="0 images and 0 depth maps"):
        FolderSet(tmp_path, fx_px=7.0)


def test_sizes_that_differ(tmp_path):
    write_pair(tmp_path, "a.png", "a.png", MILLIMETRES[:3])
    with pytest.raises(InputError, match="is 8x6 pixels, a.png is 8x3"):
        FolderSet(tmp_path, fx_px=7.0).frame(0)


@pytest.mark.parametrize("depth", [MILLIMETRES.astype(np.uint8), np.dstack([MILLIMETRES] * 3)])
def test_pictures_of_depth_are_no_depth(tmp_path, depth):
    write_pair(tmp_path, "a.png", "a.png", depth)
    with pytest.raises(InputError, match="expected one channel of 16-bit"):
        FolderSet(tmp_path, fx_px=7.0).frame(0)


@pytest.mark.parametrize("damaged", ["rgb/a.png", "depth/a.png", "depth/a.npy"])
def test_damaged_files(tmp_path, damaged):
    write_pair(tmp_path, "a.png", Path(damaged).name.replace("rgb", ""))
    content = (tmp_path / damaged).read_bytes()
    (tmp_path / damaged).write_bytes(content[:40])
    with pytest.raises(InputError, match="cannot be read|cut off"):
        FolderSet(tmp_path, fx_px=7.0).frame(0)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_scale_out_of_range(tmp_path, scale):
    with pytest.raises(InputError, match="depth_scale is"):
        FolderSet(tmp_path, depth_scale=scale)


@pytest.mark.skipif(not KINECT.is_dir(), reason=f"no real RGB-D frames at {KINECT}")
def test_real_kinect_frames():
    frames = FolderSet(KINECT, fx_px=518.0)
    assert len(frames) == 5
    frame = frames.frame(4)
    assert frame.rgb.shape == (480, 640, 3)
    # what the sensor's page says: about a third of the pixels without a measurement, a room
    assert 0.2 < np.isnan(frame.depth_m).mean() < 0.5
    assert 0.5 < np.nanmedian(frame.depth_m) < 5
