# SPDX-License-Identifier: Apache-2.0
"""Camera paths, and bags whose depth fits their tf."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthpro_ros.cli.main import main
from depthpro_ros.errors import InputError
from depthpro_ros.scenes import Camera, Layout, Room, Solid, layout_from_seed
from depthpro_ros.scenes.bag import CAMERA_INFO, IMAGE, TF, TRUTH, BagOptions, quaternion, write_bag
from depthpro_ros.scenes.paths import camera_path
from depthpro_ros.scenes.raycast import BOX
from test.scenes.reference import forward_right_down, rotation


def _gap(solid: Solid, point: np.ndarray) -> float:
    local = rotation(solid).T @ (point - np.array(solid.centre))
    return float(np.linalg.norm(np.maximum(np.abs(local) - np.array(solid.half), 0)))


@pytest.mark.parametrize("seed", [2, 7, 11])
def test_a_path_stays_clear_of_everything(seed: int) -> None:
    layout = layout_from_seed(seed)
    path = camera_path(layout, seed, duration_s=6.0)
    for time_s in np.linspace(0, 6, 60):
        c = path.at(float(time_s))
        point = np.array([c.x_m, c.y_m, c.height_m])
        assert min(_gap(s, point) for s in layout.solids) > 0.2
        if (room := layout.room) is not None:
            assert room.x0_m + 0.2 < c.x_m < room.x1_m - 0.2
            assert room.y0_m + 0.2 < c.y_m < room.y1_m - 0.2


def test_a_path_is_smooth_and_walks_no_faster_than_people() -> None:
    layout = Layout(Camera(height_m=1.0), Room(-20, -20, 20, 20, 4))
    path = camera_path(layout, 5, duration_s=10.0)
    step_s = 0.01
    places = np.array([(c.x_m, c.y_m) for c in (path.at(i * step_s) for i in range(1001))])
    velocity = np.diff(places, axis=0) / step_s
    speed = np.hypot(*velocity.T)
    assert 0.1 < speed.max() < 2.0
    assert speed[0] < 0.05
    assert speed[-1] < 0.05
    # no jump of the velocity: what is left at 0.01 s is acceleration, and that is moderate
    assert np.hypot(*(np.diff(velocity, axis=0) / step_s).T).max() < 8.0
    yaw = np.array([path.at(i * step_s).yaw_rad for i in range(1001)])
    assert np.abs(np.diff(yaw)).max() / step_s < 1.5


def test_a_hemmed_in_camera_is_told() -> None:
    walls = tuple(
        Solid(BOX, (0.4 * x, 0.4 * y, 1.0), (0.05 + 0.4 * abs(y), 0.05 + 0.4 * abs(x), 1.0))
        for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1))
    )
    with pytest.raises(InputError, match="no room to move"):
        camera_path(Layout(Camera(height_m=1.0), solids=walls), 0, duration_s=5.0)


def test_quaternion_is_the_cameras_rotation() -> None:
    camera = Camera(yaw_rad=0.8, pitch_rad=0.3, roll_rad=-0.2)
    x, y, z, w = quaternion(camera)
    # the textbook matrix of a unit quaternion; its columns are the optical x, y, z in the map (REP 103)
    matrix = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    forward, right, down = forward_right_down(camera)
    np.testing.assert_allclose(matrix, np.stack([right, down, forward], 1), atol=1e-12)


def _read(path: Path) -> dict[str, list[Any]]:
    rosbag2 = pytest.importorskip("rosbags.rosbag2")
    typesys = pytest.importorskip("rosbags.typesys")
    store = typesys.get_typestore(typesys.Stores.ROS2_HUMBLE)
    found: dict[str, list[Any]] = {}
    with rosbag2.Reader(path) as reader:
        for connection, _, data in reader.messages():
            found.setdefault(connection.topic, []).append(store.deserialize_cdr(data, connection.msgtype))
    return found


def test_depth_and_tf_of_two_frames_agree_on_points_of_the_world(tmp_path: Path) -> None:
    pytest.importorskip("rosbags")
    write_bag(tmp_path / "bag", 3, BagOptions(seconds=1.0, rate_hz=2.0, width=160, height=120))
    messages = _read(tmp_path / "bag")
    assert {topic: len(found) for topic, found in messages.items()} == {IMAGE: 2, CAMERA_INFO: 2, TRUTH: 2, TF: 2}
    assert messages[IMAGE][0].encoding == "rgb8"
    assert messages[IMAGE][1].header.stamp.nanosec - messages[IMAGE][0].header.stamp.nanosec == 500_000_000
    poses = []
    for message in messages[TF]:
        (transform,) = message.transforms
        assert (transform.header.frame_id, transform.child_frame_id) == ("map", messages[TRUTH][0].header.frame_id)
        q, at = transform.transform.rotation, transform.transform.translation
        poses.append((np.array([q.x, q.y, q.z]), q.w, np.array([at.x, at.y, at.z])))
    depths = [m.data.view("<f4").reshape(m.height, m.width) for m in messages[TRUTH]]
    k = messages[CAMERA_INFO][0].k.reshape(3, 3)

    def turned(axis: np.ndarray, w: float, v: np.ndarray) -> np.ndarray:
        across = 2 * np.cross(axis, v)
        return v + w * across + np.cross(axis, across)

    rows, columns = np.mgrid[0:120:3, 0:160:3].reshape(2, -1)
    z = depths[0][rows, columns].astype(float)
    known = np.isfinite(z)
    optical = np.stack([(columns - k[0, 2]) / k[0, 0] * z, (rows - k[1, 2]) / k[1, 1] * z, z], 1)[known]
    world = turned(*poses[0][:2], optical) + poses[0][2]
    assert np.linalg.norm(poses[1][2] - poses[0][2]) > 0.02
    back = turned(-poses[1][0], poses[1][1], world - poses[1][2])
    u, v = np.rint(k[0, 0] * back[:, :2].T / back[:, 2] + k[:2, 2:]).astype(int)
    seen = (back[:, 2] > 0.1) & (u >= 0) & (u < 160) & (v >= 0) & (v < 120)
    found = depths[1][v[seen], u[seen]]
    # half a pixel off and what is newly hidden aside, the second depth map says the same
    assert seen.sum() > 500
    assert np.isclose(found, back[seen, 2], rtol=0.03).mean() > 0.9
    assert np.median(np.abs(found / back[seen, 2] - 1)[np.isfinite(found)]) < 4e-3


@pytest.mark.parametrize(
    ("options", "message"), [((0, 10), "seconds"), ((5, -1), "rate"), ((5, 10, 0), "width"), ((5, 10, 9, 0), "height")]
)
def test_bad_options_are_refused(options: tuple[float, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        BagOptions(*options)  # type: ignore[arg-type]


def test_a_folder_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    pytest.importorskip("rosbags")
    with pytest.raises(InputError, match="not replaced"):
        write_bag(tmp_path, 0, BagOptions())


def test_command_writes_a_page(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    page = tmp_path / "page.png"
    assert main(["scenes", "--page", str(page), "--count", "3", "--width", "64"]) == 0
    # four columns of 64 x 48 images, each above its depth
    assert cv2.imread(str(page)).shape == (96, 256, 3)


@pytest.mark.parametrize(("option", "value"), [("count", "0"), ("seed", "-1"), ("width", "0")])
def test_command_refuses_senseless_numbers(
    option: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scenes", "--page", str(tmp_path / "page.png"), f"--{option}", value]) == 2
    assert f"{option} is {value}" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
