# SPDX-License-Identifier: Apache-2.0
"""nuScenes: tables, and lidar points through four frames into the image."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from depthpro_ros.errors import InputError
from depthpro_ros.evaluation.datasets import open_dataset
from depthpro_ros.evaluation.datasets.nuscenes import splat
from test.evaluation.datasets import writers

HALF = math.sqrt(0.5)
# the camera's axes in the car's (x forward, y left, z up), as a quaternion, w first: right, down, forward
CAMERA_IN_EGO = [0.5, -0.5, 0.5, -0.5]
K = [[100.0, 0, 50], [0, 100, 40], [0, 0, 1]]


def _row(token: str, **fields: object) -> dict:
    return {"token": token, **fields}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    tables: dict[str, list] = {
        "sensor": [_row("sc", channel="CAM_FRONT"), _row("sl", channel="LIDAR_TOP"), _row("sr", channel="RADAR")],
        "calibrated_sensor": [
            _row("cc", sensor_token="sc", translation=[1.0, 0, 1.5], rotation=CAMERA_IN_EGO, camera_intrinsic=K),
            # the lidar is turned by 90 degrees to the left
            _row("cl", sensor_token="sl", translation=[0.0, 0, 2], rotation=[HALF, 0, 0, HALF], camera_intrinsic=[]),
            _row("cr", sensor_token="sr", translation=[0, 0, 0], rotation=[1, 0, 0, 0], camera_intrinsic=[]),
        ],
        "ego_pose": [
            # the car drives 0.5 m along x between lidar and camera
            _row("el", translation=[10.0, 20, 0], rotation=[1, 0, 0, 0]),
            _row("ec", translation=[10.5, 20, 0], rotation=[1, 0, 0, 0]),
        ],
        "scene": [_row("n", name="scene-0003"), _row("m", name="scene-0001")],
        "sample": [_row("s", scene_token="n", timestamp=2_000_000), _row("t", scene_token="m", timestamp=3_000_000)],
        "sample_data": [],
        "log": [],
    }
    for sample in ("s", "t"):
        image, lidar = f"samples/CAM_FRONT/{sample}_front.jpg", f"samples/LIDAR_TOP/{sample}_top.pcd.bin"
        for key, ego, path, whole in (
            ("cc", "ec", image, True),
            ("cl", "el", lidar, True),
            ("cr", "el", "samples/RADAR/x", True),
            ("cc", "ec", "sweeps/CAM_FRONT/between.jpg", False),
        ):
            tables["sample_data"].append(
                _row(
                    f"{sample}{key}{whole}",
                    sample_token=sample,
                    calibrated_sensor_token=key,
                    ego_pose_token=ego,
                    filename=path,
                    is_key_frame=whole,
                    timestamp=2_500_000,
                )
            )
        writers.photograph(tmp_path / image, 100, 80)
        # in the lidar's frame: forward of the car is -y, left is +x
        points = [
            (0, -11.5, 0, 9, 0),
            (0, -21.5, 0, 9, 0),
            (-1, -11.5, -0.5, 9, 0),
            (0, 5, 0, 9, 0),
            (90, -11, 0, 9, 0),
        ]
        writers.content(tmp_path / lidar, np.array(points, "<f4").tobytes())
    for name, rows in tables.items():
        writers.content(tmp_path / f"v1.0-mini/{name}.json", json.dumps(rows))
    return tmp_path


def test_points_land_where_they_are_seen(root: Path) -> None:
    frame = open_dataset("nuscenes", root, version="v1.0-mini").frame(0)
    depth = frame.depth_m
    assert depth is not None
    # 11.5 m ahead of the lidar is 10 m ahead of the camera, which is 1 m before it and 0.5 m later; 0.5 m higher
    # is 5 px up; the point behind it is hidden if it lands on the same pixel, at 20 m it lands 2.5 px up
    found = {(int(v), int(u)): float(depth[v, u]) for v, u in np.argwhere(np.isfinite(depth))}
    assert found == pytest.approx({(35, 50): 10.0, (38, 50): 20.0, (40, 60): 10.0}, rel=1e-5)


def test_camera_scene_and_pose(root: Path) -> None:
    frames = open_dataset("nuscenes", root, version="v1.0-mini")
    assert frames.ids == ("t_front", "s_front")
    frame = frames.frame(0)
    assert (frame.scene, frame.fx_px, frame.extras.stamp_s) == ("scene-0001", 100, 2.5)
    assert frame.intrinsics is not None and (frame.intrinsics.cx, frame.intrinsics.cy) == (50, 40)
    assert frame.extras.camera_to_world is not None
    # 1 m ahead of the camera is 1 m along the world's x
    np.testing.assert_allclose(frame.extras.camera_to_world @ [0, 0, 1, 1], [12.5, 20, 1.5, 1], atol=1e-12)


def test_scenes_may_be_chosen(root: Path) -> None:
    listed = writers.content(root / "val.txt", "scene-0003\nscene-0016\n")
    assert open_dataset("nuscenes", root, version="v1.0-mini", scenes=listed).ids == ("s_front",)


def test_the_nearest_point_of_a_pixel_counts() -> None:
    points = np.array([[0, 0, 8.0], [0, 0, 5], [0, 0, 6], [0, 0, 0.9]])
    depth = splat(points, np.array(K), 100, 80)
    assert np.argwhere(np.isfinite(depth)).tolist() == [[40, 50]]
    assert depth[40, 50] == 5


def test_points_on_the_border_and_no_points_give_no_depth() -> None:
    k = np.array(K)
    on_the_border = np.array([[-0.5, 0, 1.01], [0.5, 0, 1.0101]])
    assert np.isnan(splat(on_the_border, k, 100, 80)).all()
    assert np.isnan(splat(np.empty((0, 3)), k, 100, 80)).all()


def test_a_cut_lidar_file_is_refused(root: Path) -> None:
    path = root / "samples/LIDAR_TOP/t_top.pcd.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="frame t_front: .*99 bytes"):
        open_dataset("nuscenes", root, version="v1.0-mini").frame(0)


def test_missing_tables_show_the_tree(root: Path) -> None:
    with pytest.raises(InputError, match=r"(?s)v1.0-trainval/sensor.json is missing; expected.*LIDAR_TOP"):
        open_dataset("nuscenes", root)
